"""Contacts: found, made, changed, merged, removed."""

import asyncio
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.tree import read_tree
from mailstead.foundation.errors import InvalidError, MailsteadError, NotFoundError
from mailstead.interfaces.calendars.collections import Shown, choose, collections_of
from mailstead.interfaces.contacts.cards import (
    CardForm,
    CardShown,
    duplicates,
    fill,
    form_of,
    list_cards,
    merged,
    new_card,
)
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.pages.mail import opened
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.mail.scheduling.storing import limits_of
from mailstead.stores.mailbox.dav.records import NewObject
from mailstead.stores.mailbox.dav.store import DavStore

_SHOWN = 500
Short = Annotated[str, msgspec.Meta(max_length=500)]
Long = Annotated[str, msgspec.Meta(max_length=50_000)]
Key = Annotated[str, QueryParameter(max_length=60)]
Name = Annotated[str, QueryParameter(max_length=300)]


class CardFields(msgspec.Struct, frozen=True):
    """The form of a contact; `name` is empty for a new one."""

    book: Short = ""
    name: Short = ""
    etag: Short = ""
    first: Short = ""
    last: Short = ""
    nickname: Short = ""
    organization: Short = ""
    emails: Long = ""
    phones: Long = ""
    birthday: Short = ""
    address: Long = ""
    url: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    groups: Annotated[str, msgspec.Meta(max_length=5000)] = ""
    notes: Long = ""

    @property
    def form(self) -> CardForm:
        """What was entered."""
        return CardForm(**{one: getattr(self, one) for one in CardForm.__struct_fields__})


Form = Annotated[CardFields, Body(media_type=RequestEncodingType.URL_ENCODED)]


def _read(dav: DavStore, identifier: int, name: str) -> tuple[bytes, str, str]:
    """Octets, ETag and UID. Raises NotFoundError."""
    row = dav.find(identifier, name)
    octets = None if row is None else dav.read([row.id]).get(row.id)
    if row is None or octets is None:
        raise NotFoundError("There is no such contact")
    return octets, row.etag, row.uid


