"""The page of API tokens, without JavaScript: made, used, refused, revoked."""

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from support.mailstead_server import MailsteadServer
from support.web import enter, origin

pytestmark = pytest.mark.xdist_group("web-admin")
PAGE = "/account/tokens"


@pytest.fixture
def page(plain_page: Page, server: MailsteadServer) -> Page:
    enter(plain_page, server, "alice@example.test", f"{PAGE}/")
    return plain_page


def ask(server: MailsteadServer, token: str, method: str, path: str) -> int:
    return httpx.request(method, f"{origin(server)}/v1{path}", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_token_is_made_used_and_revoked(page: Page, server: MailsteadServer, pictures: Path) -> None:
    assert page.viewport_size is not None
    label = f"backup {page.viewport_size['width']}"
    expect(page.get_by_label("administer the server")).to_have_count(0)
    page.fill("#label", label)
    page.get_by_role("button", name="Make a token").click()
    token = page.locator("#made").inner_text()
    page.screenshot(path=pictures / f"tokens-{page.viewport_size['width']}.png")
    assert page.locator("html").evaluate("one => one.scrollWidth <= one.clientWidth")
    assert ask(server, token, "GET", "/account") == 200
    page.goto(f"{origin(server)}{PAGE}/")
    expect(page.locator("#made")).to_have_count(0)
    expect(page.get_by_role("row", name=label)).to_contain_text("read")
    page.get_by_role("button", name=f"Revoke: {label}").click()
    expect(page.get_by_text(label)).to_have_count(0)
    assert ask(server, token, "GET", "/account") == 401


def test_a_token_without_a_scope_is_refused_beside_the_form(page: Page) -> None:
    page.fill("#label", "for nothing")
    page.get_by_label("read").uncheck()
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_role("alert")).to_contain_text("Scopes are some of")
    expect(page.locator("#label")).to_have_value("for nothing")
    expect(page.locator("tbody tr")).to_have_count(0)


def test_the_scope_of_admins_is_theirs(server: MailsteadServer) -> None:
    with httpx.Client(base_url=origin(server)) as client:
        form = {"address": "alice@example.test", "password": server.password("alice")}
        assert client.post("/login", data=form).status_code == 303
        token = client.get(f"{PAGE}/").text.partition('name="csrf" value="')[2].partition('"')[0]
        answer = client.post(f"{PAGE}/", data={"csrf": token, "label": "x", "admin": "yes"})
        assert answer.status_code == 403
        assert "Only a server admin" in answer.text
        assert 'id="made"' not in answer.text
