"""Logging in beyond the password: one-time codes without JavaScript, passkeys with a virtual authenticator."""

import imaplib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from support.mailstead_server import MailsteadServer
from support.web import DESKTOP, browsing, csrf, enter, logged_in, origin, send

pytestmark = pytest.mark.xdist_group("web-admin")
PAGE = "/account/security"
Account = Callable[[str], tuple[str, str]]


@pytest.fixture
def account(server: MailsteadServer) -> Account:
    """Makes a user of that name; the address and the account password."""

    def make(name: str) -> tuple[str, str]:
        address, password = f"{name}@example.test", f"a long password of {name}"
        server.command("user", "add", address, "--password-stdin", given=password.encode())
        return address, password

    return make


def second_step(server: MailsteadServer, address: str, password: str) -> httpx.Client:
    """A client that gave the password."""
    client = httpx.Client(base_url=origin(server))
    answer = client.post("/login", data={"address": address, "password": password, "next": PAGE})
    assert answer.headers["location"] == f"/login/second?next={PAGE}"
    return client


def give(client: httpx.Client, code: str) -> httpx.Response:
    token = client.get("/login/second").text.partition('name="csrf" value="')[2].partition('"')[0]
    return client.post("/login/second", data={"csrf": token, "code": code, "next": "/account/"})


def imap_login(server: MailsteadServer, address: str, password: str) -> None:
    host, port = server.address("imap")
    with imaplib.IMAP4(host, port) as client:
        client.starttls(server.client_context())
        client.login(address, password)


def switch_on(client: httpx.Client) -> tuple[str, list[str]]:
    """The key and the recovery codes."""
    key = send(client, f"{PAGE}/codes").text.partition('id="secret">')[2].partition("<")[0]
    shown = send(client, f"{PAGE}/codes/confirm", code=pyotp.TOTP(key).now()).text
    listed = shown.partition('id="recovery">')[2].partition("</ul>")[0]
    return key, [one.partition("</li>")[0] for one in listed.split("<li>")[1:]]


def test_codes_are_switched_on_asked_for_and_switched_off(
    plain_page: Page, server: MailsteadServer, account: Account, size: tuple[int, int], pictures: Path
) -> None:
    page = plain_page
    address, password = account(f"coder{size[0]}")
    enter(page, server, address, PAGE, password)
    page.get_by_role("button", name="Set up one-time codes").click()
    expect(page.get_by_role("img", name="The key as a picture")).to_be_visible()
    page.screenshot(path=pictures / f"codes-{size[0]}.png")
    key = page.locator("#secret").inner_text()
    page.fill("#code", "000000")
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    used = pyotp.TOTP(key).now()
    page.fill("#code", used)
    page.get_by_role("button", name="Switch on").click()
    recovery = page.locator("#recovery li").all_inner_texts()
    assert len(set(recovery)) == 10
    page.screenshot(path=pictures / f"recovery-{size[0]}.png", full_page=True)

    page.context.clear_cookies()
    enter(page, server, address, PAGE, password)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()
    page.screenshot(path=pictures / f"second-step-{size[0]}.png")
    page.goto(f"{origin(server)}/mail/")
    expect(page.locator("#address")).to_be_visible()  # the password alone opens nothing
    page.goto(f"{origin(server)}/login/second?next={PAGE}")
    page.fill("#code", used)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("used before")
    page.fill("#code", recovery[0].upper())
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#codes .badge")).to_have_text("on")
    expect(page.locator("#codes")).to_contain_text("9 recovery codes are left")
    expect(page.locator("#audit")).to_contain_text("One-time codes switched on")
    page.fill("#code", recovery[0])
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.fill("#code", recovery[1])
    page.get_by_role("button", name="Switch off").click()
    expect(page.locator("#codes .badge")).to_have_text("off")


def test_programs_need_their_own_passwords_with_a_second_factor(server: MailsteadServer, account: Account) -> None:
    address, password = account("programs")
    imap_login(server, address, password)
    with logged_in(server, address, password) as client:
        made = send(client, "/account/passwords", label="phone").text
        app = made.partition('id="made">')[2].partition("<")[0]
        key, recovery = switch_on(client)
        for attempt in range(2):  # the second time from the cache of logins
            with pytest.raises(imaplib.IMAP4.error):
                imap_login(server, address, password)
            assert httpx.get(f"{origin(server)}/v1/account", auth=(address, password)).status_code == 401, attempt
        imap_login(server, address, app)
        waiting = second_step(server, address, app)  # nor does a program's password alone open the web
        assert give(waiting, recovery[0]).headers["location"] == "/account/"
        waiting.close()
        assert give_wrong_until_refused(server, address, password) == 429
        del key


def give_wrong_until_refused(server: MailsteadServer, address: str, password: str) -> int:
    """The status of the first refusal that is no simple no."""
    client = second_step(server, address, password)
    try:
        for number in range(20):
            status = give(client, f"{number:06}").status_code
            if status != 401:
                return status
    finally:
        client.close()
    return 0


