"""Contacts of a mailbox: the same cards that CardDAV serves."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.params import QueryParameter

from mailstead.formats.content_lines.component import Component, ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine, unescape
from mailstead.formats.content_lines.write import escape, text_line
from mailstead.formats.vcard.card import Card, read_card
from mailstead.formats.vcard.convert import write_card
from mailstead.foundation.errors import InvalidError
from mailstead.interfaces.api.access import MAILBOX
from mailstead.interfaces.api.conditions import ETAG, answered, wanted_etag
from mailstead.interfaces.api.dav import (
    found_collection,
    found_object,
    identifier,
    object_name,
)
from mailstead.interfaces.api.mailbox import opened, quota_of
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.pages import PageLimit, PageNumber, page_of, paged
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.mailbox.dav.records import Collection, NewObject, ObjectRow
from mailstead.stores.mailbox.mailbox import Mailbox

BOOK, LETTER = "B", "K"
_USUAL, _MOST = 50, 1000
_ENDING = ".vcf"
_PRODUCT = "-//Mailstead//Mailstead//EN"


class Labelled(msgspec.Struct, frozen=True):
    """An address or number and what it is for (HOME, WORK, CELL)."""

    value: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    type: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9-]{0,40}$")] = ""


class ContactShown(msgspec.Struct, frozen=True):
    """A contact; `content` is the vCard as it is kept, `contact_id` its UID."""

    id: str
    address_book_id: str
    contact_id: str
    full_name: str
    emails: list[Labelled]
    phone_numbers: list[Labelled]
    is_group: bool
    etag: str
    updated_at: str
    content: str
    object: str = "contact"


class ContactGone(msgspec.Struct, frozen=True):
    """A contact that was deleted, and when."""

    id: str
    contact_id: str
    deleted_at: str
    object: str = "contact"


Many = Annotated[list[Labelled], msgspec.Meta(max_length=100)]
FullName = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class ContactWanted(msgspec.Struct, frozen=True):
    """A contact to be kept: a vCard in `content`, or its fields."""

    content: str = ""
    full_name: Annotated[str, msgspec.Meta(max_length=500)] = ""
    emails: Many = msgspec.field(default_factory=list)
    phone_numbers: Many = msgspec.field(default_factory=list)
    address_book_id: str = ""


class ContactChange(msgspec.Struct, frozen=True):
    """A vCard in its place, or fields to change; what else the card says stays."""

    content: str | msgspec.UnsetType = msgspec.UNSET
    full_name: FullName | msgspec.UnsetType = msgspec.UNSET
    emails: Many | msgspec.UnsetType = msgspec.UNSET
    phone_numbers: Many | msgspec.UnsetType = msgspec.UNSET


def _card(data: bytes, services: ApiServices) -> Card:
    settings = services.settings.dav
    bounds = ContentBounds(settings.object_size, settings.object_depth, settings.object_lines)
    try:
        return read_card(data, bounds)
    except ContentError as error:
        raise InvalidError(f"content: {error}") from None


def _octets(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidError("content has characters that have no form in UTF-8") from None


def shown(collection: Collection, row: ObjectRow, data: bytes, services: ApiServices) -> ContactShown:
    """The contact as the API tells it."""
    card = _card(data, services)
    kind = card.component.value("KIND") or card.component.value("X-ADDRESSBOOKSERVER-KIND")
    return ContactShown(
        identifier(LETTER, row.id),
        identifier(BOOK, collection.id),
        card.uid,
        card.name,
        list(_labelled(card.component, "EMAIL")),
        list(_labelled(card.component, "TEL")),
        kind.lower() == "group",
        row.etag,
        moment(row.changed_at),
        data.decode("utf-8", "replace"),
    )


def _labelled(component: Component, name: str) -> Iterator[Labelled]:
    for line in component.all(name):
        value = unescape(line.value).strip().removeprefix("tel:")
        types = [
            one.upper() for one in line.parameter_values("TYPE") if one.upper() not in ("INTERNET", "PREF", "VOICE")
        ]
        if value:
            yield Labelled(value, types[0] if types else "")


def _name(full: str) -> ContentLine:
    """N from a name as it is written: the last word is the family name (RFC 2426 §3.1.2)."""
    words = full.split()
    family, given, middle = (words[-1], words[0], " ".join(words[1:-1])) if len(words) > 1 else ("", full.strip(), "")
    return ContentLine("N", ";".join((*map(escape, (family, given, middle)), "", "")))


def _lines(name: str, values: list[Labelled], usual: str) -> Iterator[ContentLine]:
    for one in values:
        if any(ord(letter) < 32 for letter in one.value):
            raise InvalidError("An address or number is one line")
        yield text_line(name, one.value.strip(), [("TYPE", (one.type or usual).upper())])


def _revision(now: float) -> ContentLine:
    return ContentLine("REV", datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _written(wanted: ContactWanted, now: float) -> bytes:
    """A vCard 3.0 (RFC 2426) of the fields. Raises InvalidError."""
    full = " ".join(wanted.full_name.split()) or (wanted.emails[0].value if wanted.emails else "")
    if not full:
        raise InvalidError("A contact has a full_name, an e-mail address, or a vCard in content")
    card = Component("VCARD")
    card.properties = [
        ContentLine("VERSION", "3.0"),
        ContentLine("PRODID", _PRODUCT),
        ContentLine("UID", str(uuid.uuid4())),
        text_line("FN", full),
        _name(full),
        *_lines("EMAIL", wanted.emails, "INTERNET"),
        *_lines("TEL", wanted.phone_numbers, "VOICE"),
        _revision(now),
    ]
    return write_card(card, {})


def _changed(card: Card, change: ContactChange, now: float) -> bytes:
    """The card with other fields; all other lines stay in their order."""
    kept = [line for line in card.component.properties if line.name != "REV"]
    if change.full_name is not msgspec.UNSET:
        full = " ".join(change.full_name.split())
        kept = [line for line in kept if line.name not in ("FN", "N")] + [text_line("FN", full), _name(full)]
    for name, values, usual in (("EMAIL", change.emails, "INTERNET"), ("TEL", change.phone_numbers, "VOICE")):
        if values is not msgspec.UNSET:
            kept = [line for line in kept if line.name != name] + list(_lines(name, values, usual))
    made = Component("VCARD")
    made.properties = [*kept, _revision(now)]
    return write_card(made, {})


def _matches(contact: ContactShown, wanted: str) -> bool:
    texts = (contact.full_name, *(one.value for one in (*contact.emails, *contact.phone_numbers)))
    return any(wanted in text.casefold() for text in texts)


def _window(
    mailbox: Mailbox, book_id: str, q: str, offset: int, limit: int, services: ApiServices
) -> tuple[list[ContactShown], int]:
    books = (
        [found_collection(mailbox, "addressbook", BOOK, book_id)] if book_id else mailbox.dav.collections("addressbook")
    )
    rows = [(one, row) for one in books for row in mailbox.dav.objects(one.id)]
    wanted = q.strip().casefold()
    if not wanted:
        total = len(rows)
        rows = rows[offset : offset + limit]
    contents = mailbox.dav.read([row.id for _, row in rows])
    items = [shown(one, row, contents[row.id], services) for one, row in rows if row.id in contents]
    if not wanted:
        return items, total
    found = [one for one in items if _matches(one, wanted)]
    return found[offset : offset + limit], len(found)


class ContactController(Controller):
    """/contacts"""

    path = "/contacts"
    tags = ("Contacts",)
    opt = {"access": MAILBOX}

    @get("/", summary="Contacts")
    async def list_all(
        self,
        request: Request[Any, Any, Any],
        identity: Identity,
        services: ApiServices,
        q: Annotated[str, QueryParameter(max_length=200, description="Part of a name, address or number")] = "",
        address_book_id: Annotated[str, QueryParameter(max_length=30, description="Of one address book")] = "",
        number: PageNumber = 1,
        limit: PageLimit = None,
    ) -> Response[list[ContactShown]]:
        """Of all address books of the mailbox."""
        page = page_of(number, limit, usual=_USUAL, most=_MOST)
        mailbox = await opened(services, identity)
        items, total = await services.mailboxes.run(
            _window, mailbox, address_book_id, q, page.offset, page.limit, services
        )
        return paged(request, items, total, page)

    @post("/", status_code=200, summary="Keep a contact", response_headers=[ETAG])
    async def add(self, data: ContactWanted, identity: Identity, services: ApiServices) -> Response[ContactShown]:
        """A vCard is kept as it is."""
        now = services.clock.now()
        octets = _octets(data.content) if data.content else _written(data, now)
        card = _card(octets, services)
        mailbox = await opened(services, identity)
        book = await services.mailboxes.run(found_collection, mailbox, "addressbook", BOOK, data.address_book_id)
        name = object_name(uuid.uuid4().hex, _ENDING)
        new = NewObject(name, card.uid, "VCARD", octets)
        quota = await quota_of(services, identity)
        row, _ = await services.mailboxes.run(mailbox.dav.put, book.id, new, now, if_none_match=True, quota=quota)
        return await self._answer(services, mailbox, identifier(LETTER, row.id))

    @get("/{contact_id:str}", summary="One contact", response_headers=[ETAG])
    async def show(
        self, request: Request[Any, Any, Any], contact_id: str, identity: Identity, services: ApiServices
    ) -> Response[ContactShown]:
        """By its id; 304 when If-None-Match names its ETag."""
        answer = await self._answer(services, await opened(services, identity), contact_id)
        return answered(request, answer.content, answer.content.etag)

    @put("/{contact_id:str}", summary="Change a contact", response_headers=[ETAG])
    async def change(
        self,
        request: Request[Any, Any, Any],
        contact_id: str,
        data: ContactChange,
        identity: Identity,
        services: ApiServices,
    ) -> Response[ContactShown]:
        """412 when If-Match names another ETag than it has: somebody else changed it."""
        mailbox = await opened(services, identity)
        book, row, old = await services.mailboxes.run(found_object, mailbox, "addressbook", LETTER, contact_id)
        now = services.clock.now()
        if data.content is not msgspec.UNSET:
            octets = _octets(data.content)
        else:
            octets = _changed(_card(old, services), data, now)
        new = NewObject(row.name, _card(octets, services).uid, "VCARD", octets)
        etag = wanted_etag(request) or row.etag  # what was read is what is replaced
        quota = await quota_of(services, identity)
        await services.mailboxes.run(mailbox.dav.put, book.id, new, now, if_match=etag, quota=quota)
        return await self._answer(services, mailbox, contact_id)

    @delete("/{contact_id:str}", status_code=200, summary="Delete a contact")
    async def remove(
        self, request: Request[Any, Any, Any], contact_id: str, identity: Identity, services: ApiServices
    ) -> ContactGone:
        """Programs hear of it at their next synchronisation."""
        mailbox = await opened(services, identity)
        book, row, _ = await services.mailboxes.run(found_object, mailbox, "addressbook", LETTER, contact_id)
        now = services.clock.now()
        await services.mailboxes.run(mailbox.dav.delete, book.id, row.name, now, if_match=wanted_etag(request))
        return ContactGone(contact_id, row.uid, moment(now))

    @staticmethod
    async def _answer(services: ApiServices, mailbox: Mailbox, contact_id: str) -> Response[ContactShown]:
        found = await services.mailboxes.run(found_object, mailbox, "addressbook", LETTER, contact_id)
        contact = shown(*found, services)
        return Response(contact, headers={"ETag": contact.etag})
