"""Webmail: folders, a window of a list, and a message beside it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import QueryParameter
from litestar.response import Stream

from mailstead.formats.message.section import find_part
from mailstead.foundation.errors import InvalidError
from mailstead.foundation.net.http.handler import DRAINING
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.reading.harmless import Harmless, harmless
from mailstead.interfaces.reading.listing import Listing, MessageRow, as_ranges, listing, message_rows
from mailstead.interfaces.reading.message import MessageShown, part_octets, read_message
from mailstead.interfaces.reading.query import read_query
from mailstead.interfaces.web.headers import LETTER_POLICY
from mailstead.interfaces.web.pages.login import local_path, moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.stores.mailbox.errors import NoSuchFolderError
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import Folder, FolderStatus

_ORDER = ("INBOX", "\\Drafts", "\\Sent", "\\Archive", "\\Junk", "\\Trash")
_SOURCE_LIMIT = 4 * 1024 * 1024
_PING = 25.0
_DIGITS = 10
Query = Annotated[str, QueryParameter(name="q", max_length=500)]
Offset = Annotated[int, QueryParameter(name="offset", ge=0, le=100_000_000)]


class FolderShown(msgspec.Struct, frozen=True):
    """A folder in the list beside the mail; `icon` names a symbol of the sprite."""

    id: int
    name: str
    label: str
    icon: str
    depth: int
    special_use: str
    unseen: int
    messages: int


class Deed(msgspec.Struct, frozen=True):
    """What to do with which messages; `back` is where the browser goes on."""

    action: str
    uid: list[int]
    target: int = 0
    back: str = "/mail/"


_ICONS = {
    "\\Drafts": "drafts",
    "\\Sent": "sent",
    "\\Archive": "archive",
    "\\Junk": "junk",
    "\\Trash": "trash",
}
_FLAGS = {"seen": ("add", Flag.SEEN), "unseen": ("remove", Flag.SEEN), "flag": ("add", Flag.FLAGGED)} | {
    "unflag": ("remove", Flag.FLAGGED)
}
_MOVES = {"archive": "\\Archive", "junk": "\\Junk", "trash": "\\Trash", "inbox": "INBOX"}


def _rank(folder: Folder) -> tuple[int, str]:
    key = "INBOX" if folder.name == "INBOX" else folder.special_use
    return (_ORDER.index(key) if key in _ORDER else len(_ORDER), folder.name.casefold())


def _folders(mailbox: Mailbox) -> list[FolderShown]:
    found = []
    for folder in sorted(mailbox.folders(), key=_rank):
        status: FolderStatus = mailbox.status(folder.id)
        icon = "inbox" if folder.name == "INBOX" else _ICONS.get(folder.special_use, "folder")
        depth = folder.name.count("/")
        found.append(
            FolderShown(
                folder.id,
                folder.name,
                folder.name.rpartition("/")[2],
                icon,
                depth,
                folder.special_use,
                status.unseen,
                status.messages,
            )
        )
    return found


class View(msgspec.Struct, frozen=True):
    """What the mail page shows."""

    folders: list[FolderShown]
    folder: FolderShown
    listing: Listing
    message: MessageShown | None
    letter: Harmless | None


def _view(mailbox: Mailbox, folder_id: int, query: str, offset: int, window: int, uid: int | None) -> View:
    """Everything the page needs, in one go on a thread."""
    folders = _folders(mailbox)
    folder = next((one for one in folders if one.id == folder_id), None)
    if folder is None:
        raise NoSuchFolderError
    message = letter = None
    if uid is not None:
        message = _message(mailbox, folder_id, uid)
        if not message.row.is_seen:
            mailbox.store(folder_id, [(uid, uid)], "add", Flag.SEEN)
        if message.html:
            letter = harmless(message.html, lambda _: None)
    shown = listing(mailbox, folder_id, offset=offset, limit=window, criterion=read_query(query))
    return View(folders, folder, shown, message, letter)


def _message(mailbox: Mailbox, folder_id: int, uid: int) -> MessageShown:
    rows = message_rows(mailbox, folder_id, [uid])
    if not rows:
        raise NotFoundException
    return read_message(mailbox.content(int(rows[0].id[1:])), rows[0])


def _row(mailbox: Mailbox, folder_id: int, uid: int) -> MessageRow:
    rows = message_rows(mailbox, folder_id, [uid])
    if not rows:
        raise NotFoundException
    return rows[0]


class MailPages(Controller):
    """/mail"""

    path = "/mail"
    include_in_schema = False

    @get("/")
    async def inbox(self, services: WebServices, identity: Identity) -> Response[bytes]:
        """The inbox."""
        mailbox = await self._open(services, identity)
        folder = await services.api.mailboxes.run(mailbox.folder, "INBOX")
        return moved(f"/mail/f/{folder.id}")

    @get(["/f/{folder_id:int}", "/f/{folder_id:int}/m/{uid:int}"])
    async def show(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        folder_id: int,
        uid: int | None = None,
        q: Query = "",
        offset: Offset = 0,
    ) -> Response[bytes]:
        """A folder, and a message of it."""
        mailbox = await self._open(services, identity)
        window = services.api.settings.web.list_window
        view = await services.api.mailboxes.run(_view, mailbox, folder_id, q, offset, window, uid)
        usage = await services.api.mailboxes.run(mailbox.usage)
        kept = urlencode({name: value for name, value in (("q", q), ("offset", offset)) if value})
        return render(
            request,
            services,
            "mail/mail.html",
            identity=identity,
            view=view,
            query=q,
            kept=f"?{kept}" if kept else "",
            window=window,
            usage=usage,
            quota=services.api.settings.mailbox.quota,
            modseq=view.folder,
        )

    @post("/f/{folder_id:int}/do", status_code=200)
    async def do(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        folder_id: int,
    ) -> Response[bytes]:
        """Mark, move or delete messages; one transaction."""
        form = await request.form()
        deed = Deed(
            action=str(form.get("action", "")),
            uid=[_number(str(value)) for value in form.getall("uid", [])],
            target=_number(str(form.get("target", "0"))),
            back=str(form.get("back", "")),
        )
        mailbox = await self._open(services, identity)
        await services.api.mailboxes.run(_carry_out, mailbox, folder_id, deed)
        back = local_path(deed.back)
        if request.headers.get("hx-request") == "true":
            return Response(b"", headers={"HX-Location": back})
        return moved(back)

    @get("/f/{folder_id:int}/m/{uid:int}/letter")
    async def letter(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        folder_id: int,
        uid: int,
    ) -> Response[bytes]:
        """The message's HTML for its frame, under a policy of its own."""
        mailbox = await self._open(services, identity)
        message = await services.api.mailboxes.run(_message, mailbox, folder_id, uid)
        inline = {part.content_id.strip("<>"): part.path for part in message.parts if part.content_id}

        def picture(identifier: str) -> str | None:
            path = inline.get(identifier)
            return None if path is None else f"/mail/f/{folder_id}/m/{uid}/part/{path}"

        shown = await services.api.mailboxes.run(harmless, message.html, picture)
        return render(
            request,
            services,
            "mail/letter.html",
            html=shown.html,
            headers={"Content-Security-Policy": LETTER_POLICY},
        )

    @get("/f/{folder_id:int}/m/{uid:int}/part/{section:str}")
    async def part(
        self, services: WebServices, identity: Identity, folder_id: int, uid: int, section: str
    ) -> Response[bytes]:
        """An attachment. Only pictures that cannot hold scripts are shown in place, everything else is saved."""
        mailbox = await self._open(services, identity)
        row = await services.api.mailboxes.run(_row, mailbox, folder_id, uid)
        content = await services.api.mailboxes.run(mailbox.content, int(row.id[1:]))
        index = find_part(content.parts, section)
        if index is None:
            raise NotFoundException
        part = content.parts[index]
        octets = await services.api.mailboxes.run(part_octets, content, part)
        safe = part.type in ("image/png", "image/jpeg", "image/gif", "image/webp")
        name = quote(part.filename or f"part-{section}", safe="")
        disposition = "inline" if safe and part.content_id else "attachment"
        return Response(
            octets,
            media_type=part.type if safe else "application/octet-stream",
            headers={
                "Content-Disposition": f"{disposition}; filename*=UTF-8''{name}",
                "Content-Security-Policy": "default-src 'none'; sandbox",
                "Cache-Control": "private, max-age=3600",
            },
        )

    @get("/f/{folder_id:int}/m/{uid:int}/source")
    async def source(self, services: WebServices, identity: Identity, folder_id: int, uid: int) -> Response[bytes]:
        """The message as it came, to be saved."""
        mailbox = await self._open(services, identity)
        row = await services.api.mailboxes.run(_row, mailbox, folder_id, uid)
        content = await services.api.mailboxes.run(mailbox.content, int(row.id[1:]))
        octets = await services.api.mailboxes.run(content.read)
        return Response(
            octets,
            media_type="message/rfc822",
            headers={"Content-Disposition": f'attachment; filename="{row.id}.eml"'},
        )

    @get("/events")
    async def events(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Stream:
        """Server-sent events: `mail` whenever the mailbox changed."""
        draining: asyncio.Event = request.scope["state"][DRAINING]
        changed = asyncio.Event()
        name = f"mailbox.{identity.mailbox_id}"
        subscription = await services.api.bus.subscribe(name, lambda _, __: changed.set(), on_gap=changed.set)

        async def stream() -> AsyncIterator[bytes]:
            try:
                yield b"retry: 3000\n\n"
                while not draining.is_set():
                    waiting = [asyncio.ensure_future(event.wait()) for event in (changed, draining)]
                    done, late = await asyncio.wait(waiting, timeout=_PING, return_when=asyncio.FIRST_COMPLETED)
                    for task in late:
                        task.cancel()
                    if changed.is_set():
                        changed.clear()
                        yield b"event: mail\ndata: {}\n\n"
                    elif not done:
                        yield b": still here\n\n"
            finally:
                subscription.close()

        return Stream(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    @staticmethod
    async def _open(services: WebServices, identity: Identity) -> Mailbox:
        assert identity.key is not None
        return await services.api.mailboxes.open(identity.mailbox_id, identity.key)


def _number(text: str) -> int:
    """Raises InvalidError when it is no number of a message or folder."""
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
        raise InvalidError("This is no message's number")
    return int(text)


def _carry_out(mailbox: Mailbox, folder_id: int, deed: Deed) -> None:
    """Raises InvalidError for an action that there is not."""
    ranges = as_ranges(sorted(set(deed.uid)))
    if not ranges:
        return
    if deed.action in _FLAGS:
        operation, flag = _FLAGS[deed.action]
        mailbox.store(folder_id, ranges, operation, flag)  # type: ignore[arg-type]
        return
    if deed.action == "erase":
        mailbox.remove(folder_id, [uid for first, last in ranges for uid in range(first, last + 1)])
        return
    if deed.action == "move":
        mailbox.move(folder_id, ranges, mailbox.folder_by_id(deed.target).id)
        return
    wanted = _MOVES.get(deed.action)
    if wanted is None:
        raise InvalidError("This cannot be done with messages")
    for folder in mailbox.folders():
        if wanted in (folder.name, folder.special_use):
            if folder.id != folder_id:
                mailbox.move(folder_id, ranges, folder.id)
            return
    created = mailbox.create_folder(wanted.lstrip("\\"), wanted)
    mailbox.move(folder_id, ranges, created.id)
