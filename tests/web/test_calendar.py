"""The calendar as people see it."""

import re
import smtplib
import ssl
from datetime import date, timedelta
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from support.mailstead_server import MailsteadServer
from support.web import DESKTOP, PHONE, browsing, enter, logged_in, origin, password_of, send

ALICE, BOB = "alice@example.test", "bob@example.test"
MONDAY = date(2026, 9, 7)


def make(client: httpx.Client, title: str, day: date, start: str, end: str, **more: str) -> None:
    """An event by the form, without a browser."""
    page = client.get("/calendar/new").text
    calendar = page.partition('<option value="own-')[2].partition('"')[0]
    fields = {
        "calendar": f"own-{calendar}",
        "title": title,
        "start_day": f"{day}",
        "start_time": start,
        "end_day": f"{day}",
        "end_time": end,
        "zone": "UTC",
    }
    assert send(client, "/calendar/save", **(fields | more)).status_code == 303


@pytest.fixture(scope="module")
def filled(server: MailsteadServer) -> MailsteadServer:
    """alice has a week."""
    with logged_in(server, ALICE) as client:
        make(client, "Stand-up", MONDAY, "09:00", "09:30", repeat="WORKDAYS", until=f"{MONDAY + timedelta(days=60)}")
        make(client, "Design review", MONDAY, "09:15", "10:45", place="Room 2")
        make(client, "Lunch with Max", MONDAY + timedelta(days=1), "12:00", "13:30", is_free="yes")
        make(client, "Workshop", MONDAY + timedelta(days=2), "10:00", "16:00", people=BOB, notes="Bring the plan")
        make(client, "Holiday", MONDAY + timedelta(days=3), "00:00", "00:00", all_day="yes")
        make(
            client,
            "Trip",
            MONDAY + timedelta(days=4),
            "00:00",
            "00:00",
            all_day="yes",
            end_day=f"{MONDAY + timedelta(days=6)}",
        )
    return server


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_views(filled: MailsteadServer, browser: Browser, pictures: Path, size: tuple[int, int], scheme: str) -> None:
    with browsing(browser, filled, size=size, scheme=scheme) as page:  # type: ignore[arg-type] # of the table
        enter(page, filled, ALICE, "/calendar/")
        for view in ("week", "day", "month", "agenda"):
            page.goto(f"{origin(filled)}/calendar/?view={view}&on={MONDAY}")
            expect(page.locator(".event", has_text="Stand-up").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
            page.screenshot(path=pictures / f"calendar-{view}-{size[0]}-{scheme}.png")
        page.goto(f"{origin(filled)}/calendar/?view=week&on={MONDAY}")
        page.locator(".event", has_text="Workshop").first.click()
        expect(page.locator("#title")).to_have_value("Workshop")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.screenshot(path=pictures / f"calendar-event-{size[0]}-{scheme}.png", full_page=True)


def invite(server: MailsteadServer, uid: str) -> None:
    """bob, whose mail program knows no CalDAV, invites alice by mail."""
    event = "\r\n".join(
        (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//test//EN",
            "METHOD:REQUEST",
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20260901T000000Z",
            "DTSTART:20260915T100000Z",
            "DTEND:20260915T110000Z",
            "SUMMARY:Garden party",
            "LOCATION:Behind the house",
            f"ORGANIZER;CN=Bob:mailto:{BOB}",
            f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{BOB}",
            f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{ALICE}",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        )
    )
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = BOB, ALICE, "Invitation: Garden party"
    mail.set_content("Come!")
    mail.add_alternative(event.encode(), "text", "calendar", params={"method": "REQUEST", "charset": "utf-8"})
    host, port = server.address("submissions")
    context = ssl.create_default_context(cafile=server.ready["ca"])
    context.check_hostname = False
    with smtplib.SMTP_SSL(host, port, context=context) as client:
        client.login(BOB, password_of(server, BOB))
        client.send_message(mail)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_invitation_is_answered_where_it_is_read(
    filled: MailsteadServer, browser: Browser, pictures: Path, size: tuple[int, int]
) -> None:
    invite(filled, f"party-{size[0]}")
    with browsing(browser, filled, size=size, scheme="dark" if size == PHONE else "light") as page:
        enter(page, filled, ALICE)
        page.locator("#list a", has_text="Garden party").first.click()
        card = page.locator(".invitation").last
        expect(card).to_contain_text("Tuesday, 15 September 2026, 10:00 to 11:00 UTC")
        expect(card).to_contain_text("Behind the house")
        page.screenshot(path=pictures / f"invitation-{size[0]}.png")
        card.get_by_role("button", name="Accept").click()
        expect(page.locator(".invitation .badge.good").last).to_have_text("accepted")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.goto(f"{origin(filled)}/calendar/?view=day&on=2026-09-15")
        expect(page.locator(".event", has_text="Garden party").first).to_be_visible()


def test_an_event_is_made_changed_and_removed(filled: MailsteadServer, browser: Browser) -> None:
    day = date(2026, 10, 5)
    with browsing(browser, filled) as page:
        enter(page, filled, BOB)
        page.goto(f"{origin(filled)}/calendar/?view=week&on={day}")
        page.locator(f'.lanes[data-day="{day}"]').click(position={"x": 40, "y": 12 * 4 * 12 + 5})
        expect(page.locator("#start_time")).to_have_value("12:00")
        page.fill("#title", "Rounds")
        page.select_option("#repeat", "DAILY")
        page.fill("#until", f"{day + timedelta(days=4)}")
        page.get_by_role("button", name="Save").click()
        rounds = page.locator(".event", has_text="Rounds")
        expect(rounds).to_have_count(5)
        rounds.nth(1).click()
        page.fill("#title", "Moved")
        page.fill("#start_time", "15:00")
        expect(page.locator("#end_time")).to_have_value("16:00")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".event", has_text="Moved")).to_have_count(1)
        expect(rounds).to_have_count(4)
        rounds.nth(2).click()
        page.fill("#title", "Later")
        page.get_by_label("this and all following").check()
        page.get_by_role("button", name="Save").click()
        expect(rounds).to_have_count(2)
        expect(page.locator(".event", has_text="Later")).to_have_count(2)
        rounds.nth(0).click()
        page.get_by_role("button", name="Remove").click()
        expect(rounds).to_have_count(1)
        block = page.locator(".event", has_text="Later").first
        box = block.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 20, box["y"] + 6)
        page.mouse.down()
        page.mouse.move(box["x"] + 20, box["y"] + 30)
        page.mouse.move(box["x"] + 20, box["y"] + 54)
        page.mouse.up()
        expect(page.locator(".event", has_text="Later").filter(has_text=re.compile("1:00.PM–2:00"))).to_have_count(1)


