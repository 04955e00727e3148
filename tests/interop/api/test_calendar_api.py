"""Calendars, events and contacts: kept octet for octet, seen alike over DAV, changed only by who saw the last state."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer

Client = Callable[..., httpx.Client]


def ical(uid: str, *lines: str, summary: str = "Meeting, über Öl") -> str:
    escaped = summary.replace(",", "\\,")
    return "\r\n".join(
        (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//x//y//EN",
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20260101T000000Z",
            *(lines or ("DTSTART:20261201T090000Z", "DTEND:20261201T100000Z")),
            f"SUMMARY:{escaped}",
            "LOCATION:Room 1",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        )
    )


def test_calendars_live_their_life(as_account: Client) -> None:
    with as_account("alice") as client:
        paths = [one["path"] for one in client.get("/calendars").json()]
        assert paths == ["default", "tasks"]
        made = client.post(
            "/calendars", json={"name": "Work & <Play>", "color": "#FF0000", "timezone": "Europe/Berlin"}
        )
        calendar = made.json()
        assert (calendar["name"], calendar["color"], calendar["timezone"]) == (
            "Work & <Play>",
            "#FF0000",
            "Europe/Berlin",
        )
        path = f"/calendars/{calendar['id']}"
        changed = client.put(path, json={"name": "Wörk", "color": ""}).json()
        assert (changed["name"], changed["color"], changed["timezone"]) == ("Wörk", "", "Europe/Berlin")
        assert client.get(path).json() == changed
        for bad in ({"name": ""}, {"name": "x", "color": "red"}, {"name": "x", "components": ["VALARM"]}):
            assert client.post("/calendars", json=bad).status_code == 400, bad
        assert client.delete(path).json()["name"] == "Wörk"
        assert client.get(path).status_code == 404
        for unknown in ("C999999", "E1", "x", "C" + "9" * 30, "%2e%2e"):
            assert client.get(f"/calendars/{unknown}").status_code == 404


def test_an_event_is_kept_as_it_is_and_seen_over_dav(server: MailsteadServer, as_account: Client) -> None:
    with as_account("alice") as client:
        source = ical("event-1")
        made = client.post("/calendar-events", json={"ical": source, "event_id": "my-event"})
        event = made.json()
        assert (event["summary"], event["location"], event["ical"]) == ("Meeting, über Öl", "Room 1", source)
        assert (event["start_date"], event["end_date"]) == ("2026-12-01T09:00:00.000Z", "2026-12-01T10:00:00.000Z")
        assert made.headers["etag"] == event["etag"]
        host, port = server.address("http")
        url = f"http://{host}:{port}/dav/alice@example.test/calendars/default/my-event.ics"
        auth = ("alice@example.test", server.password("alice"))
        over_dav = httpx.get(url, auth=auth)
        assert over_dav.content == source.encode()
        assert over_dav.headers["etag"] == event["etag"]
        assert client.post("/calendar-events", json={"ical": source, "event_id": "my-event"}).status_code == 409
        assert client.post("/calendar-events", json={"ical": source, "event_id": "other"}).status_code == 409  # the UID
        path = f"/calendar-events/{event['id']}"
        assert client.get(path, headers={"if-none-match": event["etag"]}).status_code == 304
        other = httpx.put(
            url, auth=auth, content=ical("event-1", summary="Moved"), headers={"content-type": "text/calendar"}
        )
        assert other.status_code == 204
        stale = client.put(path, json={"ical": ical("event-1")}, headers={"if-match": event["etag"]})
        assert stale.status_code == 412
        now = client.get(path).json()
        assert now["summary"] == "Moved"
        changed = client.put(path, json={"ical": ical("event-1", summary="Back")}, headers={"if-match": now["etag"]})
        assert (changed.status_code, changed.json()["summary"]) == (200, "Back")
        assert client.delete(path, headers={"if-match": now["etag"]}).status_code == 412
        assert client.delete(path).json()["deleted_at"]
        assert client.get(path).status_code == 404
        assert httpx.get(url, auth=auth).status_code == 404


def test_who_is_invited_over_the_api_has_it_in_the_calendar(as_account: Client) -> None:
    people = (
        "DTSTART:20261203T090000Z",
        "DTEND:20261203T100000Z",
        "ORGANIZER:mailto:alice@example.test",
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:alice@example.test",
        "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.test",
    )
    with as_account("alice") as alice, as_account("bob") as bob:
        made = alice.post("/calendar-events", json={"ical": ical("invited-1", *people)})
        assert made.status_code == 200, made.text

        def of_bob() -> list[dict[str, Any]]:
            return [one for one in bob.get("/calendar-events").json() if one["uid"] == "invited-1"]

        eventually_sync(of_bob)
        assert alice.delete(f"/calendar-events/{made.json()['id']}").status_code == 200
        eventually_sync(lambda: not of_bob() or "STATUS:CANCELLED" in of_bob()[0]["ical"])


def test_events_are_found_by_when_they_take_place(as_account: Client) -> None:
    with as_account("bob") as client:
        calendar = client.post("/calendars", json={"name": "Range"}).json()["id"]
        weekly = ("DTSTART:20260105T090000Z", "DTEND:20260105T100000Z", "RRULE:FREQ=WEEKLY;UNTIL=20270101T000000Z")
        days = ("DTSTART;VALUE=DATE:20260310", "DTEND;VALUE=DATE:20260312")
        for uid, lines in (("once", ()), ("weekly", weekly), ("days", days)):
            wanted = {"ical": ical(f"range-{uid}", *lines), "calendar_id": calendar}
            assert client.post("/calendar-events", json=wanted).status_code == 200

        def found(**params: str) -> list[str]:
            answer = client.get("/calendar-events", params={"calendar_id": calendar, **params})
            assert answer.status_code == 200, answer.text
            return sorted(one["uid"].removeprefix("range-") for one in answer.json())

        assert found() == ["days", "once", "weekly"]
        assert found(start_date="2026-03-10", end_date="2026-03-11") == ["days"]
        assert found(start_date="2026-03-09T09:30:00Z", end_date="2026-03-09T09:31:00Z") == ["weekly"]
        assert found(start_date="2026-03-09T10:30:00Z", end_date="2026-03-09T11:31:00Z") == []
        assert found(start_date="2027-06-01") == []
        (all_day,) = [one for one in client.get("/calendar-events").json() if one["uid"] == "range-days"]
        assert (all_day["is_all_day"], all_day["is_recurring"]) == (True, False)
        page = client.get("/calendar-events", params={"calendar_id": calendar, "limit": 2})
        assert (len(page.json()), page.headers["x-item-count"]) == (2, "3")
        assert client.get("/calendar-events", params={"calendar_id": "C999999"}).status_code == 404


@pytest.mark.parametrize(
    "bad",
    [
        {"ical": ""},
        {"ical": "no calendar"},
        {"ical": "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"},
        {"ical": ical("x").replace("END:VEVENT", "END:VTODO")},
        {"ical": ical("x").replace("UID:x", "X:x")},
        {"ical": ical("x", "DTSTART:not a time")},
        {"ical": ical("x").replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST")},
        {"ical": "BEGIN:X\r\n" * 2000},
        {"ical": ical("x").replace("VEVENT", "VTODO")},
        {"ical": ical("x"), "event_id": "../../etc/passwd"},
        {"ical": ical("x"), "event_id": ".hidden"},
        {"ical": ical("x"), "event_id": "a/b"},
        {"ical": 5},
        {},
    ],
    ids=lambda bad: str(bad)[:60],
)
def test_what_is_no_event_is_refused(as_account: Client, bad: dict[str, Any]) -> None:
    with as_account("alice") as client:
        before = client.get("/calendar-events").headers["x-item-count"]
        assert client.post("/calendar-events", json=bad).status_code == 400
        assert client.get("/calendar-events").headers["x-item-count"] == before


def test_contacts_are_made_of_fields_and_kept_as_cards(server: MailsteadServer, as_account: Client) -> None:
    with as_account("alice") as client:
        wanted = {
            "full_name": "Anna Maria Müller",
            "emails": [{"value": "anna@x.test", "type": "work"}, {"value": "a@home.test"}],
            "phone_numbers": [{"value": "+49 30 123", "type": "CELL"}],
        }
        made = client.post("/contacts", json=wanted).json()
        card = made["content"]
        for line in ("VERSION:3.0", "N:Müller;Anna;Maria;;", "FN:Anna Maria Müller", "TEL;TYPE=CELL:+49 30 123"):
            assert f"\r\n{line}\r\n" in card, card
        assert made["emails"] == [{"value": "anna@x.test", "type": "WORK"}, {"value": "a@home.test", "type": ""}]
        path = f"/contacts/{made['id']}"
        changed = client.put(path, json={"phone_numbers": [], "full_name": "Anna Schmidt"}).json()
        assert (changed["full_name"], changed["phone_numbers"], len(changed["emails"])) == ("Anna Schmidt", [], 2)
        assert changed["contact_id"] == made["contact_id"]
        assert client.put(path, json={}, headers={"if-match": made["etag"]}).status_code == 412
        assert client.get(path, headers={"if-none-match": changed["etag"]}).status_code == 304
        source = "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:own-1\r\nFN:Zoë\r\nX-ODD:kept\r\nKIND:group\r\nEND:VCARD\r\n"
        group = client.post("/contacts", json={"content": source}).json()
        assert (group["content"], group["contact_id"], group["is_group"]) == (source, "own-1", True)
        assert client.post("/contacts", json={"content": source}).status_code == 409
        renamed = client.put(f"/contacts/{group['id']}", json={"full_name": "Zoé"}).json()
        assert "X-ODD:kept" in renamed["content"]
        assert [one["full_name"] for one in client.get("/contacts", params={"q": "HOME.test"}).json()] == [
            "Anna Schmidt"
        ]
        assert client.get("/contacts").headers["x-item-count"] == "2"
        host, port = server.address("http")
        root = f"http://{host}:{port}/dav/alice@example.test/contacts/default/"
        auth = ("alice@example.test", server.password("alice"))
        listed = httpx.request("PROPFIND", root, auth=auth, headers={"depth": "1"})
        assert listed.text.count(".vcf</") == 2
        assert client.delete(path).json()["contact_id"] == made["contact_id"]
        assert client.delete(path).status_code == 404
        assert client.delete(f"/contacts/{group['id']}").status_code == 200


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"full_name": "   "},
        {"content": "no card"},
        {"content": "BEGIN:VCARD\r\nVERSION:3.0\r\nEND:VCARD\r\n"},
        {"full_name": "x", "emails": [{"value": "a\r\nTEL:1"}]},
        {"full_name": "x", "emails": [{"value": "a", "type": "a;b"}]},
        {"full_name": "x", "emails": ["a@x.test"]},
        {"full_name": "x", "address_book_id": "B999999"},
    ],
    ids=str,
)
def test_what_is_no_contact_is_refused(as_account: Client, bad: dict[str, Any]) -> None:
    with as_account("bob") as client:
        assert client.post("/contacts", json=bad).status_code in (400, 404)
        assert client.get("/contacts").json() == []
