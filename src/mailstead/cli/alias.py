"""`mailstead alias`: names in domains, their mailboxes, forwards and passwords."""

import re
from typing import Annotated, Any

import typer

from mailstead.administration import aliases, passwords
from mailstead.administration.actor import COMMAND_LINE
from mailstead.cli.output import Json, emit_done, emit_record, emit_table, fail
from mailstead.cli.stores import password_from_stdin, with_stores
from mailstead.cli.user import PasswordStdin
from mailstead.stores.directory.records import Alias

app = typer.Typer(no_args_is_help=True, help="Names in domains: mailboxes, forwards, passwords.")
ForwardTo = Annotated[
    list[str] | None,
    typer.Option("--forward-to", help="Also send to this address, host[:port] or https:// URL (repeatable)."),
]
LockedPassword = Annotated[
    bool, typer.Option("--password-stdin", help="Read a present password of a locked mailbox from standard input.")
]
Quota = Annotated[str, typer.Option(help="Room of the mailbox: bytes, with K, M, G or T.")]
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def _quota(text: str) -> int | None:
    if not text:
        return None
    found = re.fullmatch(r"(\d{1,15})([KMGT]?)(?:i?B)?", text, re.IGNORECASE)
    if found is None:
        fail(f"--quota {text}: bytes, with K, M, G or T", code=2)
    return int(found[1]) * _UNITS[found[2].upper()]


def _row(alias: Alias) -> dict[str, Any]:
    return {
        "address": alias.address,
        "mailbox": bool(alias.mailbox_id),
        "locked": alias.is_locked,
        "enabled": alias.enabled,
        "forward_to": list(alias.forward_to),
        "quota": alias.quota,
        "created": alias.created_at,
    }


@app.command("add")
def add(
    address: str,
    json: Json = False,
    forward_to: ForwardTo = None,
    no_mailbox: Annotated[bool, typer.Option("--no-mailbox", help="Forward only.")] = False,
    quota: Quota = "",
    password_stdin: PasswordStdin = False,
) -> None:
    """Add an alias; the generated password of its mailbox is shown this once."""
    given = password_from_stdin() if password_stdin else None
    room = _quota(quota)
    alias, password = with_stores(
        lambda stores: aliases.add_alias(
            stores.administration,
            COMMAND_LINE,
            address,
            forward_to=forward_to or (),
            with_mailbox=not no_mailbox,
            quota=room,
            password=given,
        )
    )
    text = f"{alias.address} added" + (f", password {password}" if password and not given else "")
    emit_done(text, json=json, record={"address": alias.address, "password": password})


@app.command("list")
def list_all(domain: Annotated[str | None, typer.Argument()] = None, json: Json = False) -> None:
    """List aliases, of one domain or all."""
    found = with_stores(lambda stores: aliases.list_aliases(stores.administration, COMMAND_LINE, domain))
    emit_table([_row(alias) for alias in found], ("address", "mailbox", "enabled", "forward_to"), json=json)


@app.command("show")
def show(address: str, json: Json = False) -> None:
    """Show one alias."""
    emit_record(
        _row(with_stores(lambda stores: aliases.find_alias(stores.administration, COMMAND_LINE, address))), json=json
    )


@app.command("set")
def set_alias(
    address: str,
    json: Json = False,
    forward_to: ForwardTo = None,
    quota: Quota = "",
    enabled: Annotated[bool | None, typer.Option("--enabled/--disabled", help="Take mail or not.")] = None,
    code: Annotated[
        int | None, typer.Option(help="Answer while disabled: 250 (drop), 421 or 450 (later), or 550.")
    ] = None,
) -> None:
    """Change an alias."""
    changes: dict[str, Any] = {}
    if forward_to is not None:
        changes["forward_to"] = [target for target in forward_to if target]
    if quota:
        changes["quota"] = _quota(quota)
    if enabled is not None:
        changes["enabled"] = enabled
    if code is not None:
        if code not in (250, 421, 450, 550):
            fail("--code is 250, 421, 450 or 550", code=2)
        changes["disabled_code"] = code
    alias = with_stores(lambda stores: aliases.set_alias(stores.administration, COMMAND_LINE, address, changes))
    emit_done(f"{alias.address} changed", json=json, record=_row(alias))


@app.command("remove")
def remove(address: str, json: Json = False) -> None:
    """Remove an alias."""
    with_stores(lambda stores: aliases.remove_alias(stores.administration, COMMAND_LINE, address))
    emit_done(f"{address} removed", json=json, record={"address": address})


@app.command("password")
def password(
    address: str,
    json: Json = False,
    generate: Annotated[bool, typer.Option("--generate", help="Make an app password (the default).")] = False,
    password_stdin: PasswordStdin = False,
    name: Annotated[str, typer.Option(help="What it is for.")] = "app password",
    gone: Annotated[str, typer.Option("--remove", help="Remove the password of this id or name instead.")] = "",
) -> None:
    """Add a password to an alias's mailbox; it is shown this once."""
    if generate + password_stdin + bool(gone) > 1:
        fail("--generate, --password-stdin or --remove, not both", code=2)
    if gone:
        with_stores(lambda stores: passwords.remove_password(stores.administration, COMMAND_LINE, address, gone))
        emit_done(f"{gone} of {address} removed", json=json, record={"address": address, "removed": gone})
        return
    given = password_from_stdin() if password_stdin else None
    alias, made = with_stores(
        lambda stores: passwords.add_password(stores.administration, COMMAND_LINE, address, password=given, label=name)
    )
    text = f"password added to {alias.address}" + ("" if given else f": {made}")
    emit_done(text, json=json, record={"address": alias.address, "password": made, "name": name})


@app.command("passwords")
def list_passwords(address: str, json: Json = False) -> None:
    """List an alias's passwords; they themselves are not kept."""
    alias = with_stores(lambda stores: aliases.find_alias(stores.administration, COMMAND_LINE, address))
    rows = [{"id": slot.id, "kind": slot.kind, "name": slot.label, "created": slot.created_at} for slot in alias.slots]
    emit_table(rows, ("id", "kind", "name", "created"), json=json)


@app.command("recovery-code")
def recovery_code(address: str, json: Json = False, password_stdin: LockedPassword = False) -> None:
    """Make a recovery code that opens the mailbox when every password is lost; shown this once."""
    current = password_from_stdin() if password_stdin else None
    code = with_stores(
        lambda stores: passwords.add_recovery_code(stores.administration, COMMAND_LINE, address, current=current)
    )
    emit_done(f"recovery code of {address}: {code}", json=json, record={"address": address, "recovery_code": code})
