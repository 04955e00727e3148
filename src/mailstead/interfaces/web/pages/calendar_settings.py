"""Calendars and address books themselves: made, named, coloured, shared, subscribed to, brought in and taken out."""

import secrets
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter

from mailstead.administration.calendars import CollectionKind, export_file, import_file
from mailstead.administration.sharing import (
    ShareShown,
    make_link,
    remove_links,
    share_collection,
    subscribe,
    unshare_collection,
)
from mailstead.foundation.errors import InvalidError, MailsteadError
from mailstead.interfaces.calendars.collections import COLOR, HUES, NAME, Shown, choose, collections_of
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.pages.mail import opened
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.stores.sharing.links import CalendarLinks
from mailstead.stores.sharing.shares import Shares
from mailstead.stores.sharing.subscriptions import Subscriptions

Short = Annotated[str, msgspec.Meta(max_length=300)]
_KINDS: dict[str, CollectionKind] = {"calendar": "calendar", "addressbook": "addressbook"}


class CollectionFields(msgspec.Struct, frozen=True):
    """Any form of these pages; what it does not have is empty."""

    kind: Short = "calendar"
    key: Short = ""
    title: Short = ""
    hue: Short = ""
    sharee: Short = ""
    rights: Short = "read"
    url: Annotated[str, msgspec.Meta(max_length=2048)] = ""

    @property
    def collection_kind(self) -> CollectionKind:
        """Raises InvalidError."""
        return kind_named(self.kind)


Form = Annotated[CollectionFields, Body(media_type=RequestEncodingType.URL_ENCODED)]


def kind_named(text: str) -> CollectionKind:
    """The kind of that name. Raises InvalidError."""
    found = _KINDS.get(text)
    if found is None:
        raise InvalidError("There is no such kind of collection")
    return found


def text_element(name: str, text: str) -> bytes:
    """A property's element as it is stored."""
    namespace, _, local = name[1:].partition("}")
    plain = "".join(one for one in text if one.isprintable())
    escaped = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f'<X:{local} xmlns:X="{namespace}">{escaped}</X:{local}>'.encode()


def _color(hue: str) -> str:
    return HUES[int(hue)] if hue.isascii() and hue.isdigit() and int(hue) < len(HUES) else ""


