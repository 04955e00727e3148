"""An attendee changes a copy of an event: what is allowed, and what the organizer is told (RFC 6638 §3.2.2)."""

from collections.abc import Iterator

import msgspec

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.tree import Tree
from mailstead.mail.scheduling.calendar_user import (
    NEEDS_ACTION,
    bare,
    find_attendee,
    is_forced,
    is_served,
    partstat,
    with_parameter,
)
from mailstead.mail.scheduling.comparing import is_moved, is_rescheduled_instance
from mailstead.mail.scheduling.message import ItipMessage, Outcome, answered, calendar_of, keep_attendees, told
from mailstead.mail.scheduling.series import Series, instance_of, read_series


class AttendeeChangeError(ContentError):
    """The change is the organizer's to make (RFC 6638 §3.2.4.4)."""


class _Answer(msgspec.Struct, frozen=True):
    component: Tree
    lines: tuple[ContentLine, ...]


def attend(
    old_data: bytes | None,
    new_data: bytes | None,
    own: frozenset[str],
    now: float,
    bounds: ContentBounds,
    *,
    replies: bool = True,
) -> Outcome:
    """An attendee, who has the addresses `own`, stores `new_data` in the place of `old_data` (None: there is none).

    `replies` is what a Schedule-Reply header asks for (RFC 6638 §8.1). Raises ContentError, AttendeeChangeError.
    """
    old = None if old_data is None else read_series(old_data, bounds)
    new = None if new_data is None else read_series(new_data, bounds)
    any_series = new or old
    if any_series is None or not _is_served(any_series):
        return Outcome(new_data, (), any_series is not None)
    if old is not None and new is not None:
        for component in new.components:
            _check(old, new, component, own)
        _check_dates(old, new)
    replies_to = list(_answers(old, new, own)) if replies or new is not None else []
    messages: list[ItipMessage] = []
    if replies_to and not all(_is_silent(one, old) for one in replies_to):
        organizer = any_series.organizer
        ok = ContentLine("REQUEST-STATUS", "2.0;Success")
        components = [answered(one.component, one.lines, now, (ok,)) for one in replies_to]
        own_line = replies_to[0].lines[0]
        sender = bare(own_line.value)
        data = calendar_of("REPLY", any_series, components)
        messages.append(ItipMessage("REPLY", sender, organizer, any_series.uid, data))
        messages += _delegations(any_series, replies_to, sender, now)
    if new is None:
        return Outcome(None, tuple(messages), True)
    for component in new.components:
        component.replace("ORGANIZER", lambda line: with_parameter(line, "SCHEDULE-FORCE-SEND", None))
    return Outcome(new.calendar.octets(), tuple(messages), True)


def _is_served(series: Series) -> bool:
    return all((line := one.first("ORGANIZER")) is not None and is_served(line) for one in series.components)


def _check(old: Series, new: Series, component: Tree, own: frozenset[str]) -> None:
    """Whether a component has the organizer's times and people; other attendees' lines are put back as they were."""
    named = component.first("RECURRENCE-ID")
    key = None if named is None else new.instant(named)
    before = old.get(key)
    model = before if before is not None else old.master
    if model is None:
        raise AttendeeChangeError("an attendee adds no instances")
    if before is not None:
        moved = is_moved(old, before, new, component) and not _only_excludes(old, before, new, component)
    else:
        moved = key is None or is_rescheduled_instance(old, key, new, component)
    if moved:
        raise AttendeeChangeError("the time of an event is the organizer's to change")
    line = find_attendee(component, own)
    delegates = set() if line is None else {bare(one) for one in line.parameter_values("DELEGATED-TO")}
    people = {bare(one.value) for one in component.all("ATTENDEE")} - delegates - own
    known = {bare(one.value) for one in model.all("ATTENDEE")} - delegates - own
    if people != known:
        raise AttendeeChangeError("who is invited is the organizer's to change")
    component.replace("ATTENDEE", lambda one: _restored(one, model, own, delegates))


