"""`mailstead mailbox`: what lies in a mailbox."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.care import check_mailbox
from mailstead.administration.opening import opened_mailbox
from mailstead.administration.passwords import lock_mailbox, unlock_mailbox
from mailstead.administration.recovery import recover_mailbox
from mailstead.administration.rotation import rotate_key
from mailstead.cli.output import Json, emit_done, fail
from mailstead.cli.stores import password_from_stdin, with_stores
from mailstead.services.stores import Stores
from mailstead.stores.mailbox.mailbox import Mailbox

app = typer.Typer(no_args_is_help=True, help="What lies in a mailbox.")
T = TypeVar("T")
_DAY = 86400
Credential = Annotated[
    bool,
    typer.Option("--password-stdin", help="Read a password or the recovery code of a locked mailbox from stdin."),
]


def on_mailbox(address: str, work: Callable[[Stores, Mailbox], Awaitable[T]], current: str | None = None) -> T:
    """What `work` returns of an address's mailbox; `current` opens a locked one."""

    async def run(stores: Stores) -> T:
        async with opened_mailbox(stores.administration, COMMAND_LINE, address, current) as (_, mailbox):
            return await work(stores, mailbox)

    return with_stores(run)


def credential(wanted: bool) -> str | None:
    """The credential from standard input when it was asked for."""
    return password_from_stdin() if wanted else None


@app.command("check")
def check(address: str, json: Json = False, password_stdin: Credential = False) -> None:
    """Check a mailbox's file and finish what was cut off; exit 1 when something is wrong.

    A damaged file is set aside, never overwritten: put a snapshot in its place then.
    """
    current = credential(password_stdin)
    found = with_stores(lambda stores: check_mailbox(stores.administration, COMMAND_LINE, address, current=current))
    record = {"address": address, "problems": found.problems, "set_aside": found.set_aside}
    if found.problems and not json:
        aside = f"\nset aside as {found.set_aside}; restore the newest snapshot" if found.set_aside else ""
        fail("\n".join(found.problems) + aside)
    emit_done(f"{address} is fine", json=json, record=record)
    if found.problems:
        raise typer.Exit(1)


@app.command("undelete")
def undelete(
    address: str,
    json: Json = False,
    days: Annotated[float, typer.Option(help="Bring back what was expunged in the last days.")] = 1.0,
) -> None:
    """Bring back expunged messages."""
    count = on_mailbox(
        address, lambda stores, mailbox: stores.mailboxes.run(mailbox.undelete, stores.clock.now() - days * _DAY)
    )
    emit_done(f"{count} message(s) of {address} are back", json=json, record={"address": address, "messages": count})


@app.command("lock")
def lock(address: str, json: Json = False) -> None:
    """Make a mailbox zero-access: from now on only its owner's credentials open it."""
    with_stores(lambda stores: lock_mailbox(stores.administration, COMMAND_LINE, address))
    emit_done(f"{address} is locked", json=json, record={"address": address, "locked": True})


@app.command("unlock")
def unlock(address: str, json: Json = False) -> None:
    """Let the server open a locked mailbox again; a password or the recovery code is read from standard input."""
    current = password_from_stdin()
    with_stores(lambda stores: unlock_mailbox(stores.administration, COMMAND_LINE, address, current))
    emit_done(f"{address} is unlocked", json=json, record={"address": address, "locked": False})


@app.command("rekey")
def rekey(address: str, json: Json = False, password_stdin: Credential = False) -> None:
    """Encrypt a mailbox under a new key; passwords stay as they are."""
    current = credential(password_stdin)
    with_stores(lambda stores: rotate_key(stores.administration, COMMAND_LINE, address, current=current))
    emit_done(f"{address} has a new key", json=json, record={"address": address, "rekeyed": True})


@app.command("recover")
def recover(
    address: str,
    json: Json = False,
    mailbox: Annotated[str | None, typer.Option(help="Which mailbox, where an address had several.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Put the keyring's keys in place of the directory's.")] = False,
) -> None:
    """Rebuild an address and its keys in the directory from the keyring beside its mailbox."""
    alias = with_stores(
        lambda stores: recover_mailbox(stores.administration, COMMAND_LINE, address, mailbox_id=mailbox, force=force)
    )
    record = {"address": alias.address, "mailbox": alias.mailbox_id, "keys": len(alias.slots)}
    emit_done(f"{alias.address} has the {len(alias.slots)} keys of its keyring", json=json, record=record)
