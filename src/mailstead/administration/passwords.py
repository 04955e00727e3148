"""Passwords of mailboxes: each is a slot; adding and removing one never touches the mailbox."""

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.aliases import ACCOUNT_LABEL, find_alias, new_credential
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.passwords import new_app_password, new_recovery_code
from mailstead.foundation.crypto.slot import Slot, unwrap, wrap
from mailstead.foundation.errors import AuthenticationError, InvalidError, NotFoundError, PermanentError
from mailstead.stores.directory.records import Alias

SLOTS_LIMIT = 100


class LockedMailboxError(PermanentError):
    """The mailbox is zero-access: only its owner's credential opens it."""

    http_status = 403
    public_text = "The mailbox is locked: give a current password or the recovery code"


def _key(administration: Administration, alias: Alias, current: str | None) -> DataKey:
    """The data key through the server slot, or through a credential that the owner gives."""
    if not alias.mailbox_id:
        raise InvalidError(f"{alias.address} has no mailbox")
    for slot in alias.slots:
        if slot.kind == "server":
            return unwrap(slot, administration.directory.server_key)
    if current:
        for slot in alias.slots:
            try:
                return unwrap(slot, current.encode())
            except AuthenticationError:
                continue
        raise AuthenticationError
    raise LockedMailboxError


async def _add_slot(administration: Administration, alias: Alias, slot: Slot, *, replacing: str = "") -> Alias:
    kept = [held for held in alias.slots if not (replacing and held.label == replacing)]
    if len(kept) >= SLOTS_LIMIT:
        raise InvalidError(f"At most {SLOTS_LIMIT} passwords")
    return await administration.directory.replace(msgspec.structs.replace(alias, slots=(*kept, slot)))


async def add_password(
    administration: Administration,
    actor: Actor,
    address: str,
    *,
    password: str | None,
    label: str,
    current: str | None = None,
) -> tuple[Alias, str]:
    """Add a password; returns the alias and the password, generated when None is given.

    Raises LockedMailboxError when the mailbox is zero-access and `current` (a password or the recovery code) lacks.
    """
    if label == ACCOUNT_LABEL:
        raise InvalidError(f"The name {ACCOUNT_LABEL!r} is taken")
    alias = await find_alias(administration, actor, address)
    chosen = password or new_app_password()
    with _key(administration, alias, current) as key:
        slot = await new_credential(administration, key, chosen, label)
    alias = await _add_slot(administration, alias, slot)
    await administration.audit(actor, "password.add", alias.address, label=label, slot=slot.id)
    return alias, chosen


async def set_account_password(administration: Administration, alias: Alias, password: str) -> None:
    """Make `password` the one account password of the mailbox."""
    with _key(administration, alias, None) as key:
        slot = await new_credential(administration, key, password, ACCOUNT_LABEL)
    await _add_slot(administration, alias, slot, replacing=ACCOUNT_LABEL)


async def remove_password(administration: Administration, actor: Actor, address: str, identifier: str) -> None:
    """Remove a password by its id or name. The last slot of a mailbox is never removed."""
    alias = await find_alias(administration, actor, address)
    gone = [slot for slot in alias.slots if identifier in (slot.id, slot.label) and slot.kind != "server"]
    if not gone:
        raise NotFoundError(f"{address} has no password {identifier}")
    kept = tuple(slot for slot in alias.slots if slot not in gone)
    if not kept:
        raise PermanentError("The last key of a mailbox cannot be removed")
    await administration.directory.replace(msgspec.structs.replace(alias, slots=kept))
    await administration.audit(actor, "password.remove", alias.address, slots=[slot.id for slot in gone])


async def add_recovery_code(
    administration: Administration, actor: Actor, address: str, *, current: str | None = None
) -> str:
    """Make a recovery code, which replaces the one before; it is shown this once."""
    alias = await find_alias(administration, actor, address)
    code = new_recovery_code()
    with _key(administration, alias, current) as key:
        slot = wrap(key, "recovery", code.encode(), label="recovery code", now=administration.clock.now())
    await _add_slot(administration, alias, slot, replacing="recovery code")
    await administration.audit(actor, "recovery-code.add", alias.address)
    return code


async def lock_mailbox(administration: Administration, actor: Actor, address: str) -> None:
    """Make a mailbox zero-access: the server's slot goes, only the owner's credentials open it from now on.

    Refused without a recovery code, for then a forgotten password would lose the mail.
    """
    alias = await find_alias(administration, actor, address)
    if not alias.mailbox_id:
        raise InvalidError(f"{address} has no mailbox")
    if alias.is_locked:
        raise InvalidError(f"{address} is locked already")
    kinds = {slot.kind for slot in alias.slots}
    if "recovery" not in kinds:
        raise PermanentError(f"Make a recovery code first: mailstead alias recovery-code {address}")
    kept = tuple(slot for slot in alias.slots if slot.kind != "server")
    await administration.directory.replace(msgspec.structs.replace(alias, slots=kept))
    await administration.audit(actor, "mailbox.lock", alias.address)
