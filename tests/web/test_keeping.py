"""What keeps an installation and its mail safe: backups, updates, certificates, keys, members, lists, zero access.

All of it without JavaScript.
"""

import imaplib
import json
from pathlib import Path

import pysequoia
import pytest
from playwright.sync_api import Browser, Page, expect

from support.certificates import make_certificates
from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer
from support.web import DESKTOP, PHONE, browsing, enter, logged_in, origin, send
from web.test_webmail import deliver
from web.test_writing import mail_of

pytestmark = pytest.mark.xdist_group("web-admin")
_WORK = 60_000  # milliseconds; restic on a machine that others use


@pytest.fixture
def size() -> tuple[int, int]:
    """The desktop's pages are looked at by the test of accessibility."""
    return PHONE


def erase(server: MailsteadServer, name: str, subject: str) -> None:
    """Delete for good what a mail program would."""
    host, port = server.address("imap")
    with imaplib.IMAP4(host, port) as client:
        client.starttls(server.client_context())
        client.login(f"{name}@example.test", server.password(name))
        client.select("INBOX")
        for number in client.search(None, "SUBJECT", f'"{subject}"')[1][0].split():
            client.store(number.decode(), "+FLAGS", "(\\Deleted)")
        client.expunge()


def test_a_backup_is_made_verified_and_gives_a_message_back(
    browser: Browser, server: MailsteadServer, admin: str, pictures: Path
) -> None:
    deliver(server, "Precious", "the only copy", to="bob@example.test")
    with browsing(browser, server, size=DESKTOP, scripts=False) as page:
        enter(page, server, admin, "/admin/backups")
        page.get_by_role("button", name="Back up now").click()
        expect(page.get_by_text("The backup is made:")).to_be_visible(timeout=_WORK)
        assert len(page.locator("#made").inner_text()) > 20
        page.get_by_role("button", name="Verify").first.click()
        expect(page.get_by_text("The backup is whole")).to_be_visible(timeout=_WORK)
        page.screenshot(path=pictures / "backups-1360.png", full_page=True)
    erase(server, "bob", "Precious")
    with browsing(browser, server, size=PHONE, scheme="dark") as page:
        enter(page, server, "bob@example.test", "/account/backups")
        page.fill("#text", "precious")
        page.get_by_role("button", name="Look into it").click()
        row = page.locator("tr", has_text="Precious")
        expect(row).to_contain_text("carol@elsewhere.test", timeout=_WORK)
        page.screenshot(path=pictures / "snapshots-390.png", full_page=True)
        row.locator("input").check()
        page.get_by_role("button", name="Bring back what is selected").click()
        expect(page.get_by_text("1 message is back.")).to_be_visible(timeout=_WORK)
    (back,) = mail_of(server, "bob", "INBOX", "Precious")
    assert "the only copy" in back.as_string()
    with logged_in(server, "bob@example.test") as client:
        assert send(client, "/admin/backups", action="run").status_code == 403
        assert send(client, "/account/backups/retrieve", snapshot="latest").status_code == 400


def test_an_update_is_asked_for_and_told_of(
    plain_page: Page, server: MailsteadServer, admin: str, size: tuple[int, int], pictures: Path
) -> None:
    page = plain_page
    told = {"outcome": "updated", "text": "v1.1.0 is healthy", "version": "v1.1.0", "previous": "v1.0.0"}
    server.command("update", "exchange", given=json.dumps(told).encode())
    enter(page, server, admin, "/admin/updates")
    expect(page.get_by_text("v1.1.0 is healthy")).to_be_visible()
    page.get_by_role("button", name="Back to the version before").click()
    expect(page.get_by_role("status").first).to_contain_text("The version before is asked for")
    page.screenshot(path=pictures / f"updates-{size[0]}.png")
    assert json.loads(server.command("update", "exchange", given=b"{}").stdout)["action"] == "rollback"
    page.fill("#version", "v2.0.0")
    page.get_by_role("button", name="Update", exact=True).click()
    assert json.loads(server.command("update", "exchange", given=b"{}").stdout)["version"] == "v2.0.0"


def test_a_certificate_is_put_in(plain_page: Page, server: MailsteadServer, admin: str, tmp_path: Path) -> None:
    page = plain_page
    make_certificates(tmp_path)
    enter(page, server, admin, "/admin/certificates")
    for files, told in ((("key.pem", "certificate.pem"), "alert"), (("certificate.pem", "key.pem"), "status")):
        page.get_by_text("Put in a certificate of another authority").click()
        page.set_input_files("#chain", tmp_path / files[0])
        page.set_input_files("#key", tmp_path / files[1])
        page.fill("#name", "put.example")
        page.get_by_role("button", name="Put in").click()
        expect(page.locator(f".notice[role={told}]")).to_be_visible()
    expect(page.get_by_role("heading", name="put.example")).to_be_visible()


def test_arriving_mail_is_encrypted_to_a_key(
    plain_page: Page, server: MailsteadServer, admin: str, size: tuple[int, int], pictures: Path
) -> None:
    page, address = plain_page, f"sealed{size[0]}@example.test"
    server.command("alias", "add", address)
    public = bytes(pysequoia.Tsk.generate(f"S <{address}>").extract_certificate())
    enter(page, server, admin, f"/account/aliases/change?address={address}")
    page.get_by_role("link", name="Encryption of arriving mail").click()
    page.fill("#text", "no key at all")
    page.get_by_role("button", name="Encrypt to it").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.set_input_files("#file", {"name": "key.asc", "mimeType": "application/pgp-keys", "buffer": public})
    page.get_by_role("button", name="Encrypt to it").click()
    expect(page.get_by_text("yes: other programs find it")).to_be_visible()
    page.screenshot(path=pictures / f"encryption-{size[0]}.png", full_page=True)
    page.get_by_role("button", name="Take the key away").click()
    expect(page.get_by_text("Mail is kept as it comes")).to_be_visible()
    page.get_by_role("button", name="Find it at the domain").click()
    expect(page.get_by_role("alert")).to_be_visible()


