"""Rotation of a mailbox's data key: a new key for the file, every slot wrapped anew, no password changed."""

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.aliases import find_alias
from mailstead.administration.opening import data_key
from mailstead.administration.slots import keep_keyring
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.slot import Slot, rewrap, unwrap
from mailstead.foundation.errors import NotFoundError, PermanentError
from mailstead.stores.bus.interface import Bus, Subscription
from mailstead.stores.directory.records import Alias
from mailstead.stores.documents.interface import ConflictError
from mailstead.stores.mailbox.files import Rotation, take_over
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.mailbox.rotation import Reached, finished, interrupted, is_pending

_CHANNEL = "rotation"


class _Event(msgspec.Struct, frozen=True, array_like=True):
    """`handover` is empty when everybody shall let go of the mailbox, else the new key under the one before."""

    mailbox_id: str
    handover: bytes = b""


async def follow_rotations(bus: Bus, mailboxes: Mailboxes) -> Subscription:
    """Let go of mailboxes, and take up their new keys, when another process rotates them."""

    def heard(_: str, payload: bytes) -> None:
        event = msgspec.msgpack.decode(payload, type=_Event)
        if event.handover:
            mailboxes.follow(event.mailbox_id, event.handover)
        else:
            mailboxes.let_go(event.mailbox_id)

    return await bus.subscribe(_CHANNEL, heard)


async def rotate_key(
    administration: Administration,
    actor: Actor,
    address: str,
    *,
    current: str | None = None,
    reached: Reached = lambda _: None,
) -> Alias:
    """Encrypt a mailbox under a new data key. Every credential opens it as before, nothing else does.

    `current` is a credential of a locked mailbox; `reached` hears of each step. Raises LockedMailboxError,
    MailboxBusyError when a process does not let go of the file, MailboxDamagedError, OSError.
    """
    alias = await finish_rotation(administration, await find_alias(administration, actor, address))
    fixed = [slot.label for slot in alias.slots if not slot.exchange]
    if fixed:
        raise PermanentError(f"Made by an earlier version, make them anew first: {', '.join(fixed)}")
    mailboxes = administration.mailboxes
    with await data_key(administration, alias, current) as key, DataKey.generate() as following:
        slots = tuple(rewrap(slot, following) for slot in alias.slots)
        async with mailboxes.alone(alias.mailbox_id, lambda: ask_to_let_go(administration, alias.mailbox_id)):
            rotation = await mailboxes.rotate_file(alias.mailbox_id, key, following, slots, reached)
            alias = await _install(administration, alias, rotation, following, reached)
        mailboxes.follow(alias.mailbox_id, rotation.handover)
    event = _Event(alias.mailbox_id, rotation.handover)
    await administration.bus.publish(_CHANNEL, msgspec.msgpack.encode(event))
    await administration.audit(actor, "mailbox.rekey", alias.address)
    return alias


async def finish_rotation(administration: Administration, alias: Alias) -> Alias:
    """Finish a rotation that was cut off, or clear away what is left of it; the alias as it is then.

    Costs a look at two file names when there is nothing to do. Raises MailboxBusyError, OSError.
    """
    mailboxes = administration.mailboxes
    if not alias.mailbox_id or not is_pending(mailboxes.directory(alias.mailbox_id)):
        return alias
    async with mailboxes.alone(alias.mailbox_id, lambda: ask_to_let_go(administration, alias.mailbox_id)) as folder:
        rotation = await mailboxes.run(interrupted, folder)
        if rotation is None:
            return alias
        return await _install(administration, alias, rotation, _following(administration, alias, rotation))


async def ask_to_let_go(administration: Administration, mailbox_id: str) -> None:
    """Tell all processes that somebody wants to be alone with a mailbox's file. Raises BusLostError."""
    await administration.bus.publish(_CHANNEL, msgspec.msgpack.encode(_Event(mailbox_id)))


def _following(administration: Administration, alias: Alias, rotation: Rotation) -> DataKey | None:
    """The new key by way of the server's slot, where there is one that still holds the old key."""
    for slot in alias.slots:
        if slot.kind == "server":
            with unwrap(slot, administration.directory.server_key) as key:
                return take_over(key, rotation.handover)
    return None


async def _install(
    administration: Administration,
    alias: Alias,
    rotation: Rotation,
    following: DataKey | None,
    reached: Reached = lambda _: None,
) -> Alias:
    """Tell the directory of the slots that hold the new key, then forget the way from the old one."""
    rewrapped = {slot.id: slot for slot in rotation.slots}

    def renewed(slot: Slot) -> Slot:
        """One that was added meanwhile holds the old key."""
        if slot.id in rewrapped:
            return rewrapped[slot.id]
        if following is None:
            raise PermanentError(f"{alias.address}: {slot.label} does not open the mailbox, remove it")
        return rewrap(slot, following)

    while True:
        found = await administration.directory.get(Alias, alias.id)
        if found is None:
            raise NotFoundError(f"{alias.address} was removed")
        changed = msgspec.structs.replace(
            found, slots=tuple(renewed(slot) for slot in found.slots), public_key=rotation.public_key
        )
        try:
            stored = await administration.directory.replace(changed)
            break
        except ConflictError:
            continue  # a slot was added or removed meanwhile: look again
    reached("directory")
    await keep_keyring(administration, stored)
    reached("keyring")
    await administration.mailboxes.run(finished, administration.mailboxes.directory(alias.mailbox_id))
    reached("finished")
    return stored
