"""Disaster recovery: an alias's slots from the keyring beside its mailbox, when the directory lost them."""

import msgspec

from mailstead.administration.actor import Actor, Administration, require_admin
from mailstead.administration.aliases import find_domain
from mailstead.administration.slots import keep_keyring
from mailstead.foundation.errors import NotFoundError, PermanentError
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.directory.keyring import Keyring, decode_keyring
from mailstead.stores.directory.names import split_address
from mailstead.stores.directory.records import Alias, User


def _keyring(administration: Administration, address: str, mailbox_id: str | None) -> Keyring:
    found: list[Keyring] = []
    for path in administration.mailboxes.keyrings():
        try:
            keyring = decode_keyring(path.read_bytes())
        except msgspec.DecodeError as error:
            if path.parent.name == mailbox_id:
                raise PermanentError(f"{path} is damaged: {error}") from error
            continue
        if keyring.address == address and mailbox_id in (None, keyring.mailbox_id):
            found.append(keyring)
    if not found:
        raise NotFoundError(f"No keyring of {address} lies beside any mailbox")
    if len(found) > 1:
        names = ", ".join(keyring.mailbox_id for keyring in found)
        raise PermanentError(f"{address} had several mailboxes, name one by --mailbox: {names}")
    return found[0]


async def recover_mailbox(
    administration: Administration, actor: Actor, address: str, *, mailbox_id: str | None = None, force: bool = False
) -> Alias:
    """Give an alias the slots of its mailbox's keyring; the alias is made when it is gone, its domain must be here.

    An alias that has slots keeps them unless `force` is given. Raises NotFoundError, PermanentError,
    PermissionDeniedError, OSError.
    """
    require_admin(actor)
    local, domain_text = split_address(address)
    domain = await find_domain(administration, domain_text)
    keyring = _keyring(administration, f"{local}@{domain.id}", mailbox_id)
    existing = await administration.directory.find(Alias, domain=domain.id, name=local)
    if existing:
        alias = existing[0]
        if alias.slots and not force:
            raise PermanentError(f"{address} has its keys in the directory; --force puts the keyring's in their place")
        alias = await administration.directory.replace(
            msgspec.structs.replace(
                alias, mailbox_id=keyring.mailbox_id, slots=keyring.slots, public_key=keyring.public_key
            )
        )
    else:
        owner = await administration.directory.find(User, address=f"{local}@{domain.id}")
        now = administration.clock.now()
        alias = Alias(
            id=new_ulid(now),
            domain=domain.id,
            name=local,
            user_id=owner[0].id if owner else domain.owner_id,
            mailbox_id=keyring.mailbox_id,
            quota=keyring.quota,
            public_key=keyring.public_key,
            slots=keyring.slots,
            created_at=now,
            version=1,
        )
        await administration.directory.add(alias)
    await keep_keyring(administration, alias)
    await administration.audit(actor, "mailbox.recover", alias.address, mailbox=keyring.mailbox_id)
    return alias
