"""The organizer changes an event: who gets a REQUEST, who a CANCEL (RFC 6638 §3.2.1, RFC 5546 §3.2.2, §3.2.5)."""

from collections.abc import Iterator, Mapping

import msgspec

from mailstead.formats.content_lines.component import ContentBounds
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
from mailstead.mail.scheduling.comparing import (
    changes_sequence,
    essence,
    is_cancelled,
    is_moved,
    is_rescheduled_instance,
    sequence,
)
from mailstead.mail.scheduling.message import ItipMessage, Method, Outcome, calendar_of, cancelled, told
from mailstead.mail.scheduling.series import Series, exclude, instance_of, read_series


class View(msgspec.Struct, frozen=True):
    """What one attendee may know of an event: of `hidden` only that these instances are not (RFC 6638 §3.2.6)."""

    master: Tree | None
    overrides: dict[int, Tree]
    hidden: dict[int, ContentLine]

    @property
    def components(self) -> list[Tree]:
        """The master with the hidden instances left out, and the changed instances."""
        if self.master is None:
            return list(self.overrides.values())
        master = self.master.copy()
        for named in self.hidden.values():
            exclude(master, named)
        return [master, *self.overrides.values()]

    @property
    def is_empty(self) -> bool:
        """Whether the attendee has no part in it."""
        return self.master is None and not self.overrides


def view_of(series: Series | None, address: str) -> View:
    """The part of an event that the server tells an attendee of."""
    if series is None:
        return View(None, {}, {})
    master = series.master if series.master is not None and _invites(series.master, address) else None
    overrides = {key: one for key, one in series.overrides.items() if _invites(one, address)}
    hidden = {}
    if master is not None:
        for key, one in series.overrides.items():
            named = one.first("RECURRENCE-ID")
            if key not in overrides and named is not None:
                hidden[key] = named
    return View(master, overrides, hidden)


def _invites(component: Tree, address: str) -> bool:
    line = find_attendee(component, (address,))
    return line is not None and is_served(line)


def organize(
    old_data: bytes | None,
    new_data: bytes | None,
    own: frozenset[str],
    now: float,
    bounds: ContentBounds,
    *,
    keeps_answers: bool = False,
) -> Outcome:
    """The organizer, who has the addresses `own`, stores `new_data` in the place of `old_data` (None: there is none).

    With `keeps_answers` the answers that are stored win over those of `new_data` (RFC 6638 §3.2.10.1). In any case
    no organizer sets another's answer, save back to NEEDS-ACTION. Raises ContentError.
    """
    old = None if old_data is None else read_series(old_data, bounds)
    new = None if new_data is None else read_series(new_data, bounds)
    if old is not None and new is not None:
        for key, component in _pairs(new):
            _revise(old, key, new, component, own, keeps_answers)
    messages = tuple(_messages(old, new, own, now))
    if new is None:
        return Outcome(None, messages, True)
    for component in new.components:
        component.replace("ATTENDEE", lambda line: with_parameter(line, "SCHEDULE-FORCE-SEND", None))
    return Outcome(new.calendar.octets(), messages, True)


def _pairs(series: Series) -> list[tuple[int | None, Tree]]:
    found: list[tuple[int | None, Tree]] = [] if series.master is None else [(None, series.master)]
    return found + list(series.overrides.items())


def _revise(old: Series, key: int | None, new: Series, component: Tree, own: frozenset[str], keeps: bool) -> None:
    """SEQUENCE and answers of one component, as the change wants them."""
    before = old.get(key)
    if before is None and key is not None and old.master is not None:
        model = old.master
        moved = is_rescheduled_instance(old, key, new, component)
        greater = moved or is_cancelled(component)
    elif before is not None:
        model = before
        moved = is_moved(old, before, new, component)
        greater = changes_sequence(old, before, new, component)
    else:
        return
    if greater and sequence(component) <= sequence(model):
        component.set(ContentLine("SEQUENCE", str(sequence(model) + 1)))
    elif sequence(component) < sequence(model):
        component.set(ContentLine("SEQUENCE", str(sequence(model))))

    def answer(line: ContentLine) -> ContentLine:
        address = bare(line.value)
        if address in own or not is_served(line):
            return line
        if moved:
            return _with_answer(line, NEEDS_ACTION)
        stored = find_attendee(model, (address,))
        if stored is None or (partstat(line) == NEEDS_ACTION and not keeps) or partstat(line) == partstat(stored):
            return line
        return _with_answer(line, partstat(stored))

    component.replace("ATTENDEE", answer)


def _with_answer(line: ContentLine, answer: str) -> ContentLine:
    if partstat(line) == answer:
        return line
    return with_parameter(line, "PARTSTAT", answer)


def attendees_of(*several: Series | None) -> Iterator[str]:
    """The bare addresses of all attendees, each once."""
    seen = set()
    for series in several:
        for component in () if series is None else series.components:
            for line in component.all("ATTENDEE"):
                address = bare(line.value)
                if address and address not in seen:
                    seen.add(address)
                    yield address


