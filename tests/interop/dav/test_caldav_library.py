"""The caldav library's own high-level calls."""

from datetime import UTC, datetime, timedelta

import caldav
import pytest
from caldav.elements import dav
from caldav.lib.error import AuthorizationError, NotFoundError

from support.dav import calendar as ical
from support.dav import event as component
from support.mailstead_server import MailsteadServer

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_library(server: MailsteadServer, login: tuple[str, str]) -> None:
    host, port = server.address("caldav")
    address, password = login
    url = f"http://{host}:{port}/"
    with caldav.DAVClient(url=url, username=address, password=password) as client:
        principal = client.principal()
        assert {one.get_display_name() for one in principal.calendars()} == {"Calendar", "Tasks"}
        calendar = principal.make_calendar(name="Work", cal_id="work")
        event = calendar.save_event(ical(component("a", "DTSTART:20260302T090000Z", "SUMMARY:Jour fixe")))
        weekly = calendar.save_event(
            ical(component("b", "DTSTART:20260303T090000Z", "SUMMARY:Weekly", "RRULE:FREQ=WEEKLY;COUNT=4"))
        )
        assert len(calendar.events()) == 2
        found = calendar.search(start=START, end=START + timedelta(days=31), event=True, expand=True)
        assert len(found) == 5
        assert calendar.event_by_uid(event.icalendar_component["uid"]).icalendar_component["summary"] == "Jour fixe"
        assert [one.icalendar_component["summary"] for one in calendar.search(event=True, summary="Week")] == ["Weekly"]
        synced = calendar.objects(load_objects=True)
        assert len(list(synced)) == 2
        event.icalendar_component["summary"] = "Changed"
        event.save()
        weekly.delete()
        updated, deleted = synced.sync()
        assert ([str(one.url) for one in updated], [str(one.url) for one in deleted]) == (
            [str(event.url)],
            [str(weekly.url)],
        )
        tasks = principal.calendar(cal_id="tasks")
        task = tasks.save_todo(ical("BEGIN:VTODO", "UID:t", "DTSTAMP:20260101T000000Z", "SUMMARY:Pay", "END:VTODO"))
        assert [one.icalendar_component["summary"] for one in tasks.todos()] == ["Pay"]
        task.complete()
        assert tasks.todos() == []
        assert len(tasks.todos(include_completed=True)) == 1
        busy = calendar.freebusy_request(START - timedelta(days=1), START + timedelta(days=1))
        assert "FREEBUSY:20260302T090000Z/20260302T100000Z" in busy.data
        calendar.set_properties([dav.DisplayName("Renamed")])
        assert calendar.get_display_name() == "Renamed"
        with pytest.raises(AuthorizationError):
            tasks.save_event(ical(component("c")))
        calendar.delete()
        with pytest.raises(NotFoundError):
            calendar.events()
