"""Vacation replies: those of scripts, and those of aliases whose owner is away without one."""

from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from mailstead.formats.message.part import Bounds
from mailstead.foundation.clock import Clock
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.filtering.actions import Vacation
from mailstead.mail.filtering.answering import addressed_as, handle_of, reply_to, why_not_answered
from mailstead.mail.filtering.compose import vacation_message
from mailstead.mail.filtering.message import FilteredMessage
from mailstead.mail.routing.arrival_results import arrival_results
from mailstead.mail.routing.trace_fields import HEADER_LIMIT
from mailstead.stores.directory.records import Alias
from mailstead.stores.scripts.memory import Memory

_DAY = 86400.0
_NEVER = frozenset({"NEVER"})
_IN_MEMORY = 1024 * 1024
log = structlog.get_logger("mailstead.routing")


class Outgoing(Protocol):
    """The outbound queue as replies use it."""

    async def enqueue(self, envelope: Envelope, message: Spool, trace_id: str, *, once: str = "") -> str:
        """Keep a message for delivery, for each `once` once; durable when it returns."""
        ...


class Reply(msgspec.Struct, frozen=True):
    """What an alias's responder decides: a reply, or in plain words why there is none."""

    action: Vacation | None
    words: str


def decide_reply(alias: Alias, recipient: str, sender: str, start: bytes, now: float) -> Reply | None:
    """What the responder of `alias` does about a message that begins with `start`; None when it is not active.

    Takes time linear in the header.
    """
    vacation = alias.vacation
    if vacation is None or not vacation.is_active(now):
        return None
    message = FilteredMessage(start, Bounds())
    own = frozenset({recipient.lower(), alias.address.lower()})
    why_not = why_not_answered(message, sender, own)
    if why_not:
        return Reply(None, f"No vacation reply: {why_not}.")
    addressed = addressed_as(message, own)
    action = reply_to(
        message,
        recipient=sender,
        sender=addressed or recipient,
        subject=vacation.subject,
        reason=vacation.message,
        handle=handle_of(vacation.subject, vacation.message),
        seconds=vacation.days * _DAY,
    )
    return Reply(action, "A vacation reply is due.")


class Responder:
    """Composes replies, for each sender one in the given time."""

    def __init__(self, memory: Memory, clock: Clock, hostname: str, identifier: str) -> None:
        """`identifier` is our name in Authentication-Results."""
        self._memory = memory
        self._clock = clock
        self._hostname = hostname
        self._identifier = identifier

    async def compose(self, owner: str, action: Vacation, start: bytes, delivery_id: str) -> bytes | None:
        """The reply as a message; None when none is due now.

        `owner` is the mailbox or alias that answers. Nobody is answered who may not have written (RFC 3834 §2): that
        would be mail to a stranger. Raises StoreUnavailableError.
        """
        results = arrival_results(start, self._identifier)
        if results is not None and results.is_forged:
            log.info("no vacation reply to a sender who may be forged", sender=action.recipient)
            return None
        key = f"{action.handle} {action.recipient.lower()}"
        if action.seconds and not await self._memory.claim(owner, "vacation", key, action.seconds, delivery_id):
            return None
        now = self._clock.now()
        return vacation_message(action, f"{new_ulid(now)}@{self._hostname}", now)


class AliasResponder:
    """Answers for aliases without a mailbox, as their mail is passed on."""

    def __init__(self, responder: Responder, queue: Outgoing, clock: Clock, folder: Path) -> None:
        """`folder` takes what is too large for memory."""
        self._responder = responder
        self._queue = queue
        self._clock = clock
        self._folder = folder

    async def answer(self, alias: Alias, recipient: str, sender: str, message: Spool, trace_id: str) -> str:
        """Answer `sender` for `alias`; says in plain words what was done, "" when it is not away.

        Raises StoreUnavailableError, OSError.
        """
        start = message.start(HEADER_LIMIT)
        reply = decide_reply(alias, recipient, sender, start, self._clock.now())
        if reply is None or reply.action is None:
            return "" if reply is None else reply.words
        octets = await self._responder.compose(alias.id, reply.action, start, trace_id)
        if octets is None:
            return "No vacation reply: its sender was answered a while ago, or may be forged."
        await self._send(octets, reply.action.recipient, trace_id, f"vacation {trace_id} {recipient}")
        return reply.words

    async def _send(self, octets: bytes, recipient: str, trace_id: str, once: str) -> None:
        with Spool(_IN_MEMORY, self._folder) as spool:
            spool.append(octets)
            await self._queue.enqueue(automatic_envelope((recipient,)), spool, trace_id, once=once)


def automatic_envelope(recipients: tuple[str, ...]) -> Envelope:
    """For what is sent by itself: with the empty sender, and no notices (RFC 3834 §3.3)."""
    return Envelope(
        sender="",
        recipients=tuple(EnvelopeRecipient(address, _NEVER) for address in recipients),
        smtputf8=not all(address.isascii() for address in recipients),
    )
