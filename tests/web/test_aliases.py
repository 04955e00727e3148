"""The pages of aliases: in a browser without JavaScript, and what they refuse."""

import html
import imaplib
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from support.mailstead_server import MailsteadServer
from support.web import enter, logged_in, origin
from support.web import send as send_form

pytestmark = pytest.mark.xdist_group("web-admin")
PAGE = "/account/aliases"


@pytest.fixture
def page(plain_page: Page, server: MailsteadServer, admin: str) -> Page:
    enter(plain_page, server, admin, f"{PAGE}/")
    return plain_page


@pytest.fixture
def client(admin_client: httpx.Client) -> httpx.Client:
    return admin_client


def send(client: httpx.Client, path: str, **form: str) -> httpx.Response:
    return send_form(client, f"{PAGE}{path}", **form)


def test_a_mailbox_is_made_changed_found_and_removed(page: Page, server: MailsteadServer, pictures: Path) -> None:
    assert page.viewport_size is not None
    name = f"shop{page.viewport_size['width']}"
    address = f"{name}@example.test"
    page.get_by_role("link", name="New alias").click()
    page.screenshot(path=pictures / f"alias-new-{name}.png")
    page.fill("#name", name)
    page.fill("#description", "For the shop")
    page.get_by_role("button", name="Make the alias").click()
    password = page.locator("#made").inner_text()
    page.screenshot(path=pictures / f"alias-made-{name}.png")
    host, port = server.address("imap")
    with imaplib.IMAP4(host, port) as imap:
        imap.starttls(server.client_context())
        imap.login(address, password)

    page.fill("#quota", "25")
    page.fill("#forward_to", "one@elsewhere.test\ntwo@elsewhere.test")
    page.get_by_label("Takes mail").uncheck()
    page.select_option("#disabled_code", "450")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved")
    expect(page.locator("#made")).to_have_count(0)
    shown = next(one for one in server.command_json("alias", "list") if one["address"] == address)
    assert shown["enabled"] is False
    assert shown["forward_to"] == ["one@elsewhere.test", "two@elsewhere.test"]

    page.goto(f"{origin(server)}{PAGE}/")
    page.screenshot(path=pictures / f"aliases-{name}.png")
    assert page.locator("html").evaluate("one => one.scrollWidth <= one.clientWidth")
    page.fill("#q", f"{name}@")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("switched off")
    page.get_by_role("link", name=address).click()
    expect(page.locator("#quota")).to_have_value("25")
    expect(page.locator("#disabled_code")).to_have_value("450")
    page.get_by_role("link", name="Remove").click()
    page.screenshot(path=pictures / f"alias-remove-{name}.png")
    page.get_by_role("button", name="Remove").click()
    page.wait_for_url(f"**{PAGE}/")
    expect(page.get_by_role("link", name=address)).to_have_count(0)


def test_what_is_wrong_is_told_beside_the_form(client: httpx.Client) -> None:
    new = {"name": "wrong", "domain": "example.test", "kind": "forward", "description": "kept <as> written"}
    cases = (
        (new, 400, "needs forwarding targets"),
        (new | {"forward_to": "nonsense"}, 400, "nonsense"),
        (new | {"kind": "mailbox", "quota": "-3"}, 400, "whole number of megabytes"),
        (new | {"kind": "mailbox", "name": "alice"}, 409, "already"),
        (new | {"kind": "mailbox", "domain": "nowhere.test"}, 404, "no domain"),
    )
    for form, status, told in cases:
        answer = send(client, "/add", **form)
        assert answer.status_code == status, told
        assert told in html.unescape(answer.text)
        assert 'role="alert"' in answer.text
        assert 'value="kept &lt;as&gt; written"' in answer.text
    assert "wrong@example.test" not in client.get(f"{PAGE}/").text


def test_a_refused_change_changes_nothing(client: httpx.Client) -> None:
    form = {"name": "steady", "domain": "example.test", "kind": "forward", "forward_to": "one@elsewhere.test"}
    assert send(client, "/add", **form).status_code == 200
    change = {"address": "steady@example.test", "forward_to": "two@elsewhere.test", "enabled": "yes"}
    for wrong in ({"forward_to": ""}, {"forward_to": "no address"}, {"disabled_code": "999"}):
        answer = send(client, "/change", **(change | wrong))
        assert answer.status_code == 400, wrong
        assert 'role="alert"' in answer.text
        assert "one@elsewhere.test" in client.get(f"{PAGE}/change", params={"address": change["address"]}).text
    assert send(client, "/remove", address=change["address"]).status_code == 303
    assert client.get(f"{PAGE}/change", params={"address": change["address"]}).status_code == 404


def test_others_see_and_change_only_what_is_theirs(server: MailsteadServer, admin: str) -> None:
    with logged_in(server, "alice@example.test", server.password("alice")) as alice:
        listed = alice.get(f"{PAGE}/").text
        assert "alice@example.test" in listed
        assert "bob@example.test" not in listed
        assert alice.get(f"{PAGE}/", params={"domain": "example.test"}).status_code == 403
        assert alice.get(f"{PAGE}/change", params={"address": "bob@example.test"}).status_code == 403
        assert send(alice, "/remove", address=admin).status_code == 403
        answer = send(alice, "/add", name="mine", domain="example.test")
        assert answer.status_code == 403
        assert 'role="alert"' in answer.text


def test_a_password_of_a_mail_program_does_not_open_them(client: httpx.Client, server: MailsteadServer) -> None:
    made = send(client, "/add", name="program", domain="example.test")
    password = made.text.partition('id="made">')[2].partition("<")[0]
    with logged_in(server, "program@example.test", password) as program:
        assert f'href="{PAGE}/"' not in program.get("/account/").text
        for path in ("/", "/add", "/change?address=program@example.test", "/remove?address=program@example.test"):
            assert program.get(f"{PAGE}{path}").status_code == 403, path
        for path in ("/add", "/change", "/remove"):
            assert send(program, path, address="program@example.test").status_code == 403, path
