"""What messages make of stored objects."""

import pytest

from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.content_lines.line import ContentLine
from mailstead.mail.scheduling.attendee import attend
from mailstead.mail.scheduling.calendar_user import find_attendee, partstat, with_parameter
from mailstead.mail.scheduling.message import read_message
from mailstead.mail.scheduling.organizer import organize
from mailstead.mail.scheduling.receiving import Effect, may_send, receive
from support.events import ANN, BOB, BOUNDS, EVE, NOW, attendee, calendar, event, instance, series

RULE = "RRULE:FREQ=WEEKLY;COUNT=5"


class World:
    """Copies of one event, kept by their owners; messages go round at once."""

    def __init__(self) -> None:
        self.copies: dict[str, bytes | None] = {}
        self.now = NOW

    def put(self, who: str, data: bytes | None) -> list[Effect]:
        self.now += 1
        act = organize if who == ANN else attend
        outcome = act(self.copies.get(who), data, frozenset([who]), self.now, BOUNDS)
        self.copies[who] = outcome.data
        effects = []
        for one in outcome.messages:
            received = read_message(one.data, BOUNDS)
            stored = self.copies.get(one.recipient)
            assert may_send(received, one.sender, stored, BOUNDS)
            effect = receive(stored, received, frozenset([one.recipient]), one.sender, BOUNDS)
            if effect.data is not None:
                self.copies[one.recipient] = effect.data
            effects.append(effect)
        return effects

    def answer(self, whose: str, who: str, key: int | None = None) -> str:
        component = series(self.copies[whose]).get(key)
        assert component is not None
        line = find_attendee(component, (who,))
        assert line is not None
        return partstat(line)

    def answers(self, who: str, answer: str) -> None:
        copy = series(self.copies[who])
        for component in copy.components:
            for line in component.all("ATTENDEE"):
                if line.value == f"mailto:{who}":
                    component.replace("ATTENDEE", lambda one: _answered(one, who, answer))
        self.put(who, copy.calendar.octets())


def _answered(line: ContentLine, who: str, answer: str) -> ContentLine:
    return with_parameter(line, "PARTSTAT", answer) if line.value == f"mailto:{who}" else line


def test_invite_answer_reschedule_cancel() -> None:
    world = World()
    (effect,) = world.put(ANN, calendar(event(attendee(BOB))))
    assert (effect.what, effect.tells) == ("created", True)
    world.answers(BOB, "ACCEPTED")
    assert world.answer(ANN, BOB) == "ACCEPTED"
    line = find_attendee(series(world.copies[ANN]).first, (BOB,))
    assert line is not None
    assert line.parameter("SCHEDULE-STATUS") == "2.0"
    (effect,) = world.put(ANN, calendar(event(attendee(BOB, "ACCEPTED"), start="20260907T130000")))
    assert (effect.what, effect.tells) == ("updated", True)
    assert world.answer(BOB, BOB) == "NEEDS-ACTION"
    assert series(world.copies[BOB]).first.value("DTSTART") == "20260907T130000"
    world.answers(BOB, "TENTATIVE")
    assert world.answer(ANN, BOB) == "TENTATIVE"
    (effect,) = world.put(ANN, None)
    assert effect.what == "cancelled"
    assert series(world.copies[BOB]).first.value("STATUS") == "CANCELLED"


def test_alarms_and_marks_of_one_s_own_survive_an_update() -> None:
    world = World()
    world.put(ANN, calendar(event(attendee(BOB))))
    alarm = b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n"
    copy = world.copies[BOB]
    assert copy is not None
    world.put(BOB, copy.replace(b"END:VEVENT", b"TRANSP:TRANSPARENT\r\nX-MINE:1\r\n" + alarm + b"END:VEVENT"))
    world.put(ANN, calendar(event(attendee(BOB), "LOCATION:Hall")))
    after = world.copies[BOB]
    assert after is not None
    assert alarm in after
    assert b"TRANSP:TRANSPARENT\r\n" in after
    assert b"X-MINE:1\r\n" in after
    assert b"LOCATION:Hall\r\n" in after


