"""What belongs to one message: its HTML in a frame, its parts, its source, and pictures from elsewhere."""

import hmac
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from litestar import Controller, Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import QueryParameter

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.message.section import find_part
from mailstead.foundation.errors import InvalidError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.reading.harmless import harmless
from mailstead.interfaces.reading.listing import MessageRow, message_rows
from mailstead.interfaces.reading.message import MessageShown, part_octets, read_message
from mailstead.interfaces.web.headers import LETTER_POLICY
from mailstead.interfaces.web.invitations import find_message
from mailstead.interfaces.web.letters import TRUSTED, read_letter
from mailstead.interfaces.web.outside import PICTURES, picture_proof
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.pages.mail import opened
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.mail.scheduling.storing import Limits, apply_message, limits_of
from mailstead.stores.mailbox.mailbox import Mailbox

_TRUSTED_LIMIT = 1000
_SOURCE_SHOWN = 1024 * 1024
_CLOSED = "default-src 'none'; sandbox"


def _row(mailbox: Mailbox, folder_id: int, uid: int) -> MessageRow:
    rows = message_rows(mailbox, folder_id, [uid])
    if not rows:
        raise NotFoundException
    return rows[0]


def _message(mailbox: Mailbox, folder_id: int, uid: int) -> MessageShown:
    row = _row(mailbox, folder_id, uid)
    return read_message(mailbox.content(int(row.id[1:])), row)


def _trust(mailbox: Mailbox, folder_id: int, uid: int, hostname: str) -> None:
    letter = read_letter(mailbox, folder_id, _row(mailbox, folder_id, uid), hostname, is_open=False)
    if letter.is_authentic:
        address = letter.row.envelope.senders[0].address.lower()
        trusted = [one for one in mailbox.setting(TRUSTED) or [] if one != address]
        mailbox.set_setting(TRUSTED, [*trusted, address][-_TRUSTED_LIMIT:])


def _take_invitation(mailbox: Mailbox, folder_id: int, uid: int, me: str, now: float, limits: Limits) -> None:
    row = _row(mailbox, folder_id, uid)
    content = mailbox.content(int(row.id[1:]))
    found = find_message(content, read_message(content, row).parts)
    if found is None:
        raise NotFoundException
    received, data = found
    try:
        apply_message(mailbox.dav, received, data, frozenset([me]), received.series.organizer, now, limits)
    except ContentError as error:
        raise InvalidError(f"This event cannot be put into the calendar: {error}") from None


