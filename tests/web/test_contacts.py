"""Contacts as people see them."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from support.mailstead_server import MailsteadServer
from support.web import DESKTOP, PHONE, browsing, enter, logged_in, send

ALICE = "alice@example.test"


def add(server: MailsteadServer, **fields: str) -> None:
    with logged_in(server, ALICE) as client:
        page = client.get("/contacts/card").text
        book = page.partition('<option value="own-')[2].partition('"')[0]
        assert send(client, "/contacts/save", book=f"own-{book}", **fields).status_code == 303


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_contacts(
    server: MailsteadServer, browser: Browser, pictures: Path, size: tuple[int, int], scheme: str
) -> None:
    mark = f"{size[0]}"
    add(server, first="Ada", last=f"Lane{mark}", emails=f"ada{mark}@far.test", groups="Friends", organization="Engines")
    add(server, first="A.", last="L", emails=f"ada{mark}@far.test", phones="+1 234")
    with browsing(browser, server, size=size, scheme=scheme) as page:  # type: ignore[arg-type] # of the table
        enter(page, server, ALICE, "/contacts/card")
        page.fill("#first", "Grace")
        page.fill("#last", f"Hill{mark}")
        page.fill("#emails", "not an address")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("#problem")).to_be_visible()
        page.fill("#emails", f"grace{mark}@far.test")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".contacts li", has_text=f"Grace Hill{mark}")).to_have_count(1)
        page.screenshot(path=pictures / f"contacts-{mark}.png")
        page.get_by_role("link", name="Friends").click()
        expect(page.locator(".contacts li", has_text=f"Hill{mark}")).to_have_count(0)
        page.get_by_label("Search contacts").fill(f"lane{mark}")
        page.keyboard.press("Enter")
        expect(page.locator(".contacts li")).to_have_count(1)
        page.locator(".contacts a.who").click()
        expect(page.locator("#organization")).to_have_value("Engines")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.screenshot(path=pictures / f"contact-{mark}.png", full_page=True)
        page.goto(page.url.partition("/contacts")[0] + "/contacts/duplicates")
        page.locator("form", has_text=f"ada{mark}@far.test").get_by_role("button", name="Merge").click()
        expect(page.locator("form", has_text=f"ada{mark}@far.test")).to_have_count(0)
        page.goto(page.url.partition("/contacts")[0] + f"/contacts/?q=ada{mark}")
        expect(page.locator(".contacts li")).to_have_count(1)
        expect(page.locator(".contacts li")).to_contain_text("+1 234")
        page.locator(".contacts a.who").click()
        page.get_by_role("button", name="Remove").click()
        expect(page.locator(".contacts li", has_text=f"ada{mark}")).to_have_count(0)
