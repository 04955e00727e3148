"""The filter script of a mailbox at final delivery: what it decides is carried out here, each effect once.

Every effect has a name made of the delivery's id, under which the queue, the mailbox and the memory take it once: a
delivery that was cut off is tried again as a whole, and what was done stays as it is.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import msgspec

import mailstead
from mailstead.formats.message.compose import text_message
from mailstead.formats.message.header import header_end
from mailstead.formats.message.part import Bounds
from mailstead.formats.sieve.program import Include, Program
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.filtering.actions import (
    AskFolders,
    AskListed,
    AskMembers,
    AskScript,
    AskSeen,
    Copy,
    Edited,
    Filing,
    Notify,
    Outcome,
    Question,
    Redirect,
    Reject,
    Vacation,
)
from mailstead.mail.filtering.compose import notify_message
from mailstead.mail.filtering.environment import Answers, Environment
from mailstead.mail.filtering.interpreter import run_script
from mailstead.mail.routing.external_lists import ExternalLists
from mailstead.mail.routing.forwarding import Forwarding
from mailstead.mail.routing.trace_fields import HEADER_LIMIT, delivered_to, received_count
from mailstead.mail.routing.vacation import Outgoing, Responder, automatic_envelope, decide_reply
from mailstead.mail.screening.verdict import Verdict, spam_score
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.folders import INBOX
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.mailbox.pace import Pace
from mailstead.stores.scripts.memory import Memory
from mailstead.stores.scripts.scripts import SITE, ActiveScript, Scripts

_DAY = 86400.0
_QUESTIONS_LIMIT = 200
_SPOOL_IN_MEMORY = 1024 * 1024
_REASON_LIMIT = 400
_INLINE = 64 * 1024  # octets of a message whose filtering costs less than a thread
_PACES = 1000
_VIRUS = {"unchecked": 0, "clean": 1, "found": 5}  # RFC 5235 §3.3


class Target(msgspec.Struct, frozen=True):
    """One place to put a message; `edited` is what the script made of it."""

    folder: str
    flags: tuple[str, ...] = ()
    create: bool = False
    special_use: str = ""
    edited: Edited | None = None


class Arrival(msgspec.Struct, frozen=True):
    """A message at a mailbox. `body` has no Return-Path; `inbox` is where it goes without another decision.

    `verdict` is what screening said, None when nobody asked; `required` the points that make it junk here.
    """

    sender: str
    recipient: str
    mailbox_id: str
    alias: Alias | None
    key: DataKey | None
    body: Spool
    inbox: str
    trace_id: str
    delivery_id: str
    verdict: Verdict | None = None
    required: float = 5.0


Put = Callable[[Target, Spool, str], Awaitable[None]]
"""Puts a message into the arrival's mailbox, once for each name."""


