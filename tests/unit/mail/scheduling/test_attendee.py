"""What an attendee may change, and what the organizer is told of it."""

import pytest

from mailstead.formats.content_lines.tree import Tree
from mailstead.mail.scheduling.attendee import AttendeeChangeError, attend
from mailstead.mail.scheduling.calendar_user import find_attendee, partstat
from mailstead.mail.scheduling.message import Outcome
from support.events import ANN, BOB, BOUNDS, EVE, NOW, attendee, calendar, event, instance, series

OWN = frozenset([BOB])
RULE = "RRULE:FREQ=WEEKLY;COUNT=5"
INVITED = calendar(event(attendee(BOB), attendee(EVE)))
WEEKLY = calendar(event(attendee(BOB), RULE))


def change(old: bytes | None, new: bytes | None, *, replies: bool = True) -> Outcome:
    return attend(old, new, OWN, NOW, BOUNDS, replies=replies)


def told(outcome: Outcome) -> list[tuple[str, str]]:
    """Instance and answer of each component of the one reply."""
    (message,) = outcome.messages
    assert (message.method, message.sender, message.recipient) == ("REPLY", BOB, ANN)
    found = []
    for component in series(message.data).components:
        (line,) = component.all("ATTENDEE")
        found.append((component.value("RECURRENCE-ID"), partstat(line)))
    return found


def test_an_answer_is_told() -> None:
    outcome = change(INVITED, calendar(event(attendee(BOB, "ACCEPTED"), attendee(EVE))))
    assert told(outcome) == [("", "ACCEPTED")]
    component = series(outcome.messages[0].data).first
    assert component.value("REQUEST-STATUS") == "2.0;Success"
    assert component.value("UID") == "one"
    assert component.value("ORGANIZER") == f"mailto:{ANN}"


def test_what_is_one_s_own_is_told_to_nobody() -> None:
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM"
    outcome = change(INVITED, calendar(event(attendee(BOB), attendee(EVE), "TRANSP:TRANSPARENT", alarm)))
    assert outcome.messages == ()
    assert outcome.data is not None
    assert b"VALARM" in outcome.data


def test_one_instance_is_answered_alone() -> None:
    once = instance("20260914T090000", attendee(BOB, "DECLINED"))
    assert told(change(WEEKLY, calendar(event(attendee(BOB), RULE), once))) == [("20260914T090000", "DECLINED")]


def test_leaving_an_instance_out_declines_it() -> None:
    new = calendar(event(attendee(BOB), RULE, "EXDATE;TZID=Europe/Paris:20260914T090000"))
    assert told(change(WEEKLY, new)) == [("20260914T090000", "DECLINED")]


def test_deleting_declines_unless_told_not_to() -> None:
    assert told(change(INVITED, None)) == [("", "DECLINED")]
    assert change(INVITED, None, replies=False).messages == ()
    assert change(calendar(event(attendee(BOB, "DECLINED"))), None).messages == ()


def test_a_copy_that_came_by_mail_is_answered_when_it_says_something() -> None:
    assert change(None, INVITED).messages == ()
    assert told(change(None, calendar(event(attendee(BOB, "TENTATIVE"))))) == [("", "TENTATIVE")]


def test_force_send_and_agent() -> None:
    forced = INVITED.replace(b"ORGANIZER;CN=Ann:", b"ORGANIZER;CN=Ann;SCHEDULE-FORCE-SEND=REPLY:")
    outcome = change(INVITED, forced)
    assert told(outcome) == [("", "NEEDS-ACTION")]
    assert outcome.data is not None
    assert b"FORCE" not in outcome.data
    own = calendar(event(attendee(BOB, "ACCEPTED"))).replace(b"ORGANIZER;", b"ORGANIZER;SCHEDULE-AGENT=CLIENT;")
    assert change(None, own).messages == ()
    assert change(own, None).messages == ()


@pytest.mark.parametrize(
    "new",
    [
        calendar(event(attendee(BOB), attendee(EVE), start="20260907T100000")),
        calendar(event(attendee(BOB), attendee(EVE), RULE)),
        calendar(event(attendee(BOB))),
        calendar(event(attendee(BOB), attendee(EVE), attendee("max@b.test"))),
        calendar(
            event(attendee(BOB), attendee(EVE)),
            instance("20260907T090000", attendee(BOB), attendee(EVE), start="20260908T090000"),
        ),
    ],
)
def test_what_is_the_organizer_s_is_refused(new: bytes) -> None:
    with pytest.raises(AttendeeChangeError):
        change(INVITED, new)


def test_others_answers_are_put_back() -> None:
    outcome = change(INVITED, calendar(event(attendee(BOB, "ACCEPTED"), attendee(EVE, "DECLINED"))))
    line = find_attendee(series(outcome.data).first, [EVE])
    assert line is not None
    assert partstat(line) == "NEEDS-ACTION"


def test_a_forgotten_instance_is_put_back() -> None:
    moved = instance("20260914T090000", attendee(BOB), start="20260914T110000")
    outcome = change(calendar(event(attendee(BOB), RULE), moved), calendar(event(attendee(BOB, "ACCEPTED"), RULE)))
    (component,) = series(outcome.data).overrides.values()
    assert isinstance(component, Tree)
    assert component.value("DTSTART") == "20260914T110000"
    assert told(outcome) == [("", "ACCEPTED")]


def test_delegating_tells_the_organizer_and_asks_the_other() -> None:
    to = f';DELEGATED-TO="mailto:{EVE}"'
    by = f';DELEGATED-FROM="mailto:{BOB}"'
    outcome = change(
        calendar(event(attendee(BOB))),
        calendar(event(attendee(BOB, "DELEGATED", to), attendee(EVE, "NEEDS-ACTION", by))),
    )
    reply, request = outcome.messages
    assert (reply.method, reply.recipient) == ("REPLY", ANN)
    assert [line.value for line in series(reply.data).first.all("ATTENDEE")] == [f"mailto:{BOB}", f"mailto:{EVE}"]
    assert (request.method, request.recipient) == ("REQUEST", EVE)
    assert len(series(request.data).first.all("ATTENDEE")) == 2
