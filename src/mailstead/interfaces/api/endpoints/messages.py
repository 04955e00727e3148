"""Messages of a mailbox."""

import re
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.params import QueryParameter

from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.interfaces.api.access import MAILBOX
from mailstead.interfaces.api.conditions import ETAG, answered, wanted_etag
from mailstead.interfaces.api.endpoints.message_filters import Filters, criterion_of
from mailstead.interfaces.api.mailbox import opened, places, quota_of
from mailstead.interfaces.api.message_shown import MessageShown, shown
from mailstead.interfaces.api.moments import parse_moment
from mailstead.interfaces.api.octets import octets_response
from mailstead.interfaces.api.pages import PageLimit, PageNumber, page_of, paged
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.reading.listing import listing, message_rows
from mailstead.interfaces.reading.message import read_message
from mailstead.stores.mailbox.dav.records import PreconditionFailedError
from mailstead.stores.mailbox.flags import BY_NAME, KEYWORDS_LIMIT, NAMES, keyword_text
from mailstead.stores.mailbox.folders import INBOX
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage, Operation

_USUAL, _MOST = 50, 200
_RAW_MOST = 10 * 1024 * 1024
_KEYWORD = re.compile(r"[A-Za-z0-9!#$&',\-./:;<=>?@^_`|~\[]{1,100}")
Names = Annotated[list[str], msgspec.Meta(max_length=KEYWORDS_LIMIT)]


class MessageChange(msgspec.Struct, frozen=True):
    """`flags` and `labels` replace; the lists with add and remove change what is there; `folder` moves."""

    flags: Names | None = None
    flags_add: Names = msgspec.field(default_factory=list)
    flags_remove: Names = msgspec.field(default_factory=list)
    labels: Names | None = None
    labels_add: Names = msgspec.field(default_factory=list)
    labels_remove: Names = msgspec.field(default_factory=list)
    folder: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class MessageWanted(msgspec.Struct, frozen=True):
    """A whole message to be put into a folder; `raw` is kept octet for octet (as UTF-8)."""

    raw: Annotated[str, msgspec.Meta(min_length=1)]
    folder: Annotated[str, msgspec.Meta(max_length=1000)] = "INBOX"
    flags: Names = msgspec.field(default_factory=list)
    labels: Names = msgspec.field(default_factory=list)
    date: str | None = None


def _flags(names: list[str]) -> int:
    """Raises InvalidError for what is no system flag."""
    bits = 0
    for name in names:
        flag = BY_NAME.get(name.lower())
        if flag is None:
            raise InvalidError(f"{name[:40]!r} is no flag: use {', '.join(NAMES.values())}; others are labels")
        bits |= flag
    return bits


def _labels(names: list[str]) -> tuple[str, ...]:
    """Raises InvalidError for what cannot be an IMAP keyword (RFC 9051 §2.3.2)."""
    for name in names:
        if not _KEYWORD.fullmatch(name):
            raise InvalidError(f"{name[:40]!r} cannot be a label")
    return tuple(names)


def _window(
    mailbox: Mailbox, place: tuple[str, bool | None], filters: Filters, offset: int, limit: int
) -> tuple[list[MessageShown], int]:
    name, is_junk = place
    if is_junk and not name:
        name = next((one.name for one in mailbox.folders() if one.special_use == "\\Junk"), "")
    folder = mailbox.folder(name or INBOX)
    if is_junk not in (None, folder.special_use == "\\Junk"):
        return [], 0
    found = listing(mailbox, folder.id, offset=offset, limit=limit, criterion=criterion_of(filters))
    return [shown(folder.object_id, folder.name, row) for row in found.rows], found.total


def _one(mailbox: Mailbox, message_id: str) -> MessageShown:
    folder_id, uid = places(mailbox, message_id)[0]
    folder = mailbox.folder_by_id(folder_id)
    rows = message_rows(mailbox, folder_id, [uid])
    if not rows:
        raise NotFoundError("There is no such message")
    message = read_message(mailbox.content(int(message_id[1:])), rows[0])
    return msgspec.structs.replace(
        shown(folder.object_id, folder.name, rows[0]),
        text=message.text,
        html=message.html,
        header=list(message.header),
        attachments=list(message.attachments),
    )


def etag_of(message: MessageShown) -> str:
    """The ETag of a message's state: its flags, its labels and where it is; its octets never change."""
    return f'"{message.id}-{message.modify_index}"'