class Filter:
    """Runs scripts and carries out what they decide."""

    def __init__(
        self,
        scripts: Scripts,
        memory: Memory,
        mailboxes: Mailboxes,
        queue: Outgoing,
        settings: Settings,
        clock: Clock,
        hostname: str,
        forwarding: Forwarding | None = None,
        lists: ExternalLists | None = None,
    ) -> None:
        """Without `forwarding` a redirect keeps the return path, without `lists` scripts know none (RFC 6134)."""
        self._lists = lists
        self._forwarding = forwarding
        identifier = settings.authentication.identifier or hostname
        self._responder = Responder(memory, clock, hostname, identifier)
        self._scripts = scripts
        self._memory = memory
        self._mailboxes = mailboxes
        self._queue = queue
        self._settings = settings
        self._clock = clock
        self._hostname = hostname
        self._paces: OrderedDict[str, Pace] = OrderedDict()
        mime = settings.mime
        self._bounds = Bounds(
            nesting=mime.nesting, parts=mime.parts, header_size=mime.header_size, addresses=mime.addresses
        )

    async def decide(self, arrival: Arrival) -> Outcome | None:
        """What the mailbox's active script decides, and the owner's responder; None without either."""
        return self._with_vacation(arrival, await self._by_script(arrival))

    def _with_vacation(self, arrival: Arrival, outcome: Outcome | None) -> Outcome | None:
        """The responder answers what is kept and is no junk, unless the script answers it."""
        actions = (Filing(),) if outcome is None else outcome.actions
        answers = any(isinstance(action, Reject | Vacation) for action in actions)
        is_kept = any(isinstance(action, Filing) for action in actions)
        if arrival.alias is None or arrival.inbox != INBOX or answers or not is_kept:
            return outcome
        start = arrival.body.start(HEADER_LIMIT)
        reply = decide_reply(arrival.alias, arrival.recipient, arrival.sender, start, self._clock.now())
        if reply is None:
            return outcome
        outcome = outcome or Outcome(actions=actions)
        added = () if reply.action is None else (reply.action,)
        return msgspec.structs.replace(outcome, actions=(*actions, *added), words=(*outcome.words, reply.words))

    async def _by_script(self, arrival: Arrival) -> Outcome | None:
        script = await self._scripts.active(arrival.mailbox_id)
        if script is None:
            return None
        if script.program is None:
            words = (f"The filter script cannot be used, so the message is kept in INBOX: {script.error}",)
            return Outcome(actions=(Filing(),), words=words, error=script.error)
        outcome = await self._run(arrival, script, script.program)
        return self._without_loops(arrival, outcome)

    async def _run(self, arrival: Arrival, script: ActiveScript, program: Program) -> Outcome:
        environment = self._environment(arrival)
        raw = arrival.body.octets()
        answers = Answers()
        pace = self._pace(arrival.mailbox_id)
        settings = self._settings.sieve
        for _ in range(_QUESTIONS_LIMIT):
            parts = (program, raw, environment, answers, settings, self._bounds)
            if len(raw) <= _INLINE and pace.is_quick():
                found = pace.timed(partial(run_script, *parts))
            else:
                found = await self._mailboxes.run(run_script, *parts)
            if isinstance(found, Outcome):
                return found
            answers = await self._answered(arrival, answers, found)
        error = f'The script "{script.name}" asks about too many things.'
        return Outcome(actions=(Filing(),), words=(error,), error=error)

    def _pace(self, mailbox_id: str) -> Pace:
        """How long the script of a mailbox took of late."""
        pace = self._paces.pop(mailbox_id, None) or Pace()
        self._paces[mailbox_id] = pace
        if len(self._paces) > _PACES:
            self._paces.popitem(last=False)
        return pace

    def _environment(self, arrival: Arrival) -> Environment:
        own = {arrival.recipient.lower()}
        if arrival.alias is not None:
            own.add(arrival.alias.address.lower())
        now = self._clock.now()
        offset = datetime.fromtimestamp(now, UTC).astimezone().utcoffset()
        return Environment(
            sender=arrival.sender,
            recipient=arrival.recipient,
            owner_addresses=frozenset(own),
            now=now,
            zone_offset=0 if offset is None else int(offset.total_seconds()) // 60,
            hostname=self._hostname,
            version=mailstead.__version__,
            spam=spam_score(arrival.verdict, arrival.required) if arrival.verdict is not None else None,
            virus=_VIRUS[arrival.verdict.virus] if arrival.verdict is not None else 0,
        )

    async def _answered(self, arrival: Arrival, answers: Answers, question: Question) -> Answers:
        match question:
            case AskFolders():
                return msgspec.structs.replace(answers, folders=await self._folders(arrival))
            case AskSeen(key):
                known = await self._memory.is_known(arrival.mailbox_id, "duplicate", key, arrival.delivery_id)
                return msgspec.structs.replace(answers, seen={**answers.seen, key: known})
            case AskScript(include):
                program = await self._included(arrival, include)
                return msgspec.structs.replace(answers, scripts={**answers.scripts, include: program})
            case AskListed(names, values):
                found = None
                if self._lists is not None:
                    place = (arrival.mailbox_id, arrival.key, arrival.alias)
                    found = await self._lists.listed(names, values, *place)
                return msgspec.structs.replace(answers, listed={**answers.listed, question: found})
            case AskMembers(name):
                members = None
                if self._lists is not None:
                    members = await self._lists.members(name, arrival.mailbox_id, arrival.key)
                return msgspec.structs.replace(answers, members={**answers.members, name: members})

    async def _folders(self, arrival: Arrival) -> dict[str, str]:
        """Folders with their special uses; of a locked mailbox INBOX alone is known."""
        if arrival.key is None:
            return {INBOX: ""}
        mailbox = await self._mailboxes.open(arrival.mailbox_id, arrival.key)
        return {folder.name: folder.special_use for folder in await self._mailboxes.run(mailbox.folders)}

    async def _included(self, arrival: Arrival, include: Include) -> Program | None:
        owner = SITE if include.location == "global" else arrival.mailbox_id
        return await self._scripts.included(owner, include.name)

    def _without_loops(self, arrival: Arrival, outcome: Outcome) -> Outcome:
        """A message that was here before, or went through too many hosts, is kept and not redirected again."""
        redirects = [action for action in outcome.actions if isinstance(action, Redirect)]
        if not redirects:
            return outcome
        start = arrival.body.start(HEADER_LIMIT)
        header = start[: header_end(start, 0, len(start))]
        was_here = arrival.recipient.lower() in delivered_to(header)
        if not was_here and received_count(header) < self._settings.message.hops_limit:
            return outcome
        why = "was delivered here before" if was_here else "passed too many hosts"
        kept = tuple(action for action in outcome.actions if not isinstance(action, Redirect))
        if not any(isinstance(action, Filing) for action in kept):
            kept = (*kept, Filing())
        words = (*outcome.words, f"It {why}, so it is not redirected again but kept.")
        return msgspec.structs.replace(outcome, actions=kept, words=words)

    def targets(self, arrival: Arrival, outcome: Outcome | None) -> list[Target]:
        """Where the message is put."""
        if outcome is None:
            return [Target(arrival.inbox)]
        return [
            Target(action.mailbox or arrival.inbox, action.flags, action.create, action.special_use, action.edited)
            for action in outcome.actions
            if isinstance(action, Filing)
        ]

    async def carry_out(self, arrival: Arrival, outcome: Outcome, put: Put) -> None:
        """Redirect, answer, notify, remember, and tell the owner what failed. Raises MailsteadError, OSError."""
        for action in outcome.actions:
            match action:
                case Redirect():
                    await self._redirect(arrival, action)
                case Vacation():
                    await self._answer(arrival, action, put)
                case Notify():
                    await self._notify(arrival, action, put)
                case _:
                    pass
        for seen in outcome.seen:
            place = (arrival.mailbox_id, "duplicate", seen.key, seen.seconds)
            await (self._memory.extend(*place) if seen.extend else self._memory.claim(*place, arrival.delivery_id))
        if outcome.error:
            await self._tell_owner(arrival, outcome.error, put)

    def _once(self, arrival: Arrival, what: str) -> str:
        return arrival.delivery_id and f"sieve {arrival.delivery_id} {what}"

    async def _redirect(self, arrival: Arrival, action: Redirect) -> None:
        """As an alias passes a message on; the author stays, the return path is one that bounces come back to."""
        message = arrival.body
        if action.edited is not None:
            message = message.replaced(action.edited.count, action.edited.octets)
        recipient = EnvelopeRecipient(action.address, alias=arrival.recipient)
        wide = not (action.address.isascii() and arrival.sender.isascii())
        envelope = Envelope(sender=arrival.sender, recipients=(recipient,), smtputf8=wide)
        if self._forwarding is not None:
            parcel = await self._forwarding.prepare(envelope, (recipient,), message, arrival.recipient)
            envelope, message = parcel.envelope, parcel.message
        else:
            message = message.replaced(0, f"Delivered-To: {arrival.recipient}\r\n".encode())
        once = self._once(arrival, f"redirect {action.address}")
        await self._queue.enqueue(envelope, message, arrival.trace_id, once=once)

    async def _answer(self, arrival: Arrival, action: Vacation, put: Put) -> None:
        """RFC 5230 §4: once to each sender in the given time."""
        start = arrival.body.start(HEADER_LIMIT)
        octets = await self._responder.compose(arrival.mailbox_id, action, start, arrival.delivery_id)
        if octets is None:
            return
        await self._send(arrival, octets, (action.recipient,), "vacation", action.copy, put)

    async def _notify(self, arrival: Arrival, action: Notify, put: Put) -> None:
        now = self._clock.now()
        octets = notify_message(action, arrival.recipient, f"{new_ulid(now)}@{self._hostname}", now)
        digest = hashlib.sha256(msgspec.msgpack.encode(action)).hexdigest()[:16]
        await self._send(arrival, octets, action.recipients, f"notify {digest}", action.copy, put)

    async def _send(
        self,
        arrival: Arrival,
        octets: bytes,
        recipients: tuple[str, ...],
        what: str,
        copy: Copy | None,
        put: Put,
    ) -> None:
        """Queue a message of the script's with the empty sender (RFC 3834 §3.3), and file its copy."""
        envelope = automatic_envelope(recipients)
        with Spool(_SPOOL_IN_MEMORY, self._mailboxes.directory(arrival.mailbox_id)) as spool:
            spool.append(octets)
            await self._queue.enqueue(envelope, spool, arrival.trace_id, once=self._once(arrival, what))
            if copy is not None:
                target = Target(copy.mailbox, copy.flags, copy.create, copy.special_use)
                await put(target, spool, f"copy {what}")

    async def _tell_owner(self, arrival: Arrival, error: str, put: Put) -> None:
        """RFC 5228 §2.10.6: the owner is told, once a day of one error, and the sender never."""
        key = hashlib.sha256(error.encode("utf-8", "replace")).hexdigest()
        if not await self._memory.claim(arrival.mailbox_id, "error", key, _DAY, arrival.delivery_id):
            return
        now = self._clock.now()
        octets = text_message(
            sender=f"postmaster@{self._hostname}",
            recipient=arrival.recipient,
            subject="Your mail filter script has a problem",
            text=(
                "Your filter script could not be carried out for a message, which was kept in INBOX:\n\n"
                f"    {error}\n\n"
                "Until the script is mended, messages that lead to this are kept in INBOX. Their senders are not told.\n"
            ),
            message_id=f"{new_ulid(now)}@{self._hostname}",
            now=now,
        )
        with Spool(_SPOOL_IN_MEMORY, self._mailboxes.directory(arrival.mailbox_id)) as spool:
            spool.append(octets)
            await put(Target(INBOX), spool, "error")


def refusal_text(reason: str) -> str:
    """A script's reason on one line, for a reply."""
    shown = " ".join("".join(letter if letter.isprintable() else " " for letter in reason).split())
    return shown[:_REASON_LIMIT] or "The recipient's filter refuses this message"
