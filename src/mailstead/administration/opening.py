"""Opening a mailbox for what people do with it: by the server's slot, or by a credential that the owner gives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.aliases import find_alias
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.slot import unwrap
from mailstead.foundation.errors import InvalidError, PermanentError
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.mailbox import Mailbox


class LockedMailboxError(PermanentError):
    """The mailbox is zero-access: only its owner's credential opens it."""

    http_status = 403
    public_text = "The mailbox is locked: give a current password or the recovery code"


async def data_key(administration: Administration, alias: Alias, current: str | DataKey | None) -> DataKey:
    """The data key. Raises LockedMailboxError without a credential where one is needed, AuthenticationError."""
    if not alias.mailbox_id:
        raise InvalidError(f"{alias.address} has no mailbox")
    if isinstance(current, DataKey):
        return current.copy()
    for slot in alias.slots:
        if slot.kind == "server":
            return unwrap(slot, administration.directory.server_key)
    if not current:
        raise LockedMailboxError
    return await administration.authenticator.open_slots(alias.slots, current)


@asynccontextmanager
async def opened_mailbox(
    administration: Administration, actor: Actor, address: str, current: str | DataKey | None = None
) -> AsyncIterator[tuple[Alias, Mailbox]]:
    """The mailbox of an address, as long as this lasts. Raises as data_key and Mailboxes.open do."""
    alias = await find_alias(administration, actor, address)
    with await data_key(administration, alias, current) as key:
        mailbox = await administration.mailboxes.open(alias.mailbox_id, key)
    yield alias, mailbox