class MailPartPages(Controller):
    """/mail/f/FOLDER/m/UID/..."""

    path = "/mail"
    include_in_schema = False

    @post("/f/{folder_id:int}/m/{uid:int}/invitation", status_code=200)
    async def take_invitation(
        self, services: WebServices, identity: Identity, folder_id: int, uid: int
    ) -> Response[bytes]:
        """Put the mail's event into the calendar: its reader says that it is to be believed."""
        mailbox = await opened(services, identity)
        settings = services.api.settings
        limits = limits_of(settings.dav, settings.scheduling.inbox)
        me, now = identity.address.lower(), services.api.clock.now()
        await services.api.mailboxes.run(_take_invitation, mailbox, folder_id, uid, me, now, limits)
        return moved(f"/mail/f/{folder_id}/m/{uid}")

    @get("/f/{folder_id:int}/m/{uid:int}/letter")
    async def letter(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        folder_id: int,
        uid: int,
        pictures: Annotated[str, QueryParameter(max_length=5)] = "",
    ) -> Response[bytes]:
        """The message's HTML for its frame, under a policy of its own; remote pictures come through us when asked."""
        mailbox = await opened(services, identity)
        message = await services.api.mailboxes.run(_message, mailbox, folder_id, uid)
        inline = {part.content_id.strip("<>"): part.path for part in message.parts if part.content_id}
        assert identity.session is not None
        secret = identity.session.csrf

        def picture(identifier: str) -> str | None:
            path = inline.get(identifier)
            return None if path is None else f"/mail/f/{folder_id}/m/{uid}/part/{path}"

        def remote(url: str) -> str:
            return "/mail/picture?" + urlencode({"url": url, "proof": picture_proof(url, secret)})

        shown = await services.api.mailboxes.run(harmless, message.html, picture, remote if pictures else None)
        return render(
            request,
            services,
            "mail/letter.html",
            html=shown.html,
            headers={"Content-Security-Policy": LETTER_POLICY},
        )

    @get("/picture")
    async def picture(
        self,
        services: WebServices,
        identity: Identity,
        url: Annotated[str, QueryParameter(max_length=4000)],
        proof: Annotated[str, QueryParameter(max_length=40)],
    ) -> Response[bytes]:
        """A remote picture of a message that this session reads."""
        assert identity.session is not None
        if not hmac.compare_digest(proof.encode(), picture_proof(url, identity.session.csrf).encode()):
            raise NotFoundException
        found = await services.outside.picture(url)
        return Response(
            found.content,
            media_type=found.type,
            headers={"Content-Security-Policy": _CLOSED, "Cache-Control": "private, max-age=86400"},
        )

    @post("/f/{folder_id:int}/m/{uid:int}/trust", status_code=200)
    async def trust(self, services: WebServices, identity: Identity, folder_id: int, uid: int) -> Response[bytes]:
        """Show this sender's pictures unasked from now on, where the sender's domain is proved."""
        mailbox = await opened(services, identity)
        await services.api.mailboxes.run(_trust, mailbox, folder_id, uid, services.api.hostname)
        return moved(f"/mail/f/{folder_id}/m/{uid}?pictures=yes")

    @get("/f/{folder_id:int}/m/{uid:int}/part/{section:str}")
    async def part(
        self, services: WebServices, identity: Identity, folder_id: int, uid: int, section: str
    ) -> Response[bytes]:
        """An attachment. Only pictures that cannot hold scripts are shown in place, everything else is saved."""
        mailbox = await opened(services, identity)
        row = await services.api.mailboxes.run(_row, mailbox, folder_id, uid)
        content = await services.api.mailboxes.run(mailbox.content, int(row.id[1:]))
        index = find_part(content.parts, section)
        if index is None:
            raise NotFoundException
        part = content.parts[index]
        octets = await services.api.mailboxes.run(part_octets, content, part)
        safe = part.type in PICTURES
        name = quote(part.filename or f"part-{section}", safe="")
        disposition = "inline" if safe and part.content_id else "attachment"
        return Response(
            octets,
            media_type=part.type if safe else "application/octet-stream",
            headers={
                "Content-Disposition": f"{disposition}; filename*=UTF-8''{name}",
                "Content-Security-Policy": _CLOSED,
                "Cache-Control": "private, max-age=3600",
            },
        )

    @get("/f/{folder_id:int}/m/{uid:int}/source")
    async def source(
        self,
        services: WebServices,
        identity: Identity,
        folder_id: int,
        uid: int,
        show: Annotated[str, QueryParameter(max_length=5)] = "",
    ) -> Response[bytes]:
        """The message as it came, to be saved; or its first megabyte as plain text to be looked at."""
        mailbox = await opened(services, identity)
        row = await services.api.mailboxes.run(_row, mailbox, folder_id, uid)
        content = await services.api.mailboxes.run(mailbox.content, int(row.id[1:]))
        if show:
            octets = await services.api.mailboxes.run(content.read, 0, min(row.size, _SOURCE_SHOWN))
            headers = {"Content-Security-Policy": _CLOSED, "Content-Disposition": "inline"}
            return Response(octets, media_type="text/plain; charset=utf-8", headers=headers)
        octets = await services.api.mailboxes.run(content.read)
        return Response(
            octets,
            media_type="message/rfc822",
            headers={"Content-Disposition": f'attachment; filename="{row.id}.eml"'},
        )
