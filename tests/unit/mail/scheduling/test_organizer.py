"""What an organizer's change sends to whom."""

import pytest

from mailstead.formats.content_lines.tree import read_tree
from mailstead.mail.scheduling.calendar_user import find_attendee, partstat
from mailstead.mail.scheduling.message import ItipMessage, Outcome
from mailstead.mail.scheduling.organizer import organize, with_status
from support.events import ANN, BOB, BOUNDS, EVE, NOW, attendee, calendar, event, instance, series

OWN = frozenset([ANN])
RULE = "RRULE:FREQ=WEEKLY;COUNT=5"


def change(old: bytes | None, new: bytes | None, *, keeps_answers: bool = False) -> Outcome:
    return organize(old, new, OWN, NOW, BOUNDS, keeps_answers=keeps_answers)


def to(outcome: Outcome, address: str) -> list[ItipMessage]:
    return [one for one in outcome.messages if one.recipient == address]


def methods(outcome: Outcome) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in outcome.messages:
        found.setdefault(one.recipient, []).append(one.method)
    return found


def answer(data: bytes | None, address: str, key: int | None = None) -> str:
    component = series(data).get(key)
    assert component is not None
    line = find_attendee(component, (address,))
    assert line is not None
    return partstat(line)


def test_a_new_event_invites_all_but_the_organizer() -> None:
    outcome = change(None, calendar(event(attendee(BOB), attendee(EVE, more=";SCHEDULE-STATUS=1.1"))))
    assert methods(outcome) == {BOB: ["REQUEST"], EVE: ["REQUEST"]}
    message = read_tree(outcome.messages[0].data, BOUNDS)
    assert message.value("METHOD") == "REQUEST"
    told = message.children("VEVENT")[0]
    assert told.value("DTSTAMP") == "20260921T141320Z"
    assert b"SCHEDULE-STATUS" not in outcome.messages[0].data
    assert len(told.all("ATTENDEE")) == 3


def test_alarms_and_own_marks_stay_at_home() -> None:
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM"
    outcome = change(None, calendar(event(attendee(BOB), "TRANSP:TRANSPARENT", alarm)))
    assert b"VALARM" not in outcome.messages[0].data
    assert b"TRANSP" not in outcome.messages[0].data
    assert outcome.data is not None
    assert b"VALARM" in outcome.data


@pytest.mark.parametrize("agent", ["CLIENT", "NONE", "X-OTHER"])
def test_the_server_speaks_only_for_itself(agent: str) -> None:
    lines = attendee(BOB, more=f";SCHEDULE-AGENT={agent}")
    assert change(None, calendar(event(lines))).messages == ()
    assert change(calendar(event(lines)), calendar(event(attendee(BOB)))).messages[0].method == "REQUEST"
    assert change(calendar(event(attendee(BOB))), calendar(event(lines))).messages[0].method == "CANCEL"


def test_nothing_is_sent_of_nothing() -> None:
    old = calendar(event(attendee(BOB, "ACCEPTED")))
    assert change(old, old).messages == ()
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM"
    assert change(old, calendar(event(attendee(BOB, "ACCEPTED"), alarm))).messages == ()
    outcome = change(old, old)
    assert outcome.data == old


def test_force_send_sends_again_and_is_taken_away() -> None:
    old = calendar(event(attendee(BOB, "DECLINED")))
    outcome = change(old, calendar(event(attendee(BOB, "NEEDS-ACTION", ";SCHEDULE-FORCE-SEND=REQUEST"))))
    assert methods(outcome) == {BOB: ["REQUEST"]}
    assert b"FORCE" not in outcome.messages[0].data
    assert outcome.data is not None
    assert b"FORCE" not in outcome.data
    assert answer(outcome.data, BOB) == "NEEDS-ACTION"


def test_another_time_asks_again() -> None:
    old = calendar(event(attendee(BOB, "ACCEPTED")))
    outcome = change(old, calendar(event(attendee(BOB, "ACCEPTED"), start="20260908T090000")))
    assert methods(outcome) == {BOB: ["REQUEST"]}
    assert answer(outcome.data, BOB) == "NEEDS-ACTION"
    assert answer(outcome.data, ANN) == "ACCEPTED"
    assert series(outcome.data).first.value("SEQUENCE") == "1"


def test_another_place_tells_and_keeps_answers() -> None:
    old = calendar(event(attendee(BOB, "ACCEPTED")))
    outcome = change(old, calendar(event(attendee(BOB, "ACCEPTED"), "LOCATION:Hall")))
    assert methods(outcome) == {BOB: ["REQUEST"]}
    assert answer(outcome.data, BOB) == "ACCEPTED"
    assert series(outcome.data).first.value("SEQUENCE") == "0"


