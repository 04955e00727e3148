"""`mailstead user`: people with an account."""

from typing import Annotated

import typer

from mailstead.administration import users
from mailstead.administration.actor import COMMAND_LINE
from mailstead.cli.output import Json, emit_done, emit_table
from mailstead.cli.stores import password_from_stdin, with_stores

app = typer.Typer(no_args_is_help=True, help="People with an account.")
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command("add")
def add(
    address: str,
    json: Json = False,
    admin: Annotated[bool, typer.Option("--admin", help="Make a server admin.")] = False,
    password_stdin: PasswordStdin = False,
) -> None:
    """Add a user, and a mailbox when the address's domain is served here."""
    given = password_from_stdin() if password_stdin else None
    user, password = with_stores(
        lambda stores: users.add_user(stores.administration, COMMAND_LINE, address, password=given, is_admin=admin)
    )
    shown = "as given" if given else password
    record = {"address": user.address, "admin": user.is_admin, "password": password}
    emit_done(f"{user.address} added, password {shown}", json=json, record=record)


@app.command("list")
def list_all(json: Json = False) -> None:
    """List users."""
    found = with_stores(lambda stores: users.list_users(stores.administration, COMMAND_LINE))
    rows = [{"address": user.address, "admin": user.is_admin, "created": user.created_at} for user in found]
    emit_table(rows, ("address", "admin", "created"), json=json)


@app.command("set")
def set_user(
    address: str,
    json: Json = False,
    admin: Annotated[bool | None, typer.Option("--admin/--no-admin", help="Give or take the admin role.")] = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Change a user's role or password."""
    given = password_from_stdin() if password_stdin else None
    user = with_stores(
        lambda stores: users.set_user(stores.administration, COMMAND_LINE, address, password=given, is_admin=admin)
    )
    emit_done(f"{user.address} changed", json=json, record={"address": user.address, "admin": user.is_admin})


@app.command("remove")
def remove(address: str, json: Json = False) -> None:
    """Remove a user who owns no domain."""
    with_stores(lambda stores: users.remove_user(stores.administration, COMMAND_LINE, address))
    emit_done(f"{address} removed", json=json, record={"address": address})