def test_a_session_that_waits_is_replaced_by_another(server: MailsteadServer, account: Account) -> None:
    address, password = account("fixed")
    with logged_in(server, address, password) as client:
        _, recovery = switch_on(client)
    waiting = second_step(server, address, password)
    before = waiting.cookies["mailstead_session"]
    token = waiting.get("/login/second").text.partition('name="csrf" value="')[2].partition('"')[0]
    form = {"csrf": "forged", "code": recovery[0], "next": "https://evil.test/"}
    assert waiting.post("/login/second", data=form).status_code == 403
    answer = waiting.post("/login/second", data=form | {"csrf": token})
    assert answer.headers["location"] == "/"
    after = waiting.cookies["mailstead_session"]
    assert after != before
    waiting.close()
    with httpx.Client(base_url=origin(server), cookies={"mailstead_session": before}) as old:
        assert old.get("/account/").headers["location"].startswith("/login")
        assert old.get("/login/second").headers["location"].startswith("/login")


def test_all_other_sessions_are_ended(server: MailsteadServer, account: Account) -> None:
    address, password = account("many")
    with logged_in(server, address, password) as one, logged_in(server, address, password) as other:
        assert "Log out everywhere else" in one.get(PAGE).text
        assert send(one, f"{PAGE}/sessions/end-others").status_code == 303
        assert other.get("/account/").status_code == 303
        assert one.get("/account/").status_code == 200


@pytest.fixture
def named(browser: Browser, server: MailsteadServer) -> Iterator[Page]:
    """A page that calls the server localhost: authenticators sign for names, not for addresses."""
    with browsing(browser, server, size=DESKTOP, name="localhost") as opened:
        yield opened


def authenticator(page: Page, *, prf: bool) -> tuple[Any, str]:
    """A device in the browser that its owner always says yes to."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "ctap2Version": "ctap2_1",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        "hasPrf": prf,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, str(made["authenticatorId"])


def add_passkey(page: Page, server: MailsteadServer, address: str, password: str) -> None:
    home = origin(server, "localhost")
    page.goto(f"{home}/login?next={PAGE}")
    page.fill("#address", address)
    page.fill("#password", password)
    page.click("button.primary")
    page.fill("#passkey-label", "My laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkeys tbody tr")).to_have_count(1)


def test_a_passkey_logs_in_without_a_password_and_is_removed(
    named: Page, server: MailsteadServer, account: Account, pictures: Path
) -> None:
    address, password = account("keyed")
    session, device = authenticator(named, prf=False)
    add_passkey(named, server, address, password)
    named.screenshot(path=pictures / "passkey.png")
    named.context.clear_cookies()
    named.goto(f"{origin(server, 'localhost')}/login?next={PAGE}")
    named.screenshot(path=pictures / "login.png")
    named.get_by_role("button", name="Log in with a passkey").click()
    named.wait_for_url(f"**{PAGE}")
    expect(named.locator("#passkeys tbody")).not_to_contain_text("never")
    named.get_by_role("button", name="Remove: My laptop").click()
    expect(named.locator("#address")).to_be_visible()  # the session that it began has ended with it
    named.get_by_role("button", name="Log in with a passkey").click()
    expect(named.get_by_role("alert")).not_to_be_empty()
    assert session.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]


def test_a_passkey_with_a_secret_opens_a_mailbox_that_the_server_cannot(
    named: Page, server: MailsteadServer, account: Account
) -> None:
    address, password = account("secretive")
    authenticator(named, prf=True)
    add_passkey(named, server, address, password)
    expect(named.locator("#passkeys")).to_contain_text("opens the mailbox")
    server.command("alias", "recovery-code", address)
    server.command("mailbox", "lock", address)
    named.context.clear_cookies()
    named.goto(f"{origin(server, 'localhost')}/login")
    named.get_by_role("button", name="Log in with a passkey").click()
    expect(named.locator("#list")).to_be_visible()


def test_what_no_device_signed_logs_nobody_in(server: MailsteadServer) -> None:
    with httpx.Client(base_url=origin(server)) as client:
        challenge = client.post("/login/passkey/options").json()["challenge"]
        data = f'{{"type":"webauthn.get","challenge":"{challenge}","origin":"{origin(server)}"}}'
        for signed in (data.encode().hex(), "!", ""):
            response = {"clientDataJSON": signed, "authenticatorData": "", "signature": ""}
            proof = {"credential": {"id": "x", "rawId": "x", "type": "public-key", "response": response}}
            assert client.post("/login/passkey", json=proof).status_code == 401
        assert client.post("/login/passkey", json={"credential": {}}).status_code == 401
        foreign = client.post("/login/passkey/options", headers={"origin": "https://evil.test"})
        assert foreign.status_code == 403


def test_passkeys_are_made_by_forms_of_our_own_only(server: MailsteadServer, account: Account) -> None:
    address, password = account("forged")
    with logged_in(server, address, password) as client:
        assert client.post(f"{PAGE}/passkeys/options", json={}).status_code == 403
        token = {"x-csrf-token": csrf(client)}
        assert client.post(f"{PAGE}/passkeys/options", json={}, headers=token).status_code == 200
        made = {"credential": {"response": {}}, "label": "x"}
        assert client.post(f"{PAGE}/passkeys", json=made, headers=token).status_code == 401
