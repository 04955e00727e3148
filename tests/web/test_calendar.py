"""The calendar as people see it."""

from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from support.mailstead_server import MailsteadServer
from support.web import DESKTOP, PHONE, browsing, enter, logged_in, send

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
            page.goto(f"{page_origin(filled)}/calendar/?view={view}&on={MONDAY}")
            expect(page.locator(".event", has_text="Stand-up").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
            page.screenshot(path=pictures / f"calendar-{view}-{size[0]}-{scheme}.png")
        page.goto(f"{page_origin(filled)}/calendar/?view=week&on={MONDAY}")
        page.locator(".event", has_text="Workshop").first.click()
        expect(page.locator("#title")).to_have_value("Workshop")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.screenshot(path=pictures / f"calendar-event-{size[0]}-{scheme}.png", full_page=True)


def page_origin(server: MailsteadServer) -> str:
    host, port = server.address("http")
    return f"http://{host}:{port}"