def _check(message: MessageShown, wanted: str | None) -> None:
    """Raises PreconditionFailedError when the message is not in the state that the change is for."""
    if wanted not in (None, etag_of(message)):
        raise PreconditionFailedError("The message changed meanwhile")


def _change(mailbox: Mailbox, message_id: str, change: MessageChange, etag: str | None) -> MessageShown:
    steps: list[tuple[Operation, int, tuple[str, ...]]] = []
    folder_id, uid = places(mailbox, message_id)[0]
    rows = message_rows(mailbox, folder_id, [uid])
    if not rows:
        raise NotFoundError("There is no such message")
    current = shown("", "", rows[0])
    _check(current, etag)
    unchanged_since = current.modify_index if etag else None
    if change.flags is not None or change.labels is not None:
        flags = _flags(change.flags if change.flags is not None else current.flags)
        labels = _labels(change.labels if change.labels is not None else current.labels)
        steps.append(("replace", flags, labels))
    steps.append(("add", _flags(change.flags_add), _labels(change.labels_add)))
    steps.append(("remove", _flags(change.flags_remove), _labels(change.labels_remove)))
    target = None if change.folder is None else mailbox.folder(change.folder)
    for operation, bits, keywords in steps:
        if operation == "replace" or bits or keywords:
            stored = mailbox.store(folder_id, [(uid, uid)], operation, bits, keywords, unchanged_since)
            if stored.modified:
                raise PreconditionFailedError("The message changed meanwhile")
            unchanged_since = None
    if target is not None and target.id != folder_id:
        mailbox.move(folder_id, [(uid, uid)], target.id)
    return _one(mailbox, message_id)


def _remove(mailbox: Mailbox, message_id: str, permanent: bool, etag: str | None) -> MessageShown:
    gone = _one(mailbox, message_id)
    _check(gone, etag)
    trash = next((folder for folder in mailbox.folders() if folder.special_use == "\\Trash"), None)
    for folder_id, uid in places(mailbox, message_id):
        if permanent or trash is None or folder_id == trash.id:
            mailbox.remove(folder_id, [uid])
        else:
            mailbox.move(folder_id, [(uid, uid)], trash.id)
    return gone


def _add(mailbox: Mailbox, wanted: MessageWanted, now: float, quota: int) -> MessageShown:
    folder = mailbox.folder(wanted.folder)
    at = int(now if wanted.date is None else parse_moment(wanted.date))
    message = NewMessage(wanted.raw.encode(), _flags(wanted.flags), keyword_text(_labels(wanted.labels)), at)
    (appended,) = mailbox.append(folder.id, [message], quota)
    return _one(mailbox, appended.object_id)