@pytest.mark.parametrize(
    ("before", "after", "asks"),
    [
        ("DTSTART;VALUE=DATE:20260907", "DTSTART;TZID=Europe/Paris:20260907T000000", True),
        ("DTSTART;TZID=Europe/Paris:20260907T090000", "DTSTART:20260907T070000Z", False),
        ("DTSTART;TZID=Europe/Paris:20260907T090000", "DTSTART;TZID=America/New_York:20260907T090000", True),
    ],
)
def test_all_day_and_zones(before: str, after: str, asks: bool) -> None:
    def whole(start: str) -> bytes:
        lines = event(attendee(BOB, "ACCEPTED"), "DURATION:PT1H" if "DATE:" not in start else "DURATION:P1D").split(
            "\r\n"
        )
        kept = [one for one in lines if not one.startswith(("DTSTART", "DTEND"))]
        return calendar("\r\n".join([kept[0], start, *kept[1:]]))

    outcome = change(whole(before), whole(after))
    assert answer(outcome.data, BOB) == ("NEEDS-ACTION" if asks else "ACCEPTED")


@pytest.mark.parametrize(
    ("before", "after", "asks"),
    [
        ("RRULE:FREQ=WEEKLY;COUNT=5", "RRULE:FREQ=WEEKLY;COUNT=4", False),
        ("RRULE:FREQ=WEEKLY;COUNT=5", "RRULE:FREQ=WEEKLY;COUNT=6", True),
        ("RRULE:FREQ=WEEKLY;COUNT=5", "RRULE:FREQ=DAILY;COUNT=5", True),
        ("RRULE:FREQ=WEEKLY", "RRULE:FREQ=WEEKLY;UNTIL=20261001T000000Z", False),
        ("RRULE:FREQ=WEEKLY;UNTIL=20261001T000000Z", "RRULE:FREQ=WEEKLY", True),
        ("RRULE:FREQ=WEEKLY;UNTIL=20261001T000000Z", "RRULE:FREQ=WEEKLY;UNTIL=20260901T000000Z", False),
        ("CATEGORIES:A", "RRULE:FREQ=WEEKLY", True),
        ("RRULE:FREQ=WEEKLY", "CATEGORIES:A", False),
        ("CATEGORIES:A", "RDATE;TZID=Europe/Paris:20260909T090000", True),
        (f"{RULE}\r\nEXDATE;TZID=Europe/Paris:20260914T090000", RULE, True),
    ],
)
def test_only_more_or_other_times_reset_answers(before: str, after: str, asks: bool) -> None:
    outcome = change(
        calendar(event(attendee(BOB, "ACCEPTED"), before)), calendar(event(attendee(BOB, "ACCEPTED"), after))
    )
    assert methods(outcome) == {BOB: ["REQUEST"]}
    assert answer(outcome.data, BOB) == ("NEEDS-ACTION" if asks else "ACCEPTED")
    assert series(outcome.data).first.value("SEQUENCE") == "1"


def test_deleting_cancels() -> None:
    outcome = change(calendar(event(attendee(BOB))), None)
    assert methods(outcome) == {BOB: ["CANCEL"]}
    told = series(outcome.messages[0].data).first
    assert (told.value("STATUS"), told.value("SEQUENCE")) == ("CANCELLED", "1")
    assert outcome.data is None


def test_a_removed_attendee_hears_of_it_alone() -> None:
    outcome = change(calendar(event(attendee(BOB), attendee(EVE))), calendar(event(attendee(BOB))))
    assert methods(outcome) == {BOB: ["REQUEST"], EVE: ["CANCEL"]}
    told = series(to(outcome, EVE)[0].data).first
    assert [line.value for line in told.all("ATTENDEE")] == [f"mailto:{EVE}"]


def test_one_instance_is_told_of_alone() -> None:
    old = calendar(event(attendee(BOB, "ACCEPTED"), RULE))
    moved = instance("20260914T090000", attendee(BOB, "ACCEPTED"), start="20260914T110000")
    outcome = change(old, calendar(event(attendee(BOB, "ACCEPTED"), RULE), moved))
    (message,) = outcome.messages
    told = series(message.data)
    assert told.master is None
    (key,) = told.overrides
    assert answer(outcome.data, BOB, key) == "NEEDS-ACTION"
    assert answer(outcome.data, BOB) == "ACCEPTED"
    assert series(outcome.data).overrides[key].value("SEQUENCE") == "1"


