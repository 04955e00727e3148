"""WCAG 2.2 AA: axe-core finds nothing on any page, light and dark, desktop and phone; and no page needs a pointer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from support.mailstead_server import MailsteadServer
from support.web import DESKTOP, PHONE, browsing, enter, origin
from web.test_webmail import deliver

pytestmark = pytest.mark.xdist_group("web-access")
AXE = (Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js").read_text("utf-8")
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
STRANGERS = ("/login", "/nothing", "/join")
PAGES = (
    "/mail/",
    "/mail/compose",
    "/mail/scheduled/",
    "/calendar/?view=week",
    "/calendar/?view=month",
    "/calendar/?view=agenda",
    "/calendar/new",
    "/calendar/settings/",
    "/contacts/",
    "/contacts/card",
    "/contacts/duplicates",
    "/account/",
    "/account/writing",
    "/account/filters",
    "/account/erased",
    "/account/security",
    "/account/backups",
    "/account/transfers",
    "/account/sent",
    "/account/notifications",
    "/account/zero-access",
    "/account/invites",
    "/account/aliases/key?address=admin@example.test",
    "/account/domains/example.test/members",
    "/account/domains/example.test/access",
    "/account/aliases/bulk",
    "/account/aliases/",
    "/account/aliases/add",
    "/account/domains/",
    "/account/domains/example.test",
    "/account/tokens/",
    "/admin/",
    "/admin/users",
    "/admin/domains",
    "/admin/queue",
    "/admin/trace?q=admin@example.test",
    "/admin/certificates",
    "/admin/backups",
    "/admin/updates",
    "/admin/access",
    "/admin/doctor?run=yes",
    "/account/reports/example.test",
    "/admin/settings",
    "/admin/audit",
    "/admin/setup/example.test",
    "/admin/setup/example.test/publish",
    "/admin/setup/example.test/certificate",
    "/admin/setup/example.test/mailbox",
    "/admin/setup/example.test/test",
    "/styleguide",
)
_STOPS = 500  # more than the page has, whatever people the other tests added


def violations(page: Page) -> list[str]:
    """What axe finds, a line each."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("(rules) => axe.run(document, rules)", RULES)
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@pytest.fixture(params=[(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop-light", "phone-dark"])
def page(request: pytest.FixtureRequest, browser: Browser, server: MailsteadServer) -> Iterator[Page]:
    size, scheme = request.param
    with browsing(browser, server, size=size, scheme=scheme) as opened:
        yield opened


def test_axe_finds_nothing(page: Page, server: MailsteadServer, admin: str, pictures: Path) -> None:
    html = '<p>Hello <b>there</b></p><img src="https://elsewhere.test/a.png" alt="">'
    deliver(server, "Looked at", "text", html, b"%PDF-1.4", to=admin)
    found: dict[str, list[str]] = {}
    for path in STRANGERS:
        page.goto(f"{origin(server)}{path}")
        found[path] = violations(page)
    enter(page, server, admin)
    page.locator(".row", has_text="Looked at").locator("a").click()
    page.wait_for_selector(".letter[open]")
    found["a message"] = violations(page)
    page.goto(f"{origin(server)}/mail/")
    page.keyboard.press("?")
    found["the help"] = violations(page)
    assert page.viewport_size is not None
    for path in PAGES:
        page.goto(f"{origin(server)}{path}")
        found[path] = violations(page)
        name = path.strip("/").replace("/", "-").partition("?")[0]
        page.screenshot(path=pictures / f"page-{name}-{page.viewport_size['width']}.png", full_page=True)
    assert {path: problems for path, problems in found.items() if problems} == {}


def test_mail_is_read_and_answered_with_the_keyboard_alone(browser: Browser, server: MailsteadServer) -> None:
    deliver(server, "Keys only", "please answer")
    with browsing(browser, server, size=DESKTOP) as page:
        page.goto(origin(server))
        page.keyboard.type("alice@example.test")
        page.keyboard.press("Tab")
        page.keyboard.type(server.password("alice"))
        page.keyboard.press("Enter")
        page.wait_for_selector("#list")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("j")
        expect(page.locator(".row a").first).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator(".letter[open]")).to_contain_text("please answer")
        page.keyboard.press("r")
        expect(page.locator("#subject")).to_have_value("Re: Keys only")
        expect(page.locator("#rich")).to_be_focused()
        page.keyboard.type("Gladly.")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("#list")
        expect(page.locator(".toast")).to_contain_text("Sent")


def test_focus_is_seen_and_never_trapped(browser: Browser, server: MailsteadServer, admin: str) -> None:
    with browsing(browser, server, size=DESKTOP) as page:
        enter(page, server, admin, "/admin/users")
        expect(page.get_by_role("button", name="Add the user")).to_be_visible()  # the keys are for this page
        seen: list[str] = []
        for _ in range(_STOPS):
            page.keyboard.press("Tab")
            where: str = page.evaluate(
                """() => {
                    const at = document.activeElement;
                    if (at === document.body) return "";
                    const style = getComputedStyle(at);
                    const box = at.matches("input[type=checkbox]");
                    const shown = box || style.boxShadow !== "none" || style.outlineStyle !== "none";
                    return (shown ? "" : "unseen ") + at.outerHTML.slice(0, 120);
                }"""
            )
            if not where:
                break
            seen.append(where)
        assert not [one for one in seen if one.startswith("unseen")]
        assert len(seen) < _STOPS  # the end of the page was come to
        assert any("Add the user" in one or "button" in one for one in seen)
