"""`mailstead mailbox`: what lies in a mailbox."""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.aliases import find_alias
from mailstead.administration.passwords import LockedMailboxError, lock_mailbox
from mailstead.cli.output import Json, emit_done, fail
from mailstead.cli.stores import with_stores
from mailstead.foundation.errors import NotFoundError
from mailstead.services.stores import Stores
from mailstead.stores.mailbox.mailbox import Mailbox

app = typer.Typer(no_args_is_help=True, help="What lies in a mailbox.")
T = TypeVar("T")
_DAY = 86400


def _on_mailbox(address: str, work: Callable[[Stores, Mailbox], Awaitable[T]]) -> T:
    async def run(stores: Stores) -> T:
        alias = await find_alias(stores.administration, COMMAND_LINE, address)
        if not alias.mailbox_id:
            raise NotFoundError(f"{address} has no mailbox")
        key = await stores.directory.mailbox_key(alias.mailbox_id)
        if key is None:
            raise LockedMailboxError(f"{address} is locked: only its owner can open it")
        with key:
            return await work(stores, await stores.mailboxes.open(alias.mailbox_id, key))

    return with_stores(run)


@app.command("check")
def check(address: str, json: Json = False) -> None:
    """Check the mailbox's file; exit 1 when something is wrong."""
    problems = _on_mailbox(address, lambda stores, mailbox: stores.mailboxes.run(mailbox.check))
    if problems and not json:
        fail("\n".join(problems))
    emit_done(f"{address} is fine", json=json, record={"address": address, "problems": problems})
    if problems:
        raise typer.Exit(1)


@app.command("undelete")
def undelete(
    address: str,
    json: Json = False,
    days: Annotated[float, typer.Option(help="Bring back what was expunged in the last days.")] = 1.0,
) -> None:
    """Bring back expunged messages."""
    count = _on_mailbox(
        address, lambda stores, mailbox: stores.mailboxes.run(mailbox.undelete, stores.clock.now() - days * _DAY)
    )
    emit_done(f"{count} message(s) of {address} are back", json=json, record={"address": address, "messages": count})


@app.command("lock")
def lock(address: str, json: Json = False) -> None:
    """Make a mailbox zero-access: from now on only its owner's credentials open it."""
    with_stores(lambda stores: lock_mailbox(stores.administration, COMMAND_LINE, address))
    emit_done(f"{address} is locked", json=json, record={"address": address, "locked": True})
