"""The wizard from the printed link to test mail, in a browser without scripts and in one with them."""

import base64
import re
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import dns.message
import dns.query
import httpx
import pytest
from playwright.sync_api import Browser, expect

from support.dns_authority import Authority, dns_authority
from support.knot_server import knot_server
from support.mailstead_server import MailsteadServer, mailstead_server
from support.web import DESKTOP, PHONE, browsing, enter, origin

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
        "MAILSTEAD_ADDRESSES": "8.8.4.4",
        "MAILSTEAD_ACME_DIRECTORY": "https://127.0.0.1:9/directory",
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
        expect(page.locator("#reverse")).to_contain_text("no PTR record")
        page.get_by_role("link", name="Go on").click()
        page.get_by_role("button", name="Obtain what lacks").click()
        expect(page.locator(".badge.danger").first).to_have_text("failed", timeout=20_000)  # nobody answers there
        page.screenshot(path=pictures / f"setup-certificate-{size[0]}.png", full_page=True)
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


def test_records_are_published_through_a_provider(
    browser: Browser, server: MailsteadServer, admin: str, tmp_path: Path, pictures: Path
) -> None:
    with knot_server(tmp_path, "example.test") as knot, browsing(browser, server, size=PHONE, scripts=False) as page:
        enter(page, server, admin, "/admin/setup/example.test/publish")
        page.select_option("#provider", "rfc2136")
        page.fill("#name", knot.key_name)
        page.fill("#secret", base64.b64encode(b"another secret of thirty-two octs").decode())
        page.fill("#server", f"127.0.0.1:{knot.port}")
        page.get_by_role("button", name="Publish", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible(timeout=20_000)
        page.select_option("#provider", "rfc2136")
        page.fill("#name", knot.key_name)
        page.fill("#secret", knot.secret)
        page.fill("#server", f"127.0.0.1:{knot.port}")
        page.get_by_role("button", name="Publish", exact=True).click()
        row = page.locator("tr", has_text="Mail programs find").or_(page.locator("tr", has_text="_dmarc"))
        expect(row.locator(".badge.good").first).to_have_text("published", timeout=20_000)
        page.screenshot(path=pictures / "published-390.png", full_page=True)
        answer = dns.query.udp(dns.message.make_query("_dmarc.example.test", "TXT"), "127.0.0.1", port=knot.port)
        assert "v=DMARC1" in answer.answer[0].to_text()
