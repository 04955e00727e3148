"""Sending mail, and what became of it."""

from collections.abc import Sequence
from email.utils import getaddresses
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, delete, get, post
from litestar.params import QueryParameter

from mailstead.administration.actor import administers, require_domain
from mailstead.administration.aliases import find_domain
from mailstead.administration.sending import list_use, take_back
from mailstead.foundation.errors import NotFoundError
from mailstead.interfaces.api.idempotency import HEADER, once
from mailstead.interfaces.api.moments import moment, parse_moment
from mailstead.interfaces.api.pages import PageLimit, PageNumber, page_of, paged
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.api.standing import RecipientShown, Status, recipients_of, status_of
from mailstead.interfaces.api.writing import EmailWanted, composed, listed, raw_of
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.noting import noted
from mailstead.mail.sending.undo import TooLateError
from mailstead.stores.sent.sent import SentMessage
from mailstead.stores.trace.trace import TraceEntry

_USUAL, _MOST = 10, 50
_LOOKED_AT = 5000


class EnvelopeShown(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """Who wrote to whom, Bcc included."""

    sender: str
    to: list[str]


class EmailShown(msgspec.Struct, frozen=True):
    """A message that was sent; `id` finds its way in the trace, `size` is in octets, `send_at` null for at once."""

    id: str
    message_id: str
    status: Status
    subject: str
    envelope: EnvelopeShown
    recipients: list[RecipientShown]
    accepted: list[str]
    size: int
    created_at: str
    send_at: str | None
    object: str = "email"


class StepShown(msgspec.Struct, frozen=True):
    """One thing that happened to a message."""

    at: str
    service: str
    event: str
    text: str


class WayShown(msgspec.Struct, frozen=True):
    """A message with everything that happened to it."""

    id: str
    message_id: str
    status: Status
    subject: str
    envelope: EnvelopeShown
    recipients: list[RecipientShown]
    accepted: list[str]
    size: int
    created_at: str
    send_at: str | None
    steps: list[StepShown]
    object: str = "email"


class LimitShown(msgspec.Struct, frozen=True):
    """Recipients elsewhere that were written to today, and how many may be; `limit` 0 is none."""

    count: int
    limit: int


def shown(sent: SentMessage, entries: Sequence[TraceEntry]) -> EmailShown:
    """The message as the API tells it."""
    recipients = recipients_of(sent, entries)
    return EmailShown(
        sent.id,
        sent.message_id,
        status_of(recipients),
        sent.subject,
        EnvelopeShown(sent.sender, [one.address for one in recipients]),
        recipients,
        [one.address for one in recipients if one.status == "sent"],
        sent.size,
        moment(sent.created_at),
        moment(sent.send_at) if sent.send_at else None,
    )


def _with_steps(email: EmailShown, entries: Sequence[TraceEntry]) -> WayShown:
    steps = [StepShown(moment(entry.at), entry.service, entry.event, entry.text) for entry in entries]
    return WayShown(**{**msgspec.structs.asdict(email), "steps": steps})


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
        now = services.clock.now()
        sender = data.sender or own
        dated = parse_moment(data.date) if data.date else now
        send_at = parse_moment(data.send_at) if data.send_at else dated
        lists = [*listed(data.to), *listed(data.cc), *listed(data.bcc)]
        recipients = [address for _, address in getaddresses(lists)]
        raw = raw_of(data) if data.raw else composed(data, sender, services.hostname, now, max(dated, send_at))
        (_, author), *_ = getaddresses([sender]) or [("", "")]
        submitted = await services.agent.submit(
            user_id=identity.actor.user_id,
            sender=author or own,
            recipients=recipients,
            message=raw,
            service="api",
            send_at=send_at if send_at > now else 0.0,
        )
        sent = noted(identity, submitted, sender=author or own, subject=data.subject, size=len(raw), now=now)
        await services.sent.add(sent)
        return shown(sent, ())

    @get("/", summary="Messages that were sent")
    async def list_all(
        self,
        request: Request[Any, Any, Any],
        identity: Identity,
        services: ApiServices,
        q: Annotated[str, QueryParameter(max_length=300, description="Part of subject or an address")] = "",
        domain: Annotated[str, QueryParameter(max_length=253, description="Of all senders of a domain")] = "",
        sort: Annotated[str, QueryParameter(pattern="^-?created_at$", description="created_at or -created_at")] = (
            "-created_at"
        ),
        number: PageNumber = 1,
        limit: PageLimit = None,
    ) -> Response[list[EmailShown]]:
        """Your own; of a domain for those who administer it. The 5,000 latest at most are looked at."""
        page = page_of(number, limit, usual=_USUAL, most=_MOST)
        where = await self._whose(domain, identity, services)
        found = await services.sent.list_all(where, words=q, newest=sort.startswith("-"), most=_LOOKED_AT)
        await services.trace.flush()
        window = found[page.offset : page.offset + page.limit]
        items = [shown(one, await services.trace.find(one.id)) for one in window]
        return paged(request, items, len(found), page)

    @staticmethod
    async def _whose(domain: str, identity: Identity, services: ApiServices) -> dict[str, str]:
        if domain:
            if not identity.is_user:
                raise NotFoundError("There is no such domain of yours")
            found = await find_domain(services.administration, domain)
            require_domain(identity.actor, found)
            return {"domain": found.id}
        return {"user_id": identity.actor.user_id} if identity.is_user else {"alias_id": identity.alias_id}

    @get("/limit", summary="How much may be sent today")
    async def limit_of_today(self, identity: Identity, services: ApiServices) -> LimitShown:
        """Of the address that asks; what stays on this server is not counted."""
        use = await list_use(services.administration, identity.actor, address=identity.address)
        own = next((one for one in use if one.kind == "account"), None)
        return LimitShown(0, 0) if own is None else LimitShown(own.sent, own.limit)

    @get("/{email_id:str}", summary="What became of a message")
    async def show(self, email_id: str, identity: Identity, services: ApiServices) -> WayShown:
        """With every step in plain words; for whoever sent it, and for those who administer its domain."""
        sent = await self._own(email_id, identity, services)
        await services.trace.flush()
        entries = await services.trace.find(sent.id)
        return _with_steps(shown(sent, entries), entries)

    @delete("/{email_id:str}", status_code=200, summary="Take a message back")
    async def cancel(self, email_id: str, identity: Identity, services: ApiServices) -> EmailShown:
        """As long as it waits for its time; nobody gets it then. What is on its way is answered 409."""
        identity.require("send")
        sent = await self._own(email_id, identity, services)
        if sent.cancelled_at:
            raise TooLateError("The message was taken back already")
        if not sent.send_at:
            raise TooLateError
        try:
            await take_back(services.administration, identity.actor, services.queue, sent.id)
        except NotFoundError:
            raise TooLateError from None
        await services.sent.cancelled(sent.id)
        return shown(msgspec.structs.replace(sent, cancelled_at=services.clock.now()), ())

    @staticmethod
    async def _own(email_id: str, identity: Identity, services: ApiServices) -> SentMessage:
        """Raises NotFoundError, for others' messages too."""
        sent = await services.sent.get(email_id[:100])
        if sent is not None:
            if sent.user_id == identity.actor.user_id if identity.is_user else sent.alias_id == identity.alias_id:
                return sent
            if identity.is_user:
                domain = await services.administration.directory.domain(sent.domain)
                if domain is not None and administers(identity.actor, domain):
                    return sent
        raise NotFoundError("There is no such message")
