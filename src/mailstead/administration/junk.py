"""Junk of one mailbox: what it has learned, and forgetting that. Its switch and threshold are the alias's (set_alias)."""

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.aliases import find_alias
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import InvalidError, PermissionDeniedError
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.mailbox import Mailbox


class JunkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How an alias filters junk: whether it does, from how many points, and how many messages its mailbox learned."""

    address: str
    filters: bool
    threshold: float
    own_threshold: bool
    learned_junk: int
    learned_good: int


async def _mailbox(administration: Administration, alias: Alias, key: DataKey | None) -> Mailbox:
    if not alias.mailbox_id:
        raise InvalidError(f"{alias.address} has no mailbox")
    if key is not None:
        return await administration.mailboxes.open(alias.mailbox_id, key)
    server_key = await administration.directory.mailbox_key(alias.mailbox_id)
    if server_key is None:
        raise PermissionDeniedError(f"{alias.address} is locked: only its owner can look into it")
    with server_key:
        return await administration.mailboxes.open(alias.mailbox_id, server_key)


async def junk_status(
    administration: Administration, actor: Actor, address: str, key: DataKey | None = None
) -> JunkStatus:
    """See JunkStatus. A locked mailbox needs `key`. Raises UnknownNameError, PermissionDeniedError, InvalidError."""
    alias = await find_alias(administration, actor, address)
    mailbox = await _mailbox(administration, alias, key)
    junk, good = await administration.mailboxes.run(mailbox.learned_messages)
    settings = administration.settings.junk
    own = alias.junk_threshold
    return JunkStatus(
        address=alias.address,
        filters=settings.filter and alias.junk_filter,
        threshold=settings.threshold if own is None else own,
        own_threshold=own is not None,
        learned_junk=junk,
        learned_good=good,
    )


async def forget_junk(administration: Administration, actor: Actor, address: str, key: DataKey | None = None) -> None:
    """Have a mailbox forget what it learned of junk. Raises as junk_status does."""
    alias = await find_alias(administration, actor, address)
    mailbox = await _mailbox(administration, alias, key)
    await administration.mailboxes.run(mailbox.forget_junk)
    await administration.audit(actor, "junk.forget", alias.address)
