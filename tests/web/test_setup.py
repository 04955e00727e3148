"""The wizard from the printed link to test mail, in a browser without scripts and in one with them."""

import re
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, expect

from support.dns_authority import Authority, dns_authority
from support.mailstead_server import MailsteadServer, mailstead_server
from support.web import DESKTOP, PHONE, browsing, origin

pytestmark = pytest.mark.xdist_group("web-setup")
DOMAIN = "example.org"


@pytest.fixture
def authority() -> Iterator[Authority]:
    with dns_authority() as serving:
        yield serving


@pytest.fixture
def bare(authority: Authority, tmp_path: Path) -> Iterator[MailsteadServer]:
    """A server with nobody and nothing."""
    settings = {
        "MAILSTEAD_PORT_HTTP": "0",
        "MAILSTEAD_DNS_SERVERS": authority.address,
        "MAILSTEAD_DNS_CACHE_LEAST": "0",
        "MAILSTEAD_DNS_CACHE_MOST": "0.01",
        "MAILSTEAD_DNS_CACHE_NEGATIVE_MOST": "0.01",
        "MAILSTEAD_DNS_CACHE_FAILURE": "0.01",
    }
    with mailstead_server(tmp_path, settings, ()) as running:
        yield running


def link(server: MailsteadServer) -> str:
    """The path of the printed link, the last one."""
    found = re.findall(r"https://\S+?(/setup/[\w-]+)", server.log.read_text("utf-8"))
    assert found, server.log.read_text("utf-8")
    return str(found[-1])


def publish(server: MailsteadServer, authority: Authority) -> None:
    texts: dict[tuple[str, str], list[str]] = {}
    for record in server.command_json("dns", "records", DOMAIN):
        texts.setdefault((record["name"], record["type"]), []).append(record["value"])
    for (name, kind), values in texts.items():
        authority.put(name, kind, *values)


@pytest.mark.parametrize(("size", "scripts"), [(DESKTOP, True), (PHONE, False)], ids=["desktop", "phone-plain"])
def test_from_the_link_to_test_mail(
    browser: Browser,
    bare: MailsteadServer,
    authority: Authority,
    pictures: Path,
    size: tuple[int, int],
    scripts: bool,
) -> None:
    path = link(bare)
    scheme = "light" if scripts else "dark"
    with browsing(browser, bare, size=size, scripts=scripts, scheme=scheme) as page:  # type: ignore[arg-type]
        page.goto(f"{origin(bare)}{path}")
        page.screenshot(path=pictures / f"setup-{size[0]}.png")
        page.fill("#domain", "not a domain")
        page.fill("#password", "correct horse battery")
        page.get_by_role("button", name="Set up").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.fill("#domain", DOMAIN)
        page.fill("#password", "correct horse battery")
        page.get_by_role("button", name="Set up").click()
        expect(page.get_by_role("heading", name=DOMAIN)).to_be_visible()
        expect(page.locator("#records [role=status]")).to_contain_text("missing")
        page.screenshot(path=pictures / f"records-missing-{size[0]}.png", full_page=True)
        publish(bare, authority)
        if not scripts:
            page.get_by_role("link", name="Check now").click()
        expect(page.locator("#records [role=status]")).to_contain_text("All required", timeout=20_000)
        page.screenshot(path=pictures / f"records-{size[0]}.png", full_page=True)
        page.get_by_role("link", name="Go on").click()
        page.fill("#name", "alice")
        page.get_by_role("button", name="Make the mailbox").click()
        password = page.locator("#made").inner_text()
        assert password
        page.screenshot(path=pictures / f"setup-mailbox-{size[0]}.png")
        page.get_by_role("link", name="Go on").click()
        page.fill("#to", f"alice@{DOMAIN}")
        page.get_by_role("button", name="Send a test").click()
        expect(page.locator(".way").first).to_contain_text("delivered", timeout=20_000)
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "carol@elsewhere.test", f"admin@{DOMAIN}", "Hello"
        message.set_content("hello")
        host, port = bare.address("mx")
        with smtplib.SMTP(host, port) as client:
            client.send_message(message)
        if scripts:
            expect(page.locator("#ways .way")).to_have_count(2, timeout=20_000)
        else:
            page.goto(page.url.partition("?")[0])
            expect(page.locator("#ways .way").first).to_contain_text("carol@elsewhere.test")
        page.screenshot(path=pictures / f"setup-test-{size[0]}.png", full_page=True)
        page.get_by_role("link", name="Done").click()
        expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    assert httpx.get(f"{origin(bare)}{path}").status_code == 404  # the link is used up
    assert bare.command_json("user", "list")[0]["admin"] is True


def test_a_link_is_replaced_by_the_next_start_and_bad_ones_tell_nothing(bare: MailsteadServer) -> None:
    first = link(bare)
    assert bare.stop() == 0
    bare.start()
    second = link(bare)
    assert second != first
    with httpx.Client(base_url=origin(bare)) as client:
        for path in (first, "/setup/x"):
            assert client.get(path).status_code == 404
            form = {"domain": DOMAIN, "name": "admin", "password": "correct horse battery"}
            assert client.post(path, data=form).status_code == 404
        form = {"domain": DOMAIN, "name": "admin", "password": "short"}
        refused = client.post(second, data=form)
        assert refused.status_code == 400
        assert "short" not in refused.text.partition("<form")[2]
        foreign = client.post(second, data=form, headers={"origin": "https://evil.test"})
        assert foreign.status_code == 403
    assert bare.command_json("user", "list") == []