def _restored(line: ContentLine, model: Tree, own: frozenset[str], delegates: set[str]) -> ContentLine:
    address = bare(line.value)
    if address in own or address in delegates:
        return line
    return find_attendee(model, (address,)) or line


def _only_excludes(old: Series, before: Tree, new: Series, after: Tree) -> bool:
    """EXDATE that is gone is put back where the component is the same otherwise."""
    lost = set(old.moments(before, "EXDATE")) - set(new.moments(after, "EXDATE"))
    if not lost:
        return False
    after.remove("EXDATE")
    after.add(*before.all("EXDATE"))
    return not is_moved(old, before, new, after)


def _check_dates(old: Series, new: Series) -> None:
    for key, component in list(old.overrides.items()):
        if key in new.overrides:
            continue
        excluded = new.master is not None and key in new.moments(new.master, "EXDATE")
        if not excluded and new.master is not None:
            # a client that forgot a changed instance would bring back the time that the organizer moved it from
            new.add(component.copy())


def _answers(old: Series | None, new: Series | None, own: frozenset[str]) -> Iterator[_Answer]:
    """The components whose answer is another one, each with the lines that tell it."""
    if new is None:
        for component in () if old is None else old.components:
            line = find_attendee(component, own)
            if line is not None and partstat(line) != "DECLINED":
                yield _Answer(component, (with_parameter(line, "PARTSTAT", "DECLINED"),))
        return
    for component in new.components:
        line = find_attendee(component, own)
        if line is None:
            continue
        named = component.first("RECURRENCE-ID")
        before = None if old is None else old.get(None if named is None else new.instant(named)) or old.master
        was = None if before is None else find_attendee(before, own)
        answer = NEEDS_ACTION if was is None else partstat(was)
        organizer = component.first("ORGANIZER")
        forced = organizer is not None and is_forced(organizer, "REPLY")
        if partstat(line) != answer or forced or _delegates(line) - (set() if was is None else _delegates(was)):
            yield _Answer(component, (line, *_delegate_lines(component, line)))
    if old is not None and old.master is not None and new.master is not None:
        yield from _excluded(old, old.master, new, new.master, own)


def _excluded(old: Series, before: Tree, new: Series, after: Tree, own: frozenset[str]) -> Iterator[_Answer]:
    for key in sorted(set(new.moments(after, "EXDATE")) - set(old.moments(before, "EXDATE"))):
        component = old.overrides.get(key) or instance_of(old, key)
        line = None if component is None else find_attendee(component, own)
        if component is not None and line is not None and partstat(line) != "DECLINED":
            yield _Answer(component, (with_parameter(line, "PARTSTAT", "DECLINED"),))


def _is_silent(answer: _Answer, old: Series | None) -> bool:
    """A new copy that nothing was answered to yet."""
    return old is None and partstat(answer.lines[0]) == NEEDS_ACTION


def _delegates(line: ContentLine) -> set[str]:
    return {bare(one) for one in line.parameter_values("DELEGATED-TO")}


def _delegate_lines(component: Tree, line: ContentLine) -> list[ContentLine]:
    if partstat(line) != "DELEGATED":
        return []
    delegates = _delegates(line)
    return [one for one in component.all("ATTENDEE") if bare(one.value) in delegates]


def _delegations(series: Series, answers: list[_Answer], sender: str, now: float) -> Iterator[ItipMessage]:
    """The invitations of those delegated to, which the one who delegates sends (RFC 5546 §3.2.2.3)."""
    invited: dict[str, list[Tree]] = {}
    for answer in answers:
        for line in answer.lines[1:]:
            component = told(answer.component, now)
            keep_attendees(component, {sender, bare(line.value)})
            invited.setdefault(bare(line.value), []).append(component)
    for address, components in invited.items():
        data = calendar_of("REQUEST", series, components)
        yield ItipMessage("REQUEST", sender, address, series.uid, data)
