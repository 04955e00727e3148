"""The addresses that an account writes as, with the names and signatures that its owner gave them."""

import msgspec

from mailstead.administration.actor import Administration
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.writing import Writer
from mailstead.stores.directory.names import CATCH_ALL, is_pattern
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.mailbox import Mailbox

_SETTING = "web.identities"
NAME_LIMIT, SIGNATURE_LIMIT = 100, 2000


class _Kept(msgspec.Struct, frozen=True):
    name: str = ""
    signature: str = ""


async def own_addresses(administration: Administration, identity: Identity) -> list[str]:
    """The mailbox's own address, then (for the user) the others of the same user."""
    found = [identity.address]
    if identity.is_user:
        aliases = await administration.directory.find(Alias, user_id=identity.actor.user_id)
        found += sorted(
            alias.address
            for alias in aliases
            if alias.enabled and alias.name != CATCH_ALL and not is_pattern(alias.name)
        )
    return list(dict.fromkeys(found))


def writers(mailbox: Mailbox, addresses: list[str]) -> list[Writer]:
    """The addresses with what is kept of them. Runs on a thread."""
    kept = msgspec.convert(mailbox.setting(_SETTING) or {}, dict[str, _Kept])
    return [
        Writer(address, kept[address].name, kept[address].signature) if address in kept else Writer(address)
        for address in addresses
    ]


def keep_writers(mailbox: Mailbox, wanted: list[Writer]) -> None:
    """Keep names and signatures. Runs on a thread."""
    kept = {
        one.address: {"name": " ".join(one.name.split())[:NAME_LIMIT], "signature": one.signature[:SIGNATURE_LIMIT]}
        for one in wanted
    }
    mailbox.set_setting(_SETTING, kept)
