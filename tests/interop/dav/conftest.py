"""One server for all clients; each test file has an account of its own."""

from collections.abc import Iterator

import pytest

from support.mailstead_server import MailsteadServer, mailstead_server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailsteadServer]:
    settings = {"MAILSTEAD_DAV_FILES": "true", "MAILSTEAD_INSECURE_AUTH": "true"}
    with mailstead_server(tmp_path_factory.mktemp("dav"), settings) as running:
        yield running


def account(server: MailsteadServer, name: str) -> tuple[str, str]:
    """A new account's address and password."""
    made = server.command_json("alias", "add", f"{name}@example.test")
    return made["address"], made["password"]


@pytest.fixture
def login(request: pytest.FixtureRequest, server: MailsteadServer) -> tuple[str, str]:
    """An account for this test alone."""
    name = request.node.name.removeprefix("test_").replace("_", "-").partition("[")[0]
    return account(server, name[:40])