def test_people_are_invited_and_take_the_invite_up(
    plain_page: Page, server: MailsteadServer, admin: str, size: tuple[int, int], pictures: Path
) -> None:
    page = plain_page
    fresh, members = f"fresh{size[0]}@example.test", "/account/domains/example.test/members"
    server.command("alias", "add", fresh, "--no-mailbox", "--forward-to", "bob@example.test")
    enter(page, server, admin, members)
    for address, role in ((fresh, "user"), (f"gone{size[0]}@example.test", "admin")):
        page.fill("#address", address)
        page.select_option("#group", role)
        page.get_by_role("button", name="Invite", exact=True).click()
        expect(page.locator("tr", has_text=address)).to_contain_text("invited")
    page.screenshot(path=pictures / f"members-{size[0]}.png", full_page=True)
    page.locator("tr", has_text="gone").get_by_role("button", name="Withdraw").click()
    expect(page.locator("tr", has_text="gone")).to_have_count(0)
    eventually_sync(lambda: mail_of(server, "bob", "INBOX", "an invite to example.test"))
    letter = mail_of(server, "bob", "INBOX", "an invite to example.test")[-1]
    code = next(line.strip() for line in letter.get_content().splitlines() if line.startswith("  "))
    server.command("alias", "remove", fresh)
    page.goto(f"{origin(server)}/join")
    page.fill("#address", fresh)
    page.fill("#password", "a password of my own")
    page.fill("#code", "not the code")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("alert")).to_contain_text("no such invite")
    page.screenshot(path=pictures / f"join-{size[0]}.png")
    page.fill("#code", code)
    page.fill("#password", "a password of my own")
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("status").first).to_contain_text(fresh)
    page.goto(f"{origin(server)}{members}")
    row = page.locator("tr", has_text=fresh)
    row.get_by_role("button", name="Make an administrator").click()
    expect(row.locator(".badge")).to_have_text("administrator")
    row.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)
    server.command("user", "remove", fresh)


def test_a_member_accepts_with_the_account_he_has(server: MailsteadServer, admin: str) -> None:
    with logged_in(server, admin) as owner, logged_in(server, "alice@example.test") as client:
        send(owner, "/account/domains/example.test/members", action="invite", address="alice@example.test")
        eventually_sync(lambda: mail_of(server, "alice", "INBOX", "an invite to example.test"))
        letter = mail_of(server, "alice", "INBOX", "an invite to example.test")[-1]
        code = next(line.strip() for line in letter.get_content().splitlines() if line.startswith("  "))
        assert send(client, "/account/invites", domain="example.test", code="x").status_code == 404
        assert send(client, "/account/invites", domain="example.test", code=code).status_code == 303
        page = owner.get("/account/domains/example.test/members").text
        assert ">alice@example.test<" in page
        assert client.get("/account/domains/example.test/members").status_code == 403
        user = page.partition(">alice@example.test<")[2].partition('name="user" value="')[2].partition('"')[0]
        send(owner, "/account/domains/example.test/members", action="remove", user=user)


def test_a_domain_has_lists_of_its_own(
    plain_page: Page, server: MailsteadServer, admin: str, size: tuple[int, int], pictures: Path
) -> None:
    page, sender = plain_page, f"pest{size[0]}@elsewhere.test"
    enter(page, server, admin, "/account/domains/example.test/access")
    page.fill("#value", sender)
    page.get_by_role("button", name="Deny").click()
    expect(page.locator("tr", has_text=sender)).to_contain_text("denied")
    page.screenshot(path=pictures / f"domain-access-{size[0]}.png")
    page.goto(f"{origin(server)}/admin/access")
    expect(page.get_by_text(sender)).to_have_count(0)
    page.goto(f"{origin(server)}/account/domains/example.test/access")
    page.get_by_role("button", name=f"Remove: {sender}").click()
    expect(page.get_by_text(sender)).to_have_count(0)
    with logged_in(server, "alice@example.test") as client:
        assert client.get("/account/domains/example.test/access").status_code == 403


def test_a_mailbox_is_locked_and_opened_again(
    plain_page: Page, server: MailsteadServer, size: tuple[int, int], pictures: Path
) -> None:
    page, address, password = plain_page, f"locked{size[0]}@example.test", "a long password to lock with"
    server.command("user", "add", address, "--password-stdin", given=password.encode())
    enter(page, server, address, "/account/zero-access", password)
    page.get_by_role("button", name="Make a recovery code").click()
    code = page.locator("#made").inner_text()
    page.screenshot(path=pictures / f"zero-access-{size[0]}.png", full_page=True)
    page.fill("#code", "not the code")
    page.get_by_role("button", name="Switch zero access on").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.fill("#code", code)
    page.get_by_role("button", name="Switch zero access on").click()
    expect(page.locator("h1 + .badge")).to_have_text("on")
    assert server.command("mailbox", "check", address, check=False).returncode == 1  # the server cannot open it
    page.goto(f"{origin(server)}/mail/")
    expect(page.locator("#list")).to_be_visible()  # its owner can
    page.goto(f"{origin(server)}/account/zero-access")
    page.get_by_role("button", name="Switch zero access off").click()
    expect(page.locator("h1 + .badge")).to_have_text("off")
    server.command("mailbox", "check", address)