def test_one_instance_declined_then_left_out() -> None:
    world = World()
    world.put(ANN, calendar(event(attendee(BOB), RULE)))
    world.answers(BOB, "ACCEPTED")
    copy = series(world.copies[BOB])
    master = copy.master
    assert master is not None
    master.add(ContentLine("EXDATE", "20260914T090000", (("TZID", ("Europe/Paris",)),)))
    world.put(BOB, copy.calendar.octets())
    (key,) = series(world.copies[ANN]).overrides
    assert world.answer(ANN, BOB, key) == "DECLINED"
    assert world.answer(ANN, BOB) == "ACCEPTED"
    # the same answer again is nothing new
    organizer = series(world.copies[ANN])
    organizer.drop(key)
    assert organizer.master is not None
    organizer.master.add(ContentLine("EXDATE", "20260921T090000", (("TZID", ("Europe/Paris",)),)))
    world.put(ANN, organizer.calendar.octets())
    assert series(world.copies[BOB]).master is not None
    assert b"20260921T090000" in (world.copies[BOB] or b"")


def test_an_instance_moved_and_called_off() -> None:
    world = World()
    world.put(ANN, calendar(event(attendee(BOB), RULE)))
    world.answers(BOB, "ACCEPTED")
    base = series(world.copies[ANN]).calendar.octets()
    moved = instance("20260914T090000", attendee(BOB, "ACCEPTED"), start="20260914T110000")
    (effect,) = world.put(ANN, base.replace(b"END:VCALENDAR", moved.encode() + b"END:VCALENDAR"))
    assert effect.what == "updated"
    (key,) = series(world.copies[BOB]).overrides
    assert world.answer(BOB, BOB, key) == "NEEDS-ACTION"
    assert world.answer(BOB, BOB) == "ACCEPTED"
    off = base.replace(b"RRULE", b"EXDATE;TZID=Europe/Paris:20260914T090000\r\nRRULE")
    (effect,) = world.put(ANN, off)
    assert effect.what == "cancelled"
    copy = series(world.copies[BOB])
    assert not copy.overrides
    assert copy.master is not None
    assert copy.master.value("EXDATE") == "20260914T090000"


def test_delegated() -> None:
    world = World()
    world.put(ANN, calendar(event(attendee(BOB))))
    copy = world.copies[BOB]
    assert copy is not None
    to = f'PARTSTAT=DELEGATED;DELEGATED-TO="mailto:{EVE}"'.encode()
    line = f'ATTENDEE;PARTSTAT=NEEDS-ACTION;DELEGATED-FROM="mailto:{BOB}":mailto:{EVE}\r\n'.encode()
    changed = copy.replace(b"CN=Bob;PARTSTAT=NEEDS-ACTION", b"CN=Bob;" + to).replace(
        b"END:VEVENT", line + b"END:VEVENT"
    )
    effects = world.put(BOB, changed)
    assert [one.what for one in effects] == ["answered", "created"]
    assert world.answer(ANN, BOB) == "DELEGATED"
    assert world.answer(ANN, EVE) == "NEEDS-ACTION"
    world.answers(EVE, "ACCEPTED")
    assert world.answer(ANN, EVE) == "ACCEPTED"


def test_delegated_answers_reach_an_organizer_who_has_not_heard_of_it() -> None:
    stored = calendar(event(attendee(BOB)))
    by = f';DELEGATED-FROM="mailto:{BOB}"'
    reply = calendar(event(attendee(EVE, "ACCEPTED", by))).replace(b"PRODID", b"METHOD:REPLY\r\nPRODID", 1)
    effect = receive(stored, read_message(reply, BOUNDS), frozenset([ANN]), EVE, BOUNDS)
    assert effect.what == "answered"
    line = find_attendee(series(effect.data).first, (EVE,))
    assert line is not None
    assert partstat(line) == "ACCEPTED"


def message(method: str, *components: str) -> bytes:
    return calendar(*components).replace(b"PRODID", b"METHOD:%s\r\nPRODID" % method.encode(), 1)