class MessageController(Controller):
    """/messages"""

    path = "/messages"
    tags = ("Messages",)
    opt = {"access": MAILBOX}

    @get("/", summary="Messages of a folder")
    async def list_all(
        self,
        request: Request[Any, Any, Any],
        identity: Identity,
        services: ApiServices,
        folder: Annotated[str, QueryParameter(description="INBOX, or that of junk with `is_junk`")] = "",
        q: str = "",
        search: str = "",
        subject: str = "",
        in_body: Annotated[str, QueryParameter(name="body", description="Part of the text")] = "",
        text: str = "",
        sender: Annotated[str, QueryParameter(name="from", description="Part of the sender")] = "",
        recipient: Annotated[str, QueryParameter(name="to", description="Part of a recipient")] = "",
        in_header: Annotated[
            str, QueryParameter(name="headers", description="A field's name, a colon, and a part of its text")
        ] = "",
        message_id: str = "",
        since: str = "",
        before: str = "",
        min_size: Annotated[int | None, QueryParameter(ge=0)] = None,
        max_size: Annotated[int | None, QueryParameter(ge=0)] = None,
        is_unread: bool | None = None,
        is_flagged: bool | None = None,
        is_deleted: bool | None = None,
        is_draft: bool | None = None,
        is_junk: Annotated[bool | None, QueryParameter(description="In the folder of junk, or in another")] = None,
        has_attachment: bool | None = None,
        number: PageNumber = 1,
        limit: PageLimit = None,
    ) -> Response[list[MessageShown]]:
        """Newest first. `q` takes operators: from:anna is:unread has:attachment before:2026-01-31 larger:2m."""
        filters = Filters(
            q=q,
            search=search,
            subject=subject,
            body=in_body,
            text=text,
            sender=sender,
            recipient=recipient,
            headers=in_header,
            message_id=message_id,
            since=since,
            before=before,
            min_size=min_size,
            max_size=max_size,
            is_unread=is_unread,
            is_flagged=is_flagged,
            is_deleted=is_deleted,
            is_draft=is_draft,
            has_attachment=has_attachment,
        )
        page = page_of(number, limit, usual=_USUAL, most=_MOST)
        mailbox = await opened(services, identity)
        asked = (mailbox, (folder, is_junk), filters, page.offset, page.limit)
        if criterion_of(filters) is None:
            items, total = await services.mailboxes.run_short(mailbox, _window, *asked)
        else:
            items, total = await services.mailboxes.run(_window, *asked)
        return paged(request, items, total, page)

    @post("/", status_code=200, summary="Put a message into a folder")
    async def add(self, data: MessageWanted, identity: Identity, services: ApiServices) -> MessageShown:
        """It is kept as it is; sending is POST /emails."""
        mailbox = await opened(services, identity)
        quota = await quota_of(services, identity)
        return await services.mailboxes.run(_add, mailbox, data, services.clock.now(), quota)

    @get("/{message_id:str}", summary="One message", response_headers=[ETAG])
    async def show(
        self,
        request: Request[Any, Any, Any],
        message_id: str,
        identity: Identity,
        services: ApiServices,
        raw: Annotated[bool, QueryParameter(description="With the whole message as text")] = False,
        eml: Annotated[bool, QueryParameter(description="The same")] = False,
        attachments: Annotated[bool, QueryParameter(description="With the list of attachments")] = True,
        nodemailer: Annotated[bool, QueryParameter(description="With text, HTML and header")] = True,
    ) -> Response[MessageShown]:
        """With its text, its header and the list of its attachments; reading it changes nothing. 304 when If-None-Match
        names its ETag, which changes with its flags, labels and folder.
        """
        mailbox = await opened(services, identity)
        found = await services.mailboxes.run_short(mailbox, _one, mailbox, message_id)
        if not attachments:
            found = msgspec.structs.replace(found, attachments=[])
        if not nodemailer:
            found = msgspec.structs.replace(found, text="", html="", header=[])
        if raw or eml:
            if found.size > _RAW_MOST:
                raise InvalidError(f"A message of more than {_RAW_MOST} octets is read at …/raw")
            octets = await services.mailboxes.run(lambda: mailbox.content(int(message_id[1:])).read())
            found = msgspec.structs.replace(found, raw=octets.decode("utf-8", "replace"))
        return answered(request, found, etag_of(found))

    @get("/{message_id:str}/raw", summary="One message as it came", media_type="message/rfc822")
    async def raw(
        self, request: Request[Any, Any, Any], message_id: str, identity: Identity, services: ApiServices
    ) -> Response[bytes]:
        """Octet for octet, or one Range of it; with an ETag that never changes (RFC 9110 §8.8.3, §14.2)."""
        mailbox = await opened(services, identity)
        await services.mailboxes.run(places, mailbox, message_id)
        content = await services.mailboxes.run(mailbox.content, int(message_id[1:]))
        return octets_response(
            request, services.mailboxes, content, "message/rfc822", f'"{identity.mailbox_id}-{message_id}"'
        )

    @put("/{message_id:str}", summary="Mark or move a message", response_headers=[ETAG])
    async def change(
        self,
        request: Request[Any, Any, Any],
        message_id: str,
        data: MessageChange,
        identity: Identity,
        services: ApiServices,
    ) -> Response[MessageShown]:
        """IMAP sessions see it at once. 412 when If-Match names another ETag than it has: somebody else changed it."""
        mailbox, etag = await opened(services, identity), wanted_etag(request)
        found = await services.mailboxes.run(_change, mailbox, message_id, data, etag)
        return answered(request, found, etag_of(found))

    @delete("/{message_id:str}", status_code=200, summary="Delete a message")
    async def remove(
        self,
        request: Request[Any, Any, Any],
        message_id: str,
        identity: Identity,
        services: ApiServices,
        permanent: bool = False,
    ) -> MessageShown:
        """Into the Trash; out of it, or with `permanent`, for good: undelete brings it back for some days. If-Match holds
        here, too.
        """
        mailbox, etag = await opened(services, identity), wanted_etag(request)
        return await services.mailboxes.run(_remove, mailbox, message_id, permanent, etag)
