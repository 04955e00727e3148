"""Passwords of mailboxes: each is a slot; adding and removing one never touches the mailbox."""

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.aliases import find_alias, new_credential
from mailstead.administration.opening import data_key
from mailstead.administration.rotation import finish_rotation
from mailstead.administration.slots import store_slots
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.passwords import new_app_password, new_recovery_code
from mailstead.foundation.crypto.slot import Slot, wrap
from mailstead.foundation.errors import InvalidError, NotFoundError, PermanentError
from mailstead.stores.directory.records import ACCOUNT_LABEL, Alias

SLOTS_LIMIT = 100


async def _add_slot(administration: Administration, alias: Alias, slot: Slot, *, replacing: str = "") -> Alias:
    kept = [held for held in alias.slots if not (replacing and held.label == replacing)]
    if len(kept) >= SLOTS_LIMIT:
        raise InvalidError(f"At most {SLOTS_LIMIT} passwords")
    return await store_slots(administration, alias, (*kept, slot))


async def add_password(
    administration: Administration,
    actor: Actor,
    address: str,
    *,
    password: str | None,
    label: str,
    current: str | DataKey | None = None,
) -> tuple[Alias, str]:
    """Add a password; returns the alias and the password, generated when None is given.

    Raises LockedMailboxError when the mailbox is zero-access and `current` (password, recovery code or key) lacks.
    """
    if label == ACCOUNT_LABEL:
        raise InvalidError(f"The name {ACCOUNT_LABEL!r} is taken")
    alias = await finish_rotation(administration, await find_alias(administration, actor, address))
    chosen = password or new_app_password()
    with await data_key(administration, alias, current) as key:
        slot = await new_credential(administration, key, chosen, label)
    alias = await _add_slot(administration, alias, slot)
    await administration.audit(actor, "password.add", alias.address, label=label, slot=slot.id)
    return alias, chosen


async def set_account_password(
    administration: Administration, alias: Alias, password: str, *, current: str | None = None
) -> None:
    """Make `password` the one account password of the mailbox; `current` opens a locked one."""
    alias = await finish_rotation(administration, alias)
    with await data_key(administration, alias, current) as key:
        slot = await new_credential(administration, key, password, ACCOUNT_LABEL)
    await _add_slot(administration, alias, slot, replacing=ACCOUNT_LABEL)


async def remove_password(administration: Administration, actor: Actor, address: str, identifier: str) -> None:
    """Remove a password by its id or name. The last slot of a mailbox is never removed."""
    alias = await finish_rotation(administration, await find_alias(administration, actor, address))
    gone = [slot for slot in alias.slots if identifier in (slot.id, slot.label) and slot.kind != "server"]
    if not gone:
        raise NotFoundError(f"{address} has no password {identifier}")
    kept = tuple(slot for slot in alias.slots if slot not in gone)
    await store_slots(administration, alias, kept)
    await administration.audit(actor, "password.remove", alias.address, slots=[slot.id for slot in gone])


async def add_recovery_code(
    administration: Administration, actor: Actor, address: str, *, current: str | DataKey | None = None
) -> str:
    """Make a recovery code, which replaces the one before; it is shown this once."""
    alias = await finish_rotation(administration, await find_alias(administration, actor, address))
    code = new_recovery_code()
    with await data_key(administration, alias, current) as key:
        slot = wrap(key, "recovery", code.encode(), label="recovery code", now=administration.clock.now())
    await _add_slot(administration, alias, slot, replacing="recovery code")
    await administration.audit(actor, "recovery-code.add", alias.address)
    return code


async def lock_mailbox(administration: Administration, actor: Actor, address: str) -> None:
    """Make a mailbox zero-access: the server's slot goes, only the owner's credentials open it from now on.

    Refused without a recovery code, for then a forgotten password would lose the mail.
    """
    alias = await finish_rotation(administration, await find_alias(administration, actor, address))
    if not alias.mailbox_id:
        raise InvalidError(f"{address} has no mailbox")
    if alias.is_locked:
        raise InvalidError(f"{address} is locked already")
    kinds = {slot.kind for slot in alias.slots}
    if "recovery" not in kinds:
        raise PermanentError(f"Make a recovery code first: mailstead alias recovery-code {address}")
    kept = tuple(slot for slot in alias.slots if slot.kind != "server")
    await store_slots(administration, alias, kept)
    await administration.audit(actor, "mailbox.lock", alias.address)


async def unlock_mailbox(administration: Administration, actor: Actor, address: str, current: str | DataKey) -> None:
    """Give the server its slot back, so that it can index, filter and reset passwords; `current` opens the mailbox.

    Raises AuthenticationError, InvalidError when it is not locked.
    """
    alias = await finish_rotation(administration, await find_alias(administration, actor, address))
    if not alias.is_locked:
        raise InvalidError(f"{address} is not locked")
    with await data_key(administration, alias, current) as key:
        secret, now = administration.directory.server_key, administration.clock.now()
        server = wrap(key, "server", secret, label="server", now=now)
    await store_slots(administration, alias, (server, *alias.slots))
    await administration.audit(actor, "mailbox.unlock", alias.address)
