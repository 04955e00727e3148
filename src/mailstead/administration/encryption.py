"""The keys that arriving mail is encrypted to, and their publication."""

import ssl

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.aliases import find_alias
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.resolving import Resolving
from mailstead.foundation.errors import InvalidError
from mailstead.foundation.net.reach import Reach
from mailstead.mail.encryption.key import read_key
from mailstead.mail.encryption.wkd import directory_hash, find_key
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import Alias


async def set_encryption(administration: Administration, actor: Actor, address: str, key: bytes | None) -> Alias:
    """Encrypt what arrives in an alias's mailbox to `key` (OpenPGP, or an S/MIME certificate); None: no more.

    Raises UnusableKeyError, InvalidError, UnknownNameError, PermissionDeniedError.
    """
    alias = await find_alias(administration, actor, address)
    if not alias.mailbox_id:
        raise InvalidError(f"{alias.address} has no mailbox: what is passed on is not encrypted")
    encryption = None if key is None else read_key(key, administration.clock.now())
    changed = msgspec.structs.replace(alias, encryption=encryption, updated_at=administration.clock.now())
    stored = await administration.directory.replace(changed)
    fingerprint = "" if encryption is None else encryption.fingerprint
    await administration.audit(actor, "alias.encryption", alias.address, fingerprint=fingerprint)
    return stored


async def find_published_key(resolver: Resolving, settings: Settings, address: str) -> bytes:
    """The key that an address's own domain publishes (see wkd.find_key), to be given to `set_encryption`.

    Raises NotFoundError, TemporaryError, NotPublicError, InvalidAddressError.
    """
    context = ssl.create_default_context()
    if settings.tls.authorities:
        context.load_verify_locations(settings.tls.authorities)
    return await find_key(address, Reach(resolver, settings.webhook.private_networks), context)


async def published_key(directory: Directory, domain: str, digest: str) -> bytes | None:
    """The OpenPGP key for a name of the Web Key Directory of a domain here, None without one.

    Only a key that names the address is published for it.
    """
    for alias in await directory.encrypting_aliases(domain):
        encryption = alias.encryption
        if encryption is None or encryption.kind != "openpgp" or alias.address not in encryption.addresses:
            continue
        if directory_hash(alias.name) == digest:
            return encryption.key
    return None
