"""The web as an installed application: it is found installable, and says so when there is no connection."""

import gzip
import re

import httpx
import pytest
from playwright.sync_api import Browser, expect

from support.mailstead_server import MailsteadServer
from support.web import DESKTOP, browsing, enter, logged_in, origin

pytestmark = pytest.mark.xdist_group("web-access")


def test_without_a_connection_there_is_a_page_that_tells_so(browser: Browser, server: MailsteadServer) -> None:
    with browsing(browser, server, size=DESKTOP) as page:
        enter(page, server, "alice@example.test")
        page.wait_for_selector("#list")
        page.evaluate("navigator.serviceWorker.ready.then((one) => one.active.state)")
        page.wait_for_function("navigator.serviceWorker.controller !== null")
        kept = page.evaluate(
            "caches.open('mailstead-1').then((one) => one.keys()).then((all) => all.map((one) => new URL(one.url).pathname))"
        )
        assert not [path for path in kept if path != "/offline" and not path.startswith("/static/")]
        page.context.set_offline(True)
        page.locator(".folder").first.click()
        expect(page.get_by_role("heading", name="No connection")).to_be_visible()
        page.context.set_offline(False)
        page.get_by_role("link", name="Try again").click()
        expect(page.locator("#list")).to_be_visible()


def test_it_can_be_installed(server: MailsteadServer) -> None:
    with httpx.Client(base_url=origin(server)) as client:
        told = client.get("/manifest.webmanifest", headers={"accept-language": "ru"}).json()
        assert told["display"] == "standalone"
        assert told["shortcuts"][0]["name"] == "Написать"
        assert client.get(told["icons"][0]["src"]).headers["content-type"] == "image/svg+xml"
        assert client.get("/worker.js").headers["content-type"].startswith("text/javascript")
        assert "@" not in client.get("/offline").text


def test_a_first_visit_weighs_little(server: MailsteadServer, admin: str) -> None:
    """The page as it is and its files as they are packed, without pictures."""
    found: dict[str, int] = {}
    with logged_in(server, admin) as client:
        inbox = client.get("/mail/").headers["location"]
        for path in (inbox, "/mail/compose", "/calendar/", "/contacts/", "/account/", "/account/transfers", "/admin/"):
            page = client.get(path, headers={"accept-encoding": "identity"})
            assert page.status_code == 200
            files = dict.fromkeys(re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page.text))
            assert files
            found[path] = len(page.content) + sum(len(gzip.compress(client.get(one).content)) for one in files)
    assert {path: size for path, size in found.items() if size > 150 * 1024} == {}


def test_files_are_packed_for_those_who_take_it(server: MailsteadServer) -> None:
    with httpx.Client(base_url=origin(server)) as client:
        page = client.get("/login")
        assert "content-encoding" not in page.headers
        sheets = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
        assert sheets
        plain = client.get(sheets[0], headers={"accept-encoding": "identity"})
        with client.stream("GET", sheets[0], headers={"accept-encoding": "gzip"}) as packed:
            assert packed.headers["content-encoding"] == "gzip"
            raw = b"".join(packed.iter_raw())
        assert gzip.decompress(raw) == plain.content
        assert len(raw) < len(plain.content)
