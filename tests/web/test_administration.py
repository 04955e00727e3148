"""/admin, without JavaScript: what it shows, what it does, and who sees nothing of it."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer
from support.web import UNREACHABLE, csrf, enter, logged_in, origin, send

pytestmark = pytest.mark.xdist_group("web-admin")
PAGES = ("/admin/", "/admin/users", "/admin/domains", "/admin/queue", "/admin/trace", "/admin/certificates")
MORE = ("/admin/settings", "/admin/audit", "/admin/setup/example.test", "/admin/access", "/admin/doctor")


@pytest.fixture
def page(plain_page: Page, server: MailsteadServer, admin: str) -> Page:
    enter(plain_page, server, admin, "/admin/")
    return plain_page


def test_every_page_is_shown_and_fits(
    page: Page, server: MailsteadServer, size: tuple[int, int], pictures: Path
) -> None:
    for path in (*PAGES, *MORE):
        page.goto(f"{origin(server)}{path}")
        expect(page.locator("h1")).to_be_visible()
        fits = page.locator("html").evaluate("one => one.scrollWidth <= one.clientWidth")
        name = path.strip("/").replace("/", "-")
        page.screenshot(path=pictures / f"{name}-{size[0]}.png", full_page=True)
        assert fits, path


def test_a_user_is_made_changed_and_removed(page: Page, server: MailsteadServer, size: tuple[int, int]) -> None:
    address = f"staff{size[0]}@example.test"
    page.goto(f"{origin(server)}/admin/users")
    page.fill("#address", address)
    page.get_by_role("button", name="Add the user").click()
    first = page.locator("#made").inner_text()
    for button, told in (("Make an administrator", "administrator"), ("Take the role of administrator", "")):
        page.get_by_label(f"Actions: {address}").click()
        page.locator("details[open]").get_by_role("button", name=button).click()
        row = page.locator("tr", has_text=address)
        expect(row.locator(".badge")).to_have_count(1 if told else 0)
    page.get_by_label(f"Actions: {address}").click()
    page.locator("details[open]").get_by_role("button", name="New password").click()
    second = page.locator("#made").inner_text()
    assert second != first
    with logged_in(server, address, second) as client:
        assert client.get("/account/").status_code == 200
        page.get_by_label(f"Actions: {address}").click()
        page.locator("details[open]").get_by_role("button", name="Remove").click()
        expect(page.get_by_text(address)).to_have_count(0)
        assert client.get("/account/").status_code == 303


def test_a_domain_is_added_and_removed(page: Page, server: MailsteadServer, size: tuple[int, int]) -> None:
    domain = f"new{size[0]}.example"
    page.goto(f"{origin(server)}/admin/domains")
    page.fill("#name", domain)
    page.get_by_role("button", name="Add the domain").click()
    expect(page.get_by_role("heading", name=domain)).to_be_visible()
    page.goto(f"{origin(server)}/admin/domains")
    page.get_by_role("button", name=f"Remove: {domain}").click()
    expect(page.get_by_text(domain)).to_have_count(0)
    expect(page.get_by_role("button", name="Remove: example.test")).to_have_count(0)  # it has addresses


def test_queued_mail_is_held_released_and_dropped(
    page: Page, server: MailsteadServer, admin: str, size: tuple[int, int], pictures: Path
) -> None:
    target = f"far{size[0]}@{UNREACHABLE}"
    with logged_in(server, admin) as client:
        send(client, "/mail/compose/", to=target, subject="Waits", text="x", action="send")
    eventually_sync(lambda: server.command("trace", target, check=False).returncode == 0)
    page.goto(f"{origin(server)}/admin/trace?q={target}")
    expect(page.locator(".way")).to_contain_text("waits in the queue")
    page.screenshot(path=pictures / f"trace-{size[0]}.png", full_page=True)
    queue_id = server.command_json("queue", "list")[-1]["queue_id"]
    page.goto(f"{origin(server)}/admin/queue")
    page.screenshot(path=pictures / f"queue-{size[0]}.png", full_page=True)
    page.goto(f"{origin(server)}/admin/queue/{queue_id}")
    page.get_by_role("button", name="Hold").click()
    state = page.locator("section .badge").first
    if "held" not in state.inner_text():  # it was being tried at that moment; then it is held after that
        expect(state).to_have_text("is being tried")
        page.goto(f"{origin(server)}/admin/queue/{queue_id}")
    page.get_by_role("button", name="Drop").click()
    expect(page.get_by_role("heading", name="Queue", exact=True)).to_be_visible()
    assert page.request.get(f"{origin(server)}/admin/queue/{queue_id}").status == 404


def test_the_settings_hide_secrets_and_are_found(admin_client: httpx.Client) -> None:
    shown = admin_client.get("/admin/settings", params={"q": "MAILSTEAD_HOSTNAME"}).text
    assert "mail.example.test" in shown
    assert "MAILSTEAD_PORT_MX" not in shown
    assert "MAILSTEAD_HOSTNAME" in admin_client.get("/admin/settings", params={"changed": "yes"}).text


def test_the_record_goes_on_past_a_page(admin_client: httpx.Client) -> None:
    for number in range(60):
        send(admin_client, "/account/passwords", label=f"p{number}")
        if number == 52:
            break
    first = admin_client.get("/admin/audit").text
    older = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert older
    second = admin_client.get(older)
    assert second.status_code == 200
    assert "password.add" in first
    assert second.text != first


def test_nobody_else_sees_or_does_any_of_it(server: MailsteadServer, admin: str) -> None:
    with logged_in(server, "alice@example.test") as alice:
        for path in (*PAGES, *MORE):
            assert alice.get(path).status_code == 403, path
        token = csrf(alice)
        forms = {
            "/admin/users": {"address": "eve@example.test", "admin": "yes"},
            "/admin/users/change": {"address": "alice@example.test", "action": "promote"},
            "/admin/domains": {"name": "evil.example"},
            "/admin/access": {"value": "evil.example", "action": "allow"},
            "/admin/queue": {"queue_id": "x", "action": "drop"},
            "/admin/setup/example.test/mailbox": {"name": "eve"},
            "/admin/setup/example.test/test": {"to": "eve@elsewhere.test"},
        }
        for path, form in forms.items():
            assert alice.post(path, data=form | {"csrf": token}).status_code == 403, path
        assert "/admin/" not in alice.get("/account/").text
    with logged_in(server, admin) as chief:
        refused = send(chief, "/admin/users/change", address=admin, action="demote")
        assert refused.status_code == 400
        reports = chief.get("/account/reports/example.test")
        assert "No reports came yet" in reports.text
    with logged_in(server, "alice@example.test") as alice:
        assert alice.get("/account/reports/example.test").status_code == 403


def test_senders_are_denied_and_forgotten(admin_client: httpx.Client, server: MailsteadServer) -> None:
    assert send(admin_client, "/admin/access", value="evil.example", note="spam", action="deny").status_code == 303
    assert "evil.example" in admin_client.get("/admin/access").text
    assert send(admin_client, "/admin/access", value="not a sender", action="deny").status_code == 400
    assert send(admin_client, "/admin/access", value="evil.example", action="remove").status_code == 303
    assert "evil.example" not in admin_client.get("/admin/access").text


def test_the_doctor_says_what_stands_in_the_way(admin_client: httpx.Client) -> None:
    assert "What was found" not in admin_client.get("/admin/doctor").text
    examined = admin_client.get("/admin/doctor", params={"run": "yes"}, timeout=120).text
    assert "What was found" in examined
    assert examined.count("<tr>") > 5
