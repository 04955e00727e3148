"""The web as people and programs use it in tests: logged-in browsers and plain clients."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Page

from support.mailstead_server import MailsteadServer

DESKTOP, PHONE = (1360, 850), (390, 800)
UNREACHABLE = "unreachable.example"
_REFUSED = "Failed to load resource: the server responded with a status of 4"


def origin(server: MailsteadServer, name: str = "") -> str:
    """Where the web is; `name` is the host to call it by, in place of its address."""
    host, port = server.address("http")
    return f"http://{name or host}:{port}"


def password_of(server: MailsteadServer, address: str) -> str:
    """The demo account's password."""
    return server.password(address.partition("@")[0])


@contextmanager
def logged_in(server: MailsteadServer, address: str, password: str = "", **headers: str) -> Iterator[httpx.Client]:
    """A client with a session, and no browser's manners."""
    with httpx.Client(base_url=origin(server), headers=headers, timeout=30) as client:
        given = {"address": address, "password": password or password_of(server, address)}
        assert client.post("/login", data=given).status_code == 303
        yield client


def csrf(client: httpx.Client) -> str:
    """The token that the session's forms carry."""
    token = client.get("/account/").text.partition('name="csrf" value="')[2].partition('"')[0]
    assert token
    return token


def send(client: httpx.Client, path: str, **form: str | list[str]) -> httpx.Response:
    """Send a form of our own."""
    return client.post(path, data={"csrf": csrf(client)} | form)


def enter(page: Page, server: MailsteadServer, address: str, target: str = "/", password: str = "") -> None:
    """Log in by the form."""
    page.goto(f"{origin(server)}/login?next={target}")
    page.fill("#address", address)
    page.fill("#password", password or password_of(server, address))
    page.click("button.primary")


@contextmanager
def browsing(
    browser: Browser,
    server: MailsteadServer,
    *,
    size: tuple[int, int] = DESKTOP,
    scripts: bool = True,
    scheme: Literal["light", "dark"] = "light",
    locale: str = "en-GB",
    name: str = "",
) -> Iterator[Page]:
    """A page; what its console complains about, and any request to elsewhere, fails the test at the end."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale=locale,
        java_script_enabled=scripts,
        color_scheme=scheme,
    )
    opened = context.new_page()
    complaints: list[str] = []
    own = (origin(server, name), origin(server), "data:", "blob:")

    def hear(one: ConsoleMessage) -> None:
        """A page or answer that was asked for and refused is no complaint: the test looks at what it says."""
        if one.type in ("error", "warning") and not (one.text.startswith(_REFUSED) and "/static/" not in one.text):
            complaints.append(one.text)

    opened.on("console", hear)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("request", lambda request: None if request.url.startswith(own) else complaints.append(request.url))
    try:
        yield opened
    finally:
        context.close()
    assert complaints == []
