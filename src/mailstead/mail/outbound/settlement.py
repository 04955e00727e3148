"""From the verdicts of an attempt to what the queue writes down: who still waits, who is told, when it is tried next."""

from collections.abc import Sequence

import msgspec

from mailstead.formats.message.delivery_status import Action
from mailstead.foundation.config.sections.queue import QueueSettings
from mailstead.foundation.identifiers import new_ulid
from mailstead.mail.envelope import EnvelopeRecipient
from mailstead.mail.outbound.bounce import is_wanted
from mailstead.mail.outbound.records import LOCAL, Consignment, Owed, OwedForward, OwedNotice, Settled
from mailstead.mail.outbound.retry import next_pause
from mailstead.mail.outbound.verdict import Verdict
from mailstead.mail.routing.forwarding import grouped

_ERROR_LIMIT = 500


class Settlement(msgspec.Struct, frozen=True):
    """What an attempt comes to. `waiting`: tried again at `due_at`; `given_up`: deferred until the lifetime was over."""

    waiting: tuple[EnvelopeRecipient, ...]
    owed: tuple[Owed, ...]
    due_at: float
    last_error: str
    tells_of_delay: bool
    given_up: bool


def settle(
    consignment: Consignment,
    verdicts: Sequence[Verdict],
    forwards: tuple[EnvelopeRecipient, ...],
    settings: QueueSettings,
    now: float,
) -> Settlement:
    """The settlement of `verdicts`, and of copies to `forwards`."""
    age = now - consignment.begun_at
    given_up = age >= settings.lifetime
    deferred = [one for one in verdicts if one.outcome == "deferred"]
    waiting = () if given_up else tuple(one.recipient for one in deferred)
    told: dict[Action, list[Settled]] = {"failed": [], "relayed": [], "delivered": [], "delayed": []}
    for verdict in verdicts:
        action = _action(consignment, verdict, given_up)
        if action is not None:
            told[action].append(_settled(verdict, action))
    late = settings.delay_notice
    tells_of_delay = bool(late and waiting) and not consignment.notified_delay and age >= late
    if tells_of_delay:
        told["delayed"] = [_settled(one, "delayed") for one in deferred]
    owed: list[Owed] = [OwedForward(queue_id=new_ulid(now), recipients=group) for group in grouped(forwards)]
    for action, settled in told.items():
        wanted = tuple(one for one in settled if is_wanted(one.recipient, action))
        if wanted and consignment.sender:  # never about a notice (RFC 5321 §4.5.5)
            until = consignment.begun_at + settings.lifetime if action == "delayed" else None
            owed.append(OwedNotice(queue_id=new_ulid(now), settled=wanted, retry_until=until))
    if not consignment.sender:
        owed += _for_owners(told["failed"], now)
    return Settlement(
        waiting=waiting,
        owed=tuple(owed),
        due_at=_due_at(consignment, settings, now),
        last_error=deferred[0].text[:_ERROR_LIMIT] if deferred else "",
        tells_of_delay=tells_of_delay,
        given_up=given_up and bool(deferred),
    )


def _for_owners(failed: Sequence[Settled], now: float) -> list[Owed]:
    """A notice that could not be passed on goes to nobody who wrote it: the alias's owner is told."""
    by_alias: dict[str, list[Settled]] = {}
    for one in failed:
        if one.recipient.alias:
            by_alias.setdefault(one.recipient.alias, []).append(one)
    return [
        OwedNotice(queue_id=new_ulid(now), settled=tuple(settled), alias=alias) for alias, settled in by_alias.items()
    ]


def _due_at(consignment: Consignment, settings: QueueSettings, now: float) -> float:
    """The next attempt: after the pause, but once more when the sender is to be told, and at the lifetime's end."""
    due_at = now + next_pause(consignment.attempts + 1, settings)
    moments = [consignment.begun_at + settings.lifetime]
    if settings.delay_notice and not consignment.notified_delay:
        moments.append(consignment.begun_at + settings.delay_notice)
    return min([due_at, *(moment for moment in moments if moment > now)])


def _action(consignment: Consignment, verdict: Verdict, given_up: bool) -> Action | None:
    match verdict.outcome:
        case "delivered":
            if consignment.destination == LOCAL:
                return None if verdict.relayed_dsn else "delivered"
            return None if verdict.relayed_dsn else "relayed"
        case "failed":
            return "failed"
        case _:
            return "failed" if given_up else None


def _settled(verdict: Verdict, action: Action) -> Settled:
    status = verdict.status
    if action == "failed" and status.startswith("4"):
        status = "4.4.7"  # tried for as long as the queue keeps messages (RFC 3463 §3.5)
    return Settled(
        recipient=verdict.recipient,
        action=action,
        status=status,
        remote_host=verdict.remote_host,
        diagnostic=verdict.text[:_ERROR_LIMIT],
        advice=verdict.advice,
    )
