"""Sending mail, and what became of it."""

import base64
import binascii
from email.utils import getaddresses
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, get, post

from mailstead.formats.message.compose import Attachment, Composition, compose
from mailstead.foundation.errors import InvalidError, NotFoundError, PermissionDeniedError
from mailstead.foundation.identifiers import new_ulid
from mailstead.interfaces.api.idempotency import HEADER, once
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity

_ENDS = {"delivered": "delivered", "bounced": "bounced", "deferred": "deferred"}
Addresses = str | list[str]


class AttachmentGiven(msgspec.Struct, frozen=True, rename={"content_type": "contentType"}):
    """A file; `content` is base64, or plain text where `encoding` is utf-8. With a `cid` HTML can show it."""

    filename: Annotated[str, msgspec.Meta(max_length=255)]
    content: str
    content_type: Annotated[str, msgspec.Meta(pattern=r"^[\w.+-]+/[\w.+-]+$")] = "application/octet-stream"
    encoding: str = "base64"
    cid: str = ""


class EmailWanted(
    msgspec.Struct,
    frozen=True,
    rename={"sender": "from", "reply_to": "replyTo", "in_reply_to": "inReplyTo", "message_id": "messageId"},
):
    """A message by its fields, or whole in `raw`. Addresses are texts as in a header field, or lists of them."""

    sender: str = ""
    to: Addresses = ""
    cc: Addresses = ""
    bcc: Addresses = ""
    reply_to: Addresses = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    attachments: list[AttachmentGiven] = msgspec.field(default_factory=list)
    in_reply_to: str = ""
    references: Addresses = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    message_id: str = ""
    raw: str = ""


class RecipientShown(msgspec.Struct, frozen=True):
    """What became of one recipient so far."""

    address: str
    status: str
    code: int
    message: str


class EmailShown(msgspec.Struct, frozen=True):
    """A message that was sent; `id` finds its way in the trace."""

    id: str
    message_id: str
    status: str
    recipients: list[RecipientShown]
    object: str = "email"


class StepShown(msgspec.Struct, frozen=True):
    """One thing that happened to a message."""

    at: str
    service: str
    event: str
    text: str


class WayShown(msgspec.Struct, frozen=True):
    """Everything that happened to a message, and where it stands."""

    id: str
    status: str
    steps: list[StepShown]
    object: str = "email"


def _listed(given: Addresses) -> tuple[str, ...]:
    texts = [given] if isinstance(given, str) else given
    return tuple(text.strip() for text in texts if text.strip())


def _content(given: AttachmentGiven) -> bytes:
    """Raises InvalidError."""
    if given.encoding.lower() in ("utf-8", "utf8"):
        return given.content.encode()
    if given.encoding.lower() != "base64":
        raise InvalidError("An attachment's encoding is base64 or utf-8")
    try:
        return base64.b64decode(given.content, validate=True)
    except binascii.Error:
        raise InvalidError(f"The attachment {given.filename[:80]!r} is not base64") from None


class EmailController(Controller):
    """/emails"""

    path = "/emails"
    tags = ("Emails",)

    @post("/", status_code=200, summary="Send a message")
    async def send(
        self, request: Request[Any, Any, Any], data: EmailWanted, identity: Identity, services: ApiServices
    ) -> EmailShown:
        """Durable when it is answered: delivered here, queued for elsewhere. An Idempotency-Key makes it safe to repeat."""
        identity.require("send")
        key = request.headers.get(HEADER, "")
        return await once(
            services, identity, key, await request.body(), EmailShown, lambda: self._send(data, identity, services)
        )

    async def _send(self, data: EmailWanted, identity: Identity, services: ApiServices) -> EmailShown:
        own = identity.address
        sender = data.sender or own
        lists = [_listed(one) for one in (data.to, data.cc, data.bcc)]
        recipients = [address for _, address in getaddresses([text for one in lists for text in one])]
        raw = data.raw.encode() if data.raw else self._composed(data, sender, lists, services)
        (_, author), *_ = getaddresses([sender]) or [("", "")]
        submitted = await services.agent.submit(
            user_id=identity.actor.user_id,
            sender=author or own,
            recipients=recipients,
            message=raw,
            service="api",
        )
        results = [
            RecipientShown(result.address, result.outcome, result.smtp_code, result.text)
            for result in submitted.results
        ]
        accepted = any(result.accepted for result in submitted.results)
        return EmailShown(submitted.trace_id, submitted.message_id, "accepted" if accepted else "rejected", results)

    @staticmethod
    def _composed(data: EmailWanted, sender: str, lists: list[tuple[str, ...]], services: ApiServices) -> bytes:
        now = services.clock.now()
        domain = sender.rpartition("@")[2].strip("> ") or services.hostname
        try:
            return compose(
                Composition(
                    sender=sender,
                    to=lists[0],
                    cc=lists[1],
                    bcc=lists[2],
                    reply_to=_listed(data.reply_to),
                    subject=data.subject,
                    text=data.text,
                    html=data.html,
                    attachments=tuple(
                        Attachment(one.filename, one.content_type, _content(one), one.cid) for one in data.attachments
                    ),
                    in_reply_to=data.in_reply_to.strip("<> "),
                    references=tuple(text.strip("<>") for one in _listed(data.references) for text in one.split()),
                    header=tuple(data.headers.items()),
                    message_id=data.message_id.strip("<> ") or f"{new_ulid(now)}@{domain}",
                    now=now,
                )
            )
        except ValueError as error:
            raise InvalidError(
                "A header field cannot be written: no line breaks, one of each", detail=str(error)
            ) from None

    @get("/{email_id:str}", summary="What became of a message")
    async def show(self, email_id: str, identity: Identity, services: ApiServices) -> WayShown:
        """Every step in plain words; for whoever sent it, and for server admins."""
        await services.trace.flush()
        entries = await services.trace.find(email_id)
        if not entries:
            raise NotFoundError("There is no such message, or its trace has ended")
        if not identity.actor.is_admin and not any(identity.address in entry.keys for entry in entries):
            raise PermissionDeniedError
        status = next((_ENDS[entry.event] for entry in reversed(entries) if entry.event in _ENDS), "queued")
        steps = [StepShown(moment(entry.at), entry.service, entry.event, entry.text) for entry in entries]
        return WayShown(entries[0].trace_id, status, steps)