def test_one_instance_left_out_is_cancelled_alone() -> None:
    old = calendar(event(attendee(BOB, "ACCEPTED"), RULE))
    new = calendar(event(attendee(BOB, "ACCEPTED"), RULE, "EXDATE;TZID=Europe/Paris:20260914T090000"))
    (message,) = change(old, new).messages
    told = series(message.data)
    assert message.method == "CANCEL"
    assert told.master is None
    (component,) = told.overrides.values()
    assert component.value("RECURRENCE-ID") == "20260914T090000"
    assert component.value("DTSTART") == "20260914T090000"
    assert component.first("RRULE") is None


def test_one_who_is_invited_to_an_instance_knows_of_it_alone() -> None:
    old = calendar(event(attendee(BOB), RULE))
    once = instance("20260914T090000", attendee(BOB), attendee(EVE))
    outcome = change(old, calendar(event(attendee(BOB), RULE), once))
    told = series(to(outcome, EVE)[0].data)
    assert told.master is None
    assert len(told.overrides) == 1
    both = change(outcome.data, calendar(event(attendee(BOB), RULE)))
    assert methods(both) == {BOB: ["REQUEST"], EVE: ["CANCEL"]}


def test_one_who_is_not_invited_to_an_instance_does_not_see_it() -> None:
    once = instance("20260914T090000", attendee(BOB), "LOCATION:Secret")
    new = calendar(event(attendee(BOB), attendee(EVE), RULE), once)
    outcome = change(None, new)
    told = series(to(outcome, EVE)[0].data)
    assert not told.overrides
    assert told.master is not None
    assert told.master.value("EXDATE") == "20260914T090000"
    assert b"Secret" not in to(outcome, EVE)[0].data
    later = change(calendar(event(attendee(BOB), attendee(EVE), RULE)), new)
    assert methods(later) == {BOB: ["REQUEST"], EVE: ["CANCEL"]}


def test_a_cancelled_status_cancels() -> None:
    old = calendar(event(attendee(BOB), RULE))
    assert methods(change(old, calendar(event(attendee(BOB), RULE, "STATUS:CANCELLED")))) == {BOB: ["CANCEL"]}
    once = instance("20260914T090000", attendee(BOB), "STATUS:CANCELLED")
    outcome = change(old, calendar(event(attendee(BOB), RULE), once))
    assert methods(outcome) == {BOB: ["CANCEL"]}
    assert change(outcome.data, outcome.data).messages == ()


def test_from_all_to_one_instance() -> None:
    old = calendar(event(attendee(BOB), attendee(EVE), RULE))
    once = instance("20260914T090000", attendee(BOB), attendee(EVE))
    outcome = change(old, calendar(event(attendee(BOB), RULE), once))
    assert [one.method for one in to(outcome, EVE)] == ["CANCEL", "REQUEST"]


def test_this_and_future_is_a_shorter_and_a_new_event() -> None:
    old = calendar(event(attendee(BOB, "ACCEPTED"), "RRULE:FREQ=WEEKLY"))
    shorter = change(old, calendar(event(attendee(BOB, "ACCEPTED"), "RRULE:FREQ=WEEKLY;UNTIL=20261001T000000Z")))
    assert methods(shorter) == {BOB: ["REQUEST"]}
    assert answer(shorter.data, BOB) == "ACCEPTED"
    rest = calendar(event(attendee(BOB), "RRULE:FREQ=WEEKLY", start="20261005T100000", uid="two"))
    assert methods(change(None, rest)) == {BOB: ["REQUEST"]}


def test_an_organizer_does_not_answer_for_others() -> None:
    old = calendar(event(attendee(BOB, "DECLINED")))
    outcome = change(old, calendar(event(attendee(BOB, "ACCEPTED"))))
    assert answer(outcome.data, BOB) == "DECLINED"
    assert outcome.messages == ()
    again = change(old, calendar(event(attendee(BOB, "NEEDS-ACTION"))), keeps_answers=True)
    assert answer(again.data, BOB) == "DECLINED"


def test_status_is_put_down() -> None:
    data = with_status(calendar(event(attendee(BOB), attendee(EVE))), {BOB: "1.2"}, "ATTENDEE", BOUNDS)
    lines = series(data).first.all("ATTENDEE")
    assert [line.parameter("SCHEDULE-STATUS") for line in lines] == [None, "1.2", None]
