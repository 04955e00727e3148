"""Web Push, to a push service of the test's own: those of browsers cannot be reached from a test."""

import base64
import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from support.eventually import eventually_sync
from support.mailstead_server import MailsteadServer
from support.push_service import Browser, push_service
from support.web import DESKTOP, browsing, enter, logged_in, origin, send
from web.test_webmail import deliver

pytestmark = pytest.mark.xdist_group("web-access")
PAGE = "/account/notifications"


def text(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def test_a_browser_is_told_of_new_mail_until_it_is_gone(server: MailsteadServer, certificates: Path) -> None:
    browser = Browser()
    given = {"key": text(browser.key), "auth": text(browser.auth)}
    deliver(server, "Before", "nobody is told of it", to="bob@example.test")
    with push_service(certificates) as service, logged_in(server, "bob@example.test") as client:
        endpoint = f"https://127.0.0.1:{service.port}/p/one"
        for refused in ("https://10.0.0.1/p", f"http://127.0.0.1:{service.port}/p", "nonsense"):
            assert send(client, PAGE, endpoint=refused, **given).status_code in (400, 550), refused
        assert send(client, PAGE, endpoint=endpoint, key="AAAA", auth=given["auth"]).status_code == 400
        assert send(client, PAGE, endpoint=endpoint, **given).status_code == 303
        deliver(server, "Told of", "x", to="bob@example.test")
        eventually_sync(lambda: service.came)
        path, fields, body = service.came[-1]
        assert path == "/p/one"
        assert fields["content-encoding"] == "aes128gcm"
        key = client.get(PAGE).text.partition('data-push="')[2].partition('"')[0]
        assert fields["authorization"].endswith(f"k={key}")
        news = json.loads(browser.decrypt(body))
        assert (news["title"], news["text"]) == ("Carol Übermut", "Told of")
        assert news["unseen"] >= 2
        assert b"Told of" not in body
        service.status = 410  # the browser does not want it any more
        deliver(server, "Told of the last time", "x", to="bob@example.test")
        eventually_sync(lambda: "No browser is told yet" in client.get(PAGE).text, pause=0.1)
        assert send(client, f"{PAGE}/remove", id="nothing").status_code == 404


def test_the_worker_shows_it(browser: Chromium, server: MailsteadServer, pictures: Path) -> None:
    with browsing(browser, server, size=DESKTOP) as page:
        page.context.grant_permissions(["notifications"], origin=origin(server))
        enter(page, server, "alice@example.test", PAGE)
        expect(page.get_by_role("button", name="Tell me of new mail here")).to_be_visible()
        page.screenshot(path=pictures / "notifications-1360.png")
        page.evaluate("navigator.serviceWorker.ready.then((one) => one.active.state)")
        session = page.context.new_cdp_session(page)
        found: list[str] = []
        session.on("ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(_ids(told)))
        session.send("ServiceWorker.enable")
        news = json.dumps({"title": "Carol", "text": "Hello", "url": "/mail/", "count": 1, "unseen": 3})
        eventually_sync(lambda: page.evaluate("1") and found)  # events are heard while something is asked
        session.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": origin(server), "registrationId": found[0], "data": news},
        )
        page.wait_for_function(
            "navigator.serviceWorker.ready.then((one) => one.getNotifications())"
            ".then((all) => all.some((one) => one.title === 'Carol' && one.body === 'Hello'))"
        )


def _ids(told: object) -> list[str]:
    assert isinstance(told, dict)
    return [one["registrationId"] for one in told["registrations"]]