def _messages(old: Series | None, new: Series | None, own: frozenset[str], now: float) -> Iterator[ItipMessage]:
    any_series = new or old
    if any_series is None:
        return
    sender = any_series.organizer
    for address in attendees_of(old, new):
        if address in own:
            continue
        for method, series, components in _for_attendee(old, new, address, now):
            yield ItipMessage(method, sender, address, series.uid, calendar_of(method, series, components))


def _for_attendee(
    old: Series | None, new: Series | None, address: str, now: float
) -> Iterator[tuple[Method, Series, list[Tree]]]:
    before, after = view_of(old, address), view_of(new, address)
    gone, asked = _difference(old, before, new, after, address)
    if gone and old is not None:
        # an instance that the new object knows is cancelled with the revision that it has there
        yield "CANCEL", old, [cancelled(one, address, now) for one in gone]
    if asked and new is not None:
        yield "REQUEST", new, [told(one, now) for one in asked]


def _difference(
    old: Series | None, before: View, new: Series | None, after: View, address: str
) -> tuple[list[Tree], list[Tree]]:
    """What an attendee is no longer invited to, and what to be asked about."""
    before_whole, after_whole = _still(before.master), _still(after.master)
    if after.is_empty or new is None:
        return ([before.master] if before.master is not None else list(before.overrides.values())), []
    if before.is_empty or old is None:
        return [], [one for one in after.components if not is_cancelled(one)]
    if before_whole is not None and after_whole is None:
        if after.master is not None:
            return [after.master], []
        return [before_whole], [one for one in after.overrides.values() if not is_cancelled(one)]
    if after_whole is None:
        return _instances(before, after, address)
    if before_whole is None or _is_new_to(old, before_whole, new, after_whole):
        return [], after.components
    forced = any(_is_forced(one, address) for one in after.components)
    reverted = set(before.overrides) - set(after.overrides) - set(after.hidden)
    if forced or reverted - set(new.moments(after_whole, "EXDATE")):
        return [], after.components
    gone, asked = _instances(before, after, address)
    seen = {id(one) for one in gone}
    excluded = set(new.moments(after_whole, "EXDATE")) | set(after.hidden)
    was_excluded = set(old.moments(before_whole, "EXDATE")) | set(before.hidden)
    for key in sorted(excluded - was_excluded):
        component = before.overrides.get(key) or instance_of(old, key)
        if component is not None and id(component) not in seen:
            gone.append(component)
    if was_excluded - excluded - set(after.overrides):
        return [], after.components
    return gone, asked


def _still(component: Tree | None) -> Tree | None:
    return None if component is None or is_cancelled(component) else component


def _instances(before: View, after: View, address: str) -> tuple[list[Tree], list[Tree]]:
    """The changed instances alone."""
    gone = [one for key, one in after.overrides.items() if is_cancelled(one) and not _was_cancelled(before, key)]
    if after.master is None:
        gone += [one for key, one in before.overrides.items() if key not in after.overrides]
    asked = []
    for key, one in after.overrides.items():
        if is_cancelled(one):
            continue
        was = before.overrides.get(key)
        if was is None or essence(was) != essence(one) or sequence(was) < sequence(one) or _is_forced(one, address):
            asked.append(one)
    return gone, asked


def _was_cancelled(view: View, key: int) -> bool:
    before = view.overrides.get(key)
    return before is not None and is_cancelled(before)


def _is_new_to(old: Series, before: Tree, new: Series, after: Tree) -> bool:
    """Whether the description of the whole says something else; instances left out are told of one by one."""
    if essence(before) != essence(after):
        return True
    return (
        is_moved(old, before, new, after)
        or set(old.moments(before, "EXDATE")) - set(new.moments(after, "EXDATE")) != set()
    )


def _is_forced(component: Tree, address: str) -> bool:
    line = find_attendee(component, (address,))
    return line is not None and is_forced(line, "REQUEST")


def with_status(
    data: bytes, statuses: Mapping[str, str], name: str, bounds: ContentBounds, *, instead_of: str | None = None
) -> bytes:
    """The object with SCHEDULE-STATUS of each ATTENDEE or ORGANIZER that a message went to.

    With `instead_of` only where that is the status now. Raises ContentError.
    """
    series = read_series(data, bounds)

    def told(line: ContentLine) -> ContentLine:
        status = statuses.get(bare(line.value))
        if status is None or (instead_of is not None and line.parameter("SCHEDULE-STATUS") != instead_of):
            return line
        return with_parameter(line, "SCHEDULE-STATUS", status)

    for component in series.components:
        component.replace(name, told)
    return series.calendar.octets()


def request_to(data: bytes, address: str, now: float, bounds: ContentBounds) -> ItipMessage | None:
    """The invitation of one attendee as things are; None for one who is not invited. Raises ContentError."""
    series = read_series(data, bounds)
    view = view_of(series, address)
    if view.is_empty:
        return None
    components = [told(one, now) for one in view.components]
    return ItipMessage("REQUEST", series.organizer, address, series.uid, calendar_of("REQUEST", series, components))
