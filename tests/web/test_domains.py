"""The pages of domains, with a DNS of the test's own that has the records, lacks them, or does not answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.dns_authority import Authority, Failure, dns_authority
from support.mailstead_server import MailsteadServer, mailstead_server
from support.web import PHONE, browsing, enter, origin

pytestmark = pytest.mark.xdist_group("web-admin")
PAGE = "/account/domains"
DOMAIN = "example.test"


@pytest.fixture
def authority() -> Iterator[Authority]:
    with dns_authority() as serving:
        yield serving


@pytest.fixture
def asking(authority: Authority, tmp_path: Path) -> Iterator[MailsteadServer]:
    """A server that asks the authority, and keeps no answer for longer than a moment."""
    settings = {
        "MAILSTEAD_PORT_HTTP": "0",
        "MAILSTEAD_DNS_SERVERS": authority.address,
        "MAILSTEAD_DNS_CACHE_LEAST": "0",
        "MAILSTEAD_DNS_CACHE_MOST": "0.01",
        "MAILSTEAD_DNS_CACHE_NEGATIVE_MOST": "0.01",
        "MAILSTEAD_DNS_CACHE_FAILURE": "0.01",
    }
    with mailstead_server(tmp_path, settings) as running:
        yield running


@pytest.fixture
def page(browser: Browser, asking: MailsteadServer, size: tuple[int, int]) -> Iterator[Page]:
    """A browser of that server that runs no scripts."""
    with browsing(browser, asking, size=size, scripts=False, scheme="dark" if size == PHONE else "light") as opened:
        yield opened


def publish(server: MailsteadServer, authority: Authority) -> None:
    """Put what `dns records` lists into the DNS."""
    texts: dict[tuple[str, str], list[str]] = {}
    for record in server.command_json("dns", "records", DOMAIN):
        texts.setdefault((record["name"], record["type"]), []).append(record["value"])
    for (name, kind), values in texts.items():
        authority.put(name, kind, *values)


def test_a_domain_is_checked_verified_and_its_keys_renewed(
    page: Page, asking: MailsteadServer, authority: Authority, pictures: Path
) -> None:
    admin = asking.demo["admin"]
    enter(page, asking, admin["address"], f"{PAGE}/", admin["password"])
    page.get_by_role("link", name=DOMAIN, exact=True).click()
    assert page.viewport_size is not None
    size = page.viewport_size["width"]
    check = page.get_by_role("button", name="Check now")
    status = page.get_by_role("status").first

    authority.fail(DOMAIN, Failure.SERVFAIL)
    check.click()
    expect(status).to_contain_text("DNS does not answer just now")
    authority.fail(DOMAIN, None)

    publish(asking, authority)
    mx = next(one for one in asking.command_json("dns", "records", DOMAIN) if one["type"] == "MX")
    authority.put(DOMAIN, "MX", "20 other.test.")
    check.click()
    expect(status).to_contain_text("not there yet")
    row = page.locator(".records tbody tr", has=page.get_by_text("MX", exact=True))
    expect(row).to_contain_text("missing")
    expect(row).to_contain_text("20 other.test")
    expect(row.locator(".value").last).to_have_text(mx["value"])
    page.screenshot(path=pictures / f"domain-missing-{size}.png")

    authority.put(DOMAIN, "MX", mx["value"])
    check.click()
    expect(status).to_contain_text("All required records are there")
    expect(page.locator("h1 + .badge")).to_have_text("verified")
    expect(page.locator(".records .badge.danger")).to_have_count(0)
    assert asking.command_json("domain", "show", DOMAIN)["verified"] is not None
    assert page.locator("html").evaluate("one => one.scrollWidth <= one.clientWidth")
    page.screenshot(path=pictures / f"domain-{size}.png", full_page=True)

    page.get_by_role("button", name="Make new keys").click()
    expect(status).to_contain_text("New keys are made")
    expect(page.get_by_text("waits for its record")).to_have_count(2)
    states = [key["state"] for key in asking.command_json("dkim", "show", DOMAIN)]
    assert sorted(states) == ["signing", "signing", "waiting", "waiting"]

    zone = page.request.get(f"{origin(asking)}{PAGE}/{DOMAIN}/zone")
    assert zone.headers["content-disposition"] == f'attachment; filename="{DOMAIN}.zone"'
    assert zone.text() == asking.command("dns", "zone", DOMAIN).stdout.decode()


def test_others_do_not_see_it(plain_page: Page, server: MailsteadServer) -> None:
    page = plain_page
    enter(page, server, "alice@example.test", f"{PAGE}/")
    expect(page.get_by_text("You own no domain.")).to_be_visible()
    assert page.request.get(f"{origin(server)}{PAGE}/{DOMAIN}").status == 403
    assert page.request.get(f"{origin(server)}{PAGE}/{DOMAIN}/zone").status == 403
    assert page.request.get(f"{origin(server)}{PAGE}/nowhere.test").status == 404
