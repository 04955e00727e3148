"""A running server and a browser for each test of the web."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from support.mailstead_server import MailsteadServer, mailstead_server

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailsteadServer]:
    settings = {"MAILSTEAD_PORT_HTTP": "0", "MAILSTEAD_PORT_HTTPS": "0", "MAILSTEAD_WEB_STYLEGUIDE": "true"}
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
