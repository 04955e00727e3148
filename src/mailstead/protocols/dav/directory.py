"""The accounts of one's domain as an address book that the server makes: read by everybody in it, changed by nobody.

Switched on by a setting. It is beside a person's own address books, for clients search these and nothing else.
"""

import hashlib
from collections.abc import Sequence

from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.write import text_line, write_line
from mailstead.protocols.dav.access import READER
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.names import d
from mailstead.protocols.dav.resources import CollectionResource, Home
from mailstead.stores.directory.names import is_pattern
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.dav.objects import etag_of
from mailstead.stores.mailbox.dav.records import Collection, CollectionChanges, InvalidTokenError, ObjectRow

NAME = "directory"
_TITLE = b'<displayname xmlns="DAV:">%s</displayname>'


class Accounts:
    """The cards, as a collection's objects are read; the token stands for all that they say."""

    def __init__(self, aliases: Sequence[Alias]) -> None:
        self._rows: list[ObjectRow] = []
        self._octets: dict[int, bytes] = {}
        whole = hashlib.sha256()
        for number, alias in enumerate(sorted(aliases, key=lambda one: one.name), 1):
            octets = _card(alias)
            name = f"{alias.id}.vcf"
            self._rows.append(
                ObjectRow(number, name, alias.id, "VCARD", etag_of(octets), len(octets), int(alias.created_at))
            )
            self._octets[number] = octets
            whole.update(octets)
        self.token = int.from_bytes(whole.digest()[:6], "big")

    @property
    def record(self) -> Collection:
        """The collection."""
        size = sum(row.size for row in self._rows)
        return Collection(0, "addressbook", NAME, (), self.token, size, len(self._rows))

    def objects(self, _: int, __: int | None = None, ___: int | None = None) -> list[ObjectRow]:
        """All of them."""
        return list(self._rows)

    def find(self, _: int, name: str) -> ObjectRow | None:
        """The card of that name."""
        return next((row for row in self._rows if row.name == name), None)

    def find_all(self, _: int, names: Sequence[str]) -> list[ObjectRow]:
        """The cards of these names."""
        wanted = set(names)
        return [row for row in self._rows if row.name in wanted]

    def read(self, identifiers: Sequence[int]) -> dict[int, bytes]:
        """Octets by ids."""
        return {one: self._octets[one] for one in identifiers if one in self._octets}

    def changes(self, _: int, since: int | None, most: int | None = None) -> CollectionChanges:
        """Nothing, or everything: what was said before is not kept. Raises InvalidTokenError."""
        if since is not None and since != self.token:
            raise InvalidTokenError
        rows = [] if since is not None else self._rows[:most]
        return CollectionChanges(rows, [], self.token, since is None and len(rows) < len(self._rows))

    def object_properties(self, _: int) -> dict[int, dict[str, bytes]]:
        """None are set."""
        return {}


def _card(alias: Alias) -> bytes:
    lines = (
        ContentLine("VERSION", "3.0"),
        ContentLine("UID", alias.id),
        text_line("FN", alias.description or alias.address),
        ContentLine("N", f"{text_line('N', alias.description or alias.name).value};;;;"),
        text_line("EMAIL", alias.address, (("TYPE", "INTERNET"),)),
    )
    return b"".join((b"BEGIN:VCARD\r\n", *(write_line(line) for line in lines), b"END:VCARD\r\n"))


async def directory_book(exchange: Exchange, home: Home) -> list[CollectionResource]:
    """The address book of the domain in one's own home, when the setting wants it."""
    own = exchange.account.address
    if exchange.settings.dav.directory == "off" or home.kind.kind != "addressbook" or home.holder.address != own:
        return []
    domain = own.rpartition("@")[2]
    found = await exchange.services.directory.find(Alias, domain=domain, enabled=True)
    accounts = Accounts([one for one in found if one.mailbox_id and not is_pattern(one.name)])
    properties = {d("displayname"): _TITLE % domain.encode()}
    return [CollectionResource(home, NAME, accounts.record, READER, accounts, own, None, 0, properties)]
