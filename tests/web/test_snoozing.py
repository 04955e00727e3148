"""Mail put off until later, and mail that waits to be sent."""

import imaplib
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer
from support.web import DESKTOP, PHONE, browsing, enter, logged_in, origin, send
from web.test_conversations import folders_of
from web.test_webmail import deliver
from web.test_writing import mail_of

pytestmark = pytest.mark.xdist_group("web")


def test_a_message_is_snoozed_seen_by_imap_and_undone(
    browser: Browser, server: MailsteadServer, pictures: Path
) -> None:
    deliver(server, "Dentist", "call them")
    with browsing(browser, server, size=DESKTOP) as page:
        enter(page, server, "alice@example.test")
        page.locator(".row", has_text="Dentist").locator("a").click()
        expect(page.locator(".letter[open]")).to_contain_text("call them")
        page.keyboard.press("b")
        expect(page.get_by_role("button", name="Tomorrow").last).to_be_visible()
        page.screenshot(path=pictures / "snooze-1360.png")
        page.get_by_role("button", name="Tomorrow").last.click()
        expect(page.locator(".toast")).to_contain_text("Snoozed: 1 message")
        expect(page.locator(".row", has_text="Dentist")).to_have_count(0)
        assert snoozed_by_imap(server) == (b'(\\HasNoChildren \\Snoozed) "/" "Snoozed"', ["Dentist"])
        page.get_by_role("link", name="Snoozed").click()
        expect(page.locator(".row", has_text="Dentist").locator(".wakes")).to_contain_text("8:00")
        page.screenshot(path=pictures / "snoozed-1360.png")
        page.go_back()
        deliver(server, "Dentist again", "call them")
        row = page.locator(".row", has_text="Dentist again")
        row.locator("input").check()
        page.keyboard.press("b")
        page.locator(".actions").get_by_role("button", name="Next week").click()
        expect(page.locator(".toast")).to_contain_text("Snoozed: 1 message")
        page.keyboard.press("z")
        expect(page.locator(".toast")).to_contain_text("Undone")
        expect(row).to_have_count(1)


def snoozed_by_imap(server: MailsteadServer) -> tuple[bytes, list[str]]:
    """How LIST tells of the folder, and the subjects in it."""
    host, port = server.address("imap")
    with imaplib.IMAP4(host, port) as client:
        client.starttls(server.client_context())
        client.login("alice@example.test", server.password("alice"))
        line = client.list('""', "Snoozed")[1][0]
        client.select("Snoozed", readonly=True)
        found = client.fetch("1:*", "(BODY[HEADER.FIELDS (SUBJECT)])")[1]
        assert isinstance(line, bytes)
        return line, [one[1].decode().partition(": ")[2].strip() for one in found if isinstance(one, tuple)]


def test_it_comes_back_unread_and_on_top(server: MailsteadServer) -> None:
    deliver(server, "Comes back", "x", to="bob@example.test")
    deliver(server, "Stays above", "x", to="bob@example.test")
    with logged_in(server, "bob@example.test") as client:
        inbox = client.get("/mail/").headers["location"]
        eventually_sync(lambda: "Stays above" in client.get(inbox).text)
        uid = client.get(inbox).text.partition("Comes back")[0].rpartition('data-uid="')[2].partition('"')[0]
        client.get(f"{inbox}/m/{uid}")  # read
        assert send(client, f"{inbox}/do", uid=uid, snooze="1").status_code == 400
        assert send(client, f"{inbox}/do", uid=uid, action="snooze", snooze_at="soon").status_code == 400
        answer = send(client, f"{inbox}/do", uid=uid, snooze=str(int(time.time()) + 2), back=inbox)
        assert "done=" in answer.headers["location"]
        assert "Comes back" not in client.get(inbox).text
        eventually_sync(lambda: "Comes back" in client.get(inbox).text, pause=0.1)
        page = client.get(inbox).text
        first = page.partition('<li class="row')[2].partition("</li>")[0]
        assert "Comes back" in first
        assert first.startswith(" unseen")
        snoozed = next(place for place, name in folders_of(page).items() if name == "Snoozed")
        assert "Comes back" not in client.get(f"/mail/f/{snoozed}").text