class ContactPages(Controller):
    """/contacts"""

    path = "/contacts"
    include_in_schema = False

    @get("/")
    async def show(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        q: Annotated[str, QueryParameter(max_length=200)] = "",
        group: Annotated[str, QueryParameter(max_length=200)] = "",
        told: Annotated[str, QueryParameter(max_length=20)] = "",
    ) -> Response[bytes]:
        """All contacts, or those that a search or group has."""
        books, cards = await self._all(services, identity)
        wanted = q.strip().casefold()
        found = [one for one in cards if (not group or group in one.groups) and (not wanted or one.matches(wanted))]
        return render(
            request,
            services,
            "contacts/contacts.html",
            identity=identity,
            cards=found[:_SHOWN],
            total=len(found),
            groups=sorted({one for card in cards for one in card.groups}, key=str.casefold),
            group=group,
            q=q,
            books=books,
            told=told,
        )

    @get("/duplicates")
    async def ask_merge(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Contacts that look like one person."""
        _, cards = await self._all(services, identity)
        found = duplicates(cards)[:100]
        return render(request, services, "contacts/duplicates.html", identity=identity, found=found)

    @post("/merge", status_code=200)
    async def merge(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Make one of several; the first stays with what the others know besides."""
        form = await request.form()
        names = [str(one) for one in form.getall("name", [])]
        book = await self._book(services, identity, str(form.get("book", "")), to_write=True)
        dav, identifier, bounds = book.mailbox.dav, book.record.id, self._bounds(services)
        now = services.api.clock.now()

        def work() -> None:
            found = [_read(dav, identifier, name) for name in dict.fromkeys(names)]
            if len(found) < 2:
                raise InvalidError("There is nothing to be merged")
            octets = merged((one[0] for one in found), bounds)
            dav.put(identifier, NewObject(names[0], found[0][2], "VCARD", octets), now, if_match=found[0][1])
            for name, one in list(zip(dict.fromkeys(names), found, strict=True))[1:]:
                dav.delete(identifier, name, now, if_match=one[1])

        await services.api.mailboxes.run(work)
        return moved("/contacts/duplicates")

    @get("/card")
    async def ask(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        book: Key = "",
        name: Name = "",
    ) -> Response[bytes]:
        """The form of a contact, or of a new one."""
        if not name:
            return await self._form(request, services, identity, CardForm(), CardFields(), None)
        found = await self._book(services, identity, book)
        octets, etag, _ = await services.api.mailboxes.run(_read, found.mailbox.dav, found.record.id, name)
        try:
            form = form_of(read_tree(octets, self._bounds(services)))
        except ContentError as error:
            raise InvalidError(f"This contact cannot be shown: {error}") from None
        fields = CardFields(book=book, name=name, etag=etag)
        return await self._form(request, services, identity, form, fields, found)

    @post("/save", status_code=200)
    async def save(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, data: Form
    ) -> Response[bytes]:
        """Store it."""
        book = await self._book(services, identity, data.book, to_write=True)
        dav, identifier, now = book.mailbox.dav, book.record.id, services.api.clock.now()
        bounds, quota = self._bounds(services), services.api.settings.mailbox.quota

        def work() -> None:
            if not data.name:
                uid, octets = new_card(data.form)
                new = NewObject(f"{uid}.vcf", uid, "VCARD", octets)
                dav.put(identifier, new, now, if_none_match=True, quota=quota)
                return
            octets, etag, uid = _read(dav, identifier, data.name)
            tree = read_tree(octets, bounds)
            fill(tree, data.form)
            new = NewObject(data.name, uid, "VCARD", tree.octets())
            dav.put(identifier, new, now, if_match=data.etag or etag, quota=quota)

        try:
            await services.api.mailboxes.run(work)
        except (InvalidError, ContentError) as error:
            text = error.public_text if isinstance(error, MailsteadError) else str(error)
            return await self._form(request, services, identity, data.form, data, book, problem=text)
        return moved("/contacts/?told=saved")

    @post("/remove", status_code=200)
    async def remove(self, services: WebServices, identity: Identity, data: Form) -> Response[bytes]:
        """Delete it."""
        book = await self._book(services, identity, data.book, to_write=True)
        now = services.api.clock.now()
        await services.api.mailboxes.run(book.mailbox.dav.delete, book.record.id, data.name, now)
        return moved("/contacts/?told=removed")

    @staticmethod
    def _bounds(services: WebServices) -> ContentBounds:
        return limits_of(services.api.settings.dav, 1).content

    async def _books(self, services: WebServices, identity: Identity) -> list[Shown]:
        mailbox = await opened(services, identity)
        return await collections_of(services.api.administration, mailbox, "addressbook")

    async def _book(self, services: WebServices, identity: Identity, key: str, *, to_write: bool = False) -> Shown:
        return choose(await self._books(services, identity), key, to_write=to_write)

    async def _all(self, services: WebServices, identity: Identity) -> tuple[list[Shown], list[CardShown]]:
        books, bounds = await self._books(services, identity), self._bounds(services)
        run = services.api.mailboxes.run
        lists = await asyncio.gather(
            *(run(list_cards, one.mailbox.dav, one.record, one.key, bounds, can_write=one.can_write) for one in books)
        )
        return books, sorted((card for found in lists for card in found), key=lambda one: one.sort_key)

    async def _form(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        form: CardForm,
        fields: CardFields,
        book: Shown | None,
        *,
        problem: str = "",
    ) -> Response[bytes]:
        books = [one for one in await self._books(services, identity) if one.can_write]
        return render(
            request,
            services,
            "contacts/card.html",
            identity=identity,
            form=form,
            fields=fields,
            books=books,
            book=book,
            can_write=book is None or book.can_write,
            problem=problem,
            status=400 if problem else 200,
        )
