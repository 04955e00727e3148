"""Lists outside of scripts (RFC 6134): the owner's address books, and who may and may not send to the domain.

    urn:ietf:params:sieve:addrbook:default   the default address book; others go by name
    tag:DOMAIN,2026:allow                    senders whom the domain or the server lets in; so do `deny` ones

Both forms are looked at here and nowhere else; a name that is none of them is no list.
"""

from collections.abc import Iterator
from typing import Literal
from urllib.parse import unquote
from xml.sax.saxutils import unescape

import msgspec

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.message.address import parse_addresses
from mailstead.formats.vcard.card import read_card
from mailstead.foundation.config.sections.dav import DavSettings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.stores.directory.access import narrowest
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.dav.records import Collection
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.mailboxes import Mailboxes

_SHORT, _URN = ":", "urn:ietf:params:sieve:"
_BOOK = _URN + "addrbook:"
_TAG_YEAR = "2026"
_CARDS = 20_000
_ADDRESSES_OF_VALUE = 20
_FOLDS = (b"\r\n ", b"\r\n\t", b"\n ", b"\n\t")
_DISPLAY_NAME = "{DAV:}displayname"


class Book(msgspec.Struct, frozen=True):
    """An address book by its name, "default" in lower case."""

    name: str


class Senders(msgspec.Struct, frozen=True):
    """The senders that a domain allows or denies."""

    domain: str
    verdict: Literal["allow", "deny"]


def parse_list(name: str) -> Book | Senders | None:
    """What a list's name means; None for one that is no list here (RFC 6134 §2.5, §2.6; RFC 4151 §2.1)."""
    if name.startswith(_SHORT):
        name = _URN + name[1:]
    if name[: len(_BOOK)].lower() == _BOOK:
        book = unquote(name[len(_BOOK) :])
        if not book or "?" in name or "/" in book:
            return None
        return Book("default" if book.lower() == "default" else book)
    scheme, _, rest = name.partition(":")
    authority, _, what = rest.partition(":")
    domain, _, date = authority.partition(",")
    if scheme.lower() != "tag" or date != _TAG_YEAR or not domain:
        return None
    match what:
        case "allow" | "deny":
            return Senders(domain.lower(), what)
        case _:
            return None


class ExternalLists:
    """Looks into lists for the scripts of one mailbox at a time."""

    def __init__(self, directory: Directory, mailboxes: Mailboxes, settings: DavSettings) -> None:
        self._directory = directory
        self._mailboxes = mailboxes
        self._bounds = ContentBounds(settings.object_size, settings.object_depth, settings.object_lines)

    async def listed(
        self, names: tuple[str, ...], values: tuple[str, ...], mailbox_id: str, key: DataKey | None, alias: Alias | None
    ) -> str | None:
        """See AskListed and Answers. Address books of a locked mailbox have no member. Raises MailsteadError."""
        lists = [parse_list(name) for name in names]
        found = ""
        for one in lists:
            match one:
                case Book(name):
                    member = await self._in_book(name, values, mailbox_id, key)
                    if member is None:
                        return None
                    found = found or member
                case Senders(domain, verdict):
                    if alias is None or domain != alias.domain.lower():
                        return None
                    found = found or await self._among_senders(domain, verdict, values)
                case None:
                    return None
        return found

    async def members(self, name: str, mailbox_id: str, key: DataKey | None) -> tuple[str, ...] | None:
        """See AskMembers: the first address of each card."""
        wanted = parse_list(name)
        if not isinstance(wanted, Book):
            return None
        if key is None:
            return ()
        mailbox = await self._mailboxes.open(mailbox_id, key)
        return await self._mailboxes.run(self._members, mailbox, wanted.name)

    async def _in_book(self, name: str, values: tuple[str, ...], mailbox_id: str, key: DataKey | None) -> str | None:
        if key is None:
            return ""
        mailbox = await self._mailboxes.open(mailbox_id, key)
        return await self._mailboxes.run(self._member, mailbox, name, values)

    async def _among_senders(self, domain: str, verdict: str, values: tuple[str, ...]) -> str:
        own, server = await self._directory.access(domain), await self._directory.access("")
        for value in values:
            for one in _candidates(value):
                whose = [index.of_sender(one) if "@" in one else index.of_host(one) for index in (own, server)]
                entry = narrowest([*whose, own.of_client(one), server.of_client(one)])
                if entry is not None and entry.verdict == verdict:
                    return one
        return ""

    def _book(self, mailbox: Mailbox, name: str) -> Collection | None:
        """The book of that name, or of that name to its owner; on a thread."""
        books = mailbox.dav.described("addressbook")
        for collection, _ in books:
            if collection.name == name:
                return collection
        for collection, properties in books:
            if _shown(properties.get(_DISPLAY_NAME, b"")) == name:
                return collection
        return books[0][0] if books and name == "default" else None

    def _cards(self, mailbox: Mailbox, book: Collection) -> Iterator[bytes]:
        rows = mailbox.dav.objects(book.id)[:_CARDS]
        for start in range(0, len(rows), 500):
            yield from mailbox.dav.read([row.id for row in rows[start : start + 500]]).values()

    def _member(self, mailbox: Mailbox, name: str, values: tuple[str, ...]) -> str | None:
        book = self._book(mailbox, name)
        if book is None:
            return "" if name == "default" else None
        wanted = {one.casefold() for value in values for one in _candidates(value)}
        if not wanted:
            return ""
        searched = [one.encode("utf-8", "replace") for one in wanted if one.isascii()]
        is_ascii = len(searched) == len(wanted)
        for octets in self._cards(mailbox, book):
            if is_ascii and not _may_have(octets, searched):
                continue
            for email in self._emails(octets):
                if email.casefold() in wanted:
                    return email
        return ""

    def _members(self, mailbox: Mailbox, name: str) -> tuple[str, ...] | None:
        book = self._book(mailbox, name)
        if book is None:
            return () if name == "default" else None
        found = (self._emails(octets)[:1] for octets in self._cards(mailbox, book))
        return tuple(email for emails in found for email in emails)

    def _emails(self, octets: bytes) -> tuple[str, ...]:
        try:
            return read_card(octets, self._bounds).emails
        except ContentError:
            return ()


def _candidates(value: str) -> list[str]:
    """What a value may stand for: itself, and the addresses in it (a whole From field, say)."""
    value = value.strip()
    if "@" not in value:
        return [value] if value else []
    found = parse_addresses(value.encode("utf-8", "replace"), _ADDRESSES_OF_VALUE)
    return [one.specification for one in found if one.group is None and one.local]


def _may_have(octets: bytes, searched: list[bytes]) -> bool:
    """Whether a card may have one of the addresses: a look that costs less than reading it."""
    for fold in _FOLDS:
        octets = octets.replace(fold, b"")
    octets = octets.lower()
    return any(one in octets for one in searched)


def _shown(stored: bytes) -> str:
    """The text of a stored display name."""
    return unescape(stored.partition(b">")[2].rpartition(b"<")[0].decode("utf-8", "replace"))