class CalendarSettingsPages(Controller):
    """/calendar/settings"""

    path = "/calendar/settings"
    include_in_schema = False

    @get("/")
    async def show(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        kind: Annotated[str, QueryParameter(max_length=20)] = "calendar",
        told: Annotated[str, QueryParameter(max_length=20)] = "",
    ) -> Response[bytes]:
        """All of a kind, with whom they are shared."""
        return await self._page(request, services, identity, kind_named(kind), told=told)

    async def _page(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        kind: CollectionKind,
        *,
        told: str = "",
        problem: str = "",
        link: str = "",
    ) -> Response[bytes]:
        administration = services.api.administration
        mailbox = await opened(services, identity)
        found = await collections_of(administration, mailbox, kind)
        shares: list[ShareShown] = []
        for share in await Shares(administration.documents, administration.clock).of_owner(mailbox.id):
            sharee = await administration.directory.alias_of_mailbox(share.sharee)
            if sharee is not None:
                shares.append(ShareShown("", share.kind, "", sharee.address, share.rights, share.collection_id))
        links = await CalendarLinks(administration.documents, administration.clock).of_owner(mailbox.id)
        return render(
            request,
            services,
            "calendar/settings.html",
            identity=identity,
            kind=kind,
            collections=found,
            shares=shares,
            linked={one.collection_id for one in links},
            hues=range(len(HUES)),
            told=told,
            problem=problem,
            link=link,
            status=400 if problem else 200,
        )

    async def _chosen(self, services: WebServices, identity: Identity, data: CollectionFields) -> Shown:
        """The collection of a form, which is one's own. Raises NotFoundError, InvalidError."""
        mailbox = await opened(services, identity)
        found = choose(await collections_of(services.api.administration, mailbox, data.collection_kind), data.key)
        if found.owner:
            raise InvalidError("This is another's")
        return found

    @post("/add", status_code=200)
    async def add(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, data: Form
    ) -> Response[bytes]:
        """Make one, empty or filled from elsewhere."""
        kind, administration = data.collection_kind, services.api.administration
        title = " ".join(data.title.split())
        name = secrets.token_hex(8)
        try:
            if not title:
                raise InvalidError("A name is needed")
            mailbox = await opened(services, identity)
            properties = {NAME: text_element(NAME, title)}
            color = _color(data.hue)
            if color:
                properties[COLOR] = text_element(COLOR, color)
            if data.url and kind == "calendar":
                made = await subscribe(administration, identity.actor, identity.address, name, data.url)
                await services.api.mailboxes.run(mailbox.dav.set_properties, made.collection_id, properties)
            else:
                components = ("VEVENT",) if kind == "calendar" else ()
                await services.api.mailboxes.run(mailbox.dav.create, kind, name, components, properties)
        except MailsteadError as error:
            return await self._page(request, services, identity, kind, problem=error.public_text)
        return moved(f"/calendar/settings/?kind={kind}&told=saved")

    @post("/change", status_code=200)
    async def change(self, services: WebServices, identity: Identity, data: Form) -> Response[bytes]:
        """Name and colour."""
        found = await self._chosen(services, identity, data)
        title, color = " ".join(data.title.split()), _color(data.hue)
        changes: dict[str, bytes | None] = {}
        if title:
            changes[NAME] = text_element(NAME, title)
        if color:
            changes[COLOR] = text_element(COLOR, color)
        await services.api.mailboxes.run(found.mailbox.dav.set_properties, found.record.id, changes)
        return moved(f"/calendar/settings/?kind={data.kind}&told=saved")

    @post("/remove", status_code=200)
    async def remove(self, services: WebServices, identity: Identity, data: Form) -> Response[bytes]:
        """Delete one with all that is in it; of another's, end the share."""
        administration = services.api.administration
        mailbox = await opened(services, identity)
        found = choose(await collections_of(administration, mailbox, data.collection_kind), data.key)
        if found.owner:
            shares = Shares(administration.documents, administration.clock)
            await shares.take_back(found.mailbox.id, found.record.id, mailbox.id)
        else:
            await services.api.mailboxes.run(mailbox.dav.delete_collection, found.record.id)
            await Subscriptions(administration.documents, administration.clock).remove(mailbox.id, found.record.id)
        return moved(f"/calendar/settings/?kind={data.kind}&told=removed")

    @post("/share", status_code=200)
    async def share(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, data: Form
    ) -> Response[bytes]:
        """Show it to another account, or change what that one may do."""
        found = await self._chosen(services, identity, data)
        rights = "write" if data.rights == "write" else "read"
        try:
            await share_collection(
                services.api.administration,
                identity.actor,
                identity.address,
                data.collection_kind,
                found.record.name,
                data.sharee.strip(),
                "write" if rights == "write" else "read",
            )
        except MailsteadError as error:
            return await self._page(request, services, identity, data.collection_kind, problem=error.public_text)
        return moved(f"/calendar/settings/?kind={data.kind}&told=shared")

    @post("/unshare", status_code=200)
    async def unshare(self, services: WebServices, identity: Identity, data: Form) -> Response[bytes]:
        """Take it back."""
        found = await self._chosen(services, identity, data)
        await unshare_collection(
            services.api.administration,
            identity.actor,
            identity.address,
            data.collection_kind,
            found.record.name,
            data.sharee,
        )
        return moved(f"/calendar/settings/?kind={data.kind}&told=unshared")

    @post("/link", status_code=200)
    async def link(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, data: Form
    ) -> Response[bytes]:
        """Make a link; the page that answers shows it this once."""
        found = await self._chosen(services, identity, data)
        try:
            _, secret = await make_link(
                services.api.administration, identity.actor, identity.address, found.record.name
            )
        except MailsteadError as error:
            return await self._page(request, services, identity, "calendar", problem=error.public_text)
        url = f"{request.url.scheme}://{request.headers.get('host', services.api.hostname)}/dav/public/{secret}.ics"
        return await self._page(request, services, identity, "calendar", link=url)

    @post("/unlink", status_code=200)
    async def unlink(self, services: WebServices, identity: Identity, data: Form) -> Response[bytes]:
        """End all links to it."""
        found = await self._chosen(services, identity, data)
        await remove_links(services.api.administration, identity.actor, identity.address, found.record.name)
        return moved("/calendar/settings/?told=unlinked")

    @post("/import", status_code=200)
    async def bring_in(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
    ) -> Response[bytes]:
        """A file of events or cards into one's own."""
        form = await request.form()
        kind, file = kind_named(str(form.get("kind", ""))), form.get("file")
        found = await self._chosen(services, identity, CollectionFields(kind=kind, key=str(form.get("key", ""))))
        if not isinstance(file, UploadFile):
            raise InvalidError("A file is needed")
        try:
            data = await file.read()
            done = await import_file(
                services.api.administration,
                identity.actor,
                identity.address,
                kind,
                found.record.name,
                data,
                identity.key,
            )
        except MailsteadError as error:
            return await self._page(request, services, identity, kind, problem=error.public_text)
        told = "imported" if done.added or done.changed or done.unchanged else "nothing"
        return moved(f"/calendar/settings/?kind={kind}&told={told}")

    @get("/export")
    async def take_out(
        self,
        services: WebServices,
        identity: Identity,
        key: Annotated[str, QueryParameter(max_length=60)],
        kind: Annotated[str, QueryParameter(max_length=20)] = "calendar",
    ) -> Response[bytes]:
        """One as a file."""
        chosen = await self._chosen(services, identity, CollectionFields(kind=kind, key=key))
        wanted = kind_named(kind)
        data = await export_file(
            services.api.administration, identity.actor, identity.address, wanted, [chosen.record.name], identity.key
        )
        suffix, media = ("ics", "text/calendar") if wanted == "calendar" else ("vcf", "text/vcard")
        headers = {"Content-Disposition": f'attachment; filename="{wanted}.{suffix}"'}
        return Response(data, media_type=f"{media}; charset=utf-8", headers=headers)