def test_folders_are_reached_and_mail_is_snoozed_without_scripts_on_a_phone(
    browser: Browser, server: MailsteadServer, pictures: Path
) -> None:
    deliver(server, "Without scripts", "x")
    with browsing(browser, server, size=PHONE, scripts=False) as page:
        enter(page, server, "alice@example.test", "/mail/")
        row = page.locator(".row", has_text="Without scripts")
        row.locator("input").check()
        page.locator(".actions .snoozing summary").click()
        page.screenshot(path=pictures / "snooze-390.png")
        page.fill("#snooze-at-pick", "2027-03-01T09:30")
        page.locator(".actions").get_by_role("button", name="Snooze until then").click()
        expect(page.locator(".toast")).to_contain_text("Snoozed: 1 message")
        page.get_by_role("link", name="Folders").click()
        expect(page.locator("#list")).to_be_hidden()
        page.screenshot(path=pictures / "folders-390.png")
        page.get_by_role("link", name="Snoozed").click()
        expect(row.locator(".wakes")).to_contain_text("Mon 1 Mar 9:30")


def test_what_became_of_sent_mail_is_told_to_its_sender_alone(server: MailsteadServer) -> None:
    with logged_in(server, "alice@example.test") as client, logged_in(server, "bob@example.test") as other:
        form = {"to": "bob@example.test, gone@example.test", "subject": "Followed", "text": "x", "action": "send"}
        assert "told=sent" in send(client, "/mail/compose/", **form).headers["location"]
        page = client.get("/account/sent?q=followed").text
        assert "gone@example.test" in page
        assert 'badge good">delivered' in page
        assert "Followed" not in client.get("/account/sent?q=nothing of that").text
        assert "Followed" not in other.get("/account/sent").text


def schedule(client: httpx.Client, subject: str, at: int) -> None:
    form = {"to": "carol@unreachable.example, bob@example.test", "subject": subject, "text": "Words", "action": "send"}
    answer = send(client, "/mail/compose/", send_at=str(at), **form)
    assert "told=waits" in answer.headers["location"], answer.text


def test_what_waits_to_be_sent_is_seen_changed_sent_and_dropped(
    page: Page, server: MailsteadServer, size: tuple[int, int], pictures: Path
) -> None:
    names = [f"{name} {size[0]}" for name in ("Changed", "Dropped", "Hurried")]
    with logged_in(server, "alice@example.test") as client:
        for hours, subject in enumerate(names, 2):
            schedule(client, subject, int(time.time()) + hours * 3600)
    page.goto(f"{origin(server)}/mail/scheduled/")
    rows = [page.locator(".waiting", has_text=subject) for subject in names]
    expect(rows[0]).to_contain_text("carol@unreachable.example, bob@example.test")
    page.screenshot(path=pictures / f"scheduled-{size[0]}.png")
    rows[2].get_by_role("button", name="Send now").click()
    expect(page.get_by_role("status").first).to_contain_text("on its way")
    expect(rows[2]).to_have_count(0)
    eventually_sync(lambda: mail_of(server, "bob", "INBOX", names[2]))
    rows[1].get_by_role("button", name="Do not send").click()
    expect(page.get_by_role("status").first).to_contain_text("a draft again")
    assert mail_of(server, "alice", "Drafts", names[1])
    assert mail_of(server, "alice", "Sent", names[1]) == []
    rows[0].get_by_role("button", name="Change").click()
    expect(page.locator("#subject")).to_have_value(names[0])
    page.goto(f"{origin(server)}/mail/scheduled/")
    expect(page.locator(".waiting")).to_have_count(0)
    with logged_in(server, "bob@example.test") as client:
        assert send(client, "/mail/scheduled/", id="nothing", action="now").status_code == 404
        assert send(client, "/mail/scheduled/", id="nothing", action="explode").status_code == 400
