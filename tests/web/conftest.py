"""A running server and a browser for each test of the web."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from support.certificates import make_certificates
from support.dns_authority import Authority, Failure, dns_authority
from support.mailstead_server import MailsteadServer, mailstead_server
from support.web import DESKTOP, PHONE, UNREACHABLE, browsing, enter, logged_in

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[MailsteadServer]:
    """Of its names for others, UNREACHABLE does not answer, so that mail to it waits; all others do not exist."""
    with dns_authority() as authority:
        authority.fail(UNREACHABLE, Failure.SERVFAIL)
        yield from _served(tmp_path_factory, authority, certificates)


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority that the server trusts, and a certificate of it for 127.0.0.1."""
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


def _served(
    tmp_path_factory: pytest.TempPathFactory, authority: Authority, certificates: Path
) -> Iterator[MailsteadServer]:
    settings = {
        "MAILSTEAD_DNS_SERVERS": authority.address,
        "MAILSTEAD_WEB_STYLEGUIDE": "true",
        "MAILSTEAD_WEB_UNDO_SEND": "0",
        "MAILSTEAD_BACKUP_REPOSITORY": str(tmp_path_factory.mktemp("backups")),
        "MAILSTEAD_TLS_AUTHORITIES": str(certificates / "ca.pem"),
        "MAILSTEAD_WEB_PUSH_NETWORKS": "127.0.0.1",
        "MAILSTEAD_BACKUP_EVERY": "0",
        "MAILSTEAD_BACKUP_VERIFY_EVERY": "0",
    }
    with mailstead_server(tmp_path_factory.mktemp("web"), settings) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with the module: while it is open, its loop runs in this thread and no other can."""
    path = shutil.which("chromium")
    assert path is not None
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS.split())
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots are kept."""
    return tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="session")
def admin(server: MailsteadServer) -> str:
    """The address of the admin, who owns the domain."""
    address: str = server.demo["admin"]["address"]
    return address


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    found: tuple[int, int] = request.param
    return found


@pytest.fixture
def page(browser: Browser, server: MailsteadServer, size: tuple[int, int]) -> Iterator[Page]:
    """Alice's mail."""
    with browsing(browser, server, size=size) as opened:
        enter(opened, server, "alice@example.test")
        opened.wait_for_selector("#list")
        yield opened


@pytest.fixture
def plain_page(browser: Browser, server: MailsteadServer, size: tuple[int, int]) -> Iterator[Page]:
    """A browser without scripts, light on the desktop and dark on the phone; nobody is logged in."""
    with browsing(browser, server, size=size, scripts=False, scheme="dark" if size == PHONE else "light") as opened:
        yield opened


@pytest.fixture
def admin_client(server: MailsteadServer, admin: str) -> Iterator[httpx.Client]:
    with logged_in(server, admin) as client:
        yield client
