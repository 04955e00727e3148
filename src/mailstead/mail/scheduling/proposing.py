"""Messages that no change of an object sends: a person asks for an event again, proposes another time, or keeps to it.

REFRESH, COUNTER and DECLINECOUNTER (RFC 5546 §3.2.6 to §3.2.8). What the person's program wrote is checked against the
stored event, which knows better who its organizer is, who is invited and which revision it is.
"""

from collections.abc import Iterator

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.tree import Tree
from mailstead.mail.scheduling.calendar_user import bare, find_attendee, without_scheduling
from mailstead.mail.scheduling.comparing import sequence
from mailstead.mail.scheduling.message import (
    ItipMessage,
    Method,
    Received,
    calendar_of,
    keep_attendees,
    stamp,
    told,
)
from mailstead.mail.scheduling.series import Series, instance_of, read_series

PROPOSALS: tuple[Method, ...] = ("REFRESH", "COUNTER", "DECLINECOUNTER")


class NotYoursToSendError(ContentError):
    """The message is not one that this person may send of the event."""


def proposed(
    received: Received, stored: bytes, own: frozenset[str], now: float, bounds: ContentBounds
) -> list[ItipMessage]:
    """What is sent for a message that a person, who has the addresses `own`, wrote of a stored event.

    Raises ContentError, NotYoursToSendError.
    """
    known = read_series(stored, bounds)
    if received.method not in PROPOSALS:
        raise NotYoursToSendError(f"a {received.method} is sent by changing the event")
    if received.method == "DECLINECOUNTER":
        if known.organizer not in own:
            raise NotYoursToSendError("who organizes an event declines proposals")
        return list(_declined(received.series, known, now))
    if not known.organizer or known.organizer in own:
        raise NotYoursToSendError("the event is one's own")
    if received.method == "REFRESH":
        message = refresh_of(received.series, known, own, now)
        if message is None:
            raise NotYoursToSendError("who asks is not invited")
        return [message]
    return [_counter(received.series, known, own, now)]


def refresh_of(asked: Series, known: Series, own: frozenset[str], now: float) -> ItipMessage | None:
    """The request to be sent an event again; None for one who is not invited to it. Raises ContentError."""
    components = []
    sender = ""
    for one in asked.components:
        named = one.first("RECURRENCE-ID")
        line = _invited(known, None if named is None else asked.instant(named), own)
        if line is None:
            return None
        sender = bare(line.value)
        made = Tree(one.name)
        organizer = known.first.first("ORGANIZER")
        made.add(*(() if organizer is None else (without_scheduling(organizer),)), without_scheduling(line))
        made.add(ContentLine("UID", known.uid), stamp(now), *one.all("COMMENT"))
        if named is not None:
            made.add(named)
        components.append(made)
    data = calendar_of("REFRESH", asked, components)
    return ItipMessage("REFRESH", sender, known.organizer, known.uid, data)


def _described(known: Series, key: int | None) -> Tree | None:
    """What is known of the whole (None), or of one instance. Raises ContentError."""
    return known.get(key) or (None if key is None else instance_of(known, key))


def _invited(known: Series, key: int | None, own: frozenset[str]) -> ContentLine | None:
    candidates = [_described(known, key)] if key is not None or known.master is not None else list(known.components)
    found = (find_attendee(one, own) for one in candidates if one is not None)
    return next((line for line in found if line is not None), None)


def _as_known(component: Tree, model: Tree, now: float) -> Tree:
    """A component as it goes out, with the organizer and the revision of the event that it is about."""
    made = told(component, now)
    made.remove("ORGANIZER", "SEQUENCE")
    organizer = model.first("ORGANIZER")
    made.add(*(() if organizer is None else (without_scheduling(organizer),)))
    made.add(ContentLine("SEQUENCE", str(sequence(model))))
    if made.first("SUMMARY") is None:
        made.add(*model.all("SUMMARY"))
    return made


def _counter(asked: Series, known: Series, own: frozenset[str], now: float) -> ItipMessage:
    components, sender = [], ""
    for one in asked.components:
        named = one.first("RECURRENCE-ID")
        model = _described(known, None if named is None else asked.instant(named))
        line = None if model is None else find_attendee(model, own)
        if model is None or line is None:
            raise NotYoursToSendError("who proposes is not invited")
        if one.first("DTSTART") is None:
            raise NotYoursToSendError("a proposal has a start")
        sender = bare(line.value)
        made = _as_known(one, model, now)
        if find_attendee(made, own) is None:
            made.add(without_scheduling(line))
        components.append(made)
    data = calendar_of("COUNTER", asked, components)
    return ItipMessage("COUNTER", sender, known.organizer, known.uid, data)


def _declined(asked: Series, known: Series, now: float) -> Iterator[ItipMessage]:
    told_to: dict[str, list[Tree]] = {}
    for one in asked.components:
        named = one.first("RECURRENCE-ID")
        model = _described(known, None if named is None else asked.instant(named))
        for line in one.all("ATTENDEE"):
            address = bare(line.value)
            if model is None or find_attendee(model, (address,)) is None:
                raise NotYoursToSendError("who proposed is not invited")
            if address == known.organizer:
                continue
            made = _as_known(one, model, now)
            keep_attendees(made, {address})
            told_to.setdefault(address, []).append(made)
    if not told_to:
        raise NotYoursToSendError("nobody is named whose proposal is declined")
    for address, components in told_to.items():
        data = calendar_of("DECLINECOUNTER", asked, components)
        yield ItipMessage("DECLINECOUNTER", known.organizer, address, known.uid, data)