def test_sharing_by_page(filled: MailsteadServer, browser: Browser, pictures: Path) -> None:
    with browsing(browser, filled, size=PHONE) as page:
        enter(page, filled, ALICE, "/calendar/settings/")
        page.get_by_label("Address of the account").first.fill(BOB)
        page.get_by_role("button", name="Share", exact=True).first.click()
        expect(page.locator("form", has_text=BOB).first).to_contain_text("may read")
        page.get_by_role("button", name="New link").first.click()
        address = page.locator("#link").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.screenshot(path=pictures / "calendar-settings-390.png", full_page=True)
    with logged_in(filled, BOB) as client:
        shown = client.get("/calendar/", params={"view": "week", "on": f"{MONDAY}"}).text
        assert "Workshop" in shown
        assert "Design review" in shown
        assert "Design review" in httpx.get(address).text
    with logged_in(filled, ALICE) as client:
        page_text = client.get("/calendar/settings/").text
        key = page_text.partition('name="key" value="')[2].partition('"')[0]
        assert send(client, "/calendar/settings/unshare", key=key, sharee=BOB).status_code == 303
        assert send(client, "/calendar/settings/unlink", key=key).status_code == 303
        assert "Workshop" in client.get("/calendar/settings/export", params={"key": key}).text
    with logged_in(filled, BOB) as client:
        assert "Design review" not in client.get("/calendar/", params={"view": "week", "on": f"{MONDAY}"}).text
    assert httpx.get(address).status_code == 404