def test_one_who_was_not_asked_cannot_answer() -> None:
    stored = calendar(event(attendee(BOB)))
    reply = read_message(message("REPLY", event(attendee(EVE, "ACCEPTED"))), BOUNDS)
    assert receive(stored, reply, frozenset([ANN]), EVE, BOUNDS).what == "ignored"


def test_who_may_send() -> None:
    request = read_message(message("REQUEST", event(attendee(BOB))), BOUNDS)
    assert may_send(request, ANN, None, BOUNDS)
    assert not may_send(request, BOB, None, BOUNDS)
    assert not may_send(request, EVE, None, BOUNDS)
    other = calendar(event(attendee(BOB))).replace(f"mailto:{ANN}".encode(), f"mailto:{EVE}".encode())
    assert not may_send(request, ANN, other, BOUNDS)
    reply = read_message(message("REPLY", event(attendee(BOB))), BOUNDS)
    assert may_send(reply, BOB, None, BOUNDS)
    assert not may_send(reply, EVE, None, BOUNDS)


@pytest.mark.parametrize("method", ["REQUEST", "CANCEL"])
def test_what_is_older_changes_nothing(method: str) -> None:
    stored = calendar(event(attendee(BOB), sequence=3))
    old = read_message(message(method, event(attendee(BOB), "LOCATION:Hall", sequence=2)), BOUNDS)
    effect = receive(stored, old, frozenset([BOB]), ANN, BOUNDS)
    assert (effect.what, effect.data) == ("ignored", None)


def test_an_answer_to_an_older_revision_does_not_count() -> None:
    stored = calendar(event(attendee(BOB), sequence=1))
    reply = read_message(message("REPLY", event(attendee(BOB, "ACCEPTED"))), BOUNDS)
    assert receive(stored, reply, frozenset([ANN]), BOB, BOUNDS).what == "ignored"


def test_others_answers_alone_do_not_tell() -> None:
    stored = calendar(event(attendee(BOB), attendee(EVE)))
    request = read_message(message("REQUEST", event(attendee(BOB), attendee(EVE, "ACCEPTED"))), BOUNDS)
    effect = receive(stored, request, frozenset([BOB]), ANN, BOUNDS)
    assert (effect.what, effect.tells) == ("updated", False)


def test_an_answer_on_its_way_is_not_lost() -> None:
    stored = calendar(event(attendee(BOB, "ACCEPTED")))
    request = read_message(message("REQUEST", event(attendee(BOB), "LOCATION:Hall")), BOUNDS)
    effect = receive(stored, request, frozenset([BOB]), ANN, BOUNDS)
    line = find_attendee(series(effect.data).first, (BOB,))
    assert line is not None
    assert partstat(line) == "ACCEPTED"


def test_instances_are_added() -> None:
    stored = calendar(event(attendee(BOB), RULE))
    add = read_message(message("ADD", event(attendee(BOB), start="20260910T150000", sequence=1)), BOUNDS)
    effect = receive(stored, add, frozenset([BOB]), ANN, BOUNDS)
    copy = series(effect.data)
    assert copy.master is not None
    assert copy.master.value("RDATE") == "20260910T150000"
    assert len(copy.overrides) == 1
    assert receive(None, add, frozenset([BOB]), ANN, BOUNDS).what == "refresh"


@pytest.mark.parametrize(
    ("method", "what"), [("COUNTER", "asked"), ("REFRESH", "refresh"), ("DECLINECOUNTER", "asked")]
)
def test_what_a_person_or_the_sender_decides(method: str, what: str) -> None:
    stored = calendar(event(attendee(BOB)))
    received = read_message(message(method, event(attendee(BOB))), BOUNDS)
    effect = receive(stored, received, frozenset([ANN]), BOB, BOUNDS)
    assert (effect.what, effect.data) == (what, None)
    assert receive(None, received, frozenset([ANN]), BOB, BOUNDS).what == "ignored"


@pytest.mark.parametrize(
    "data",
    [
        calendar(event(attendee(BOB))),
        message("NONSENSE", event()),
        message("REQUEST"),
        message("REQUEST", event(uid="one"), event(uid="two")),
        message("REQUEST", event(), event()),
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ContentError):
        read_message(data, BOUNDS)
