"""One server for the tests of a module, and clients of it."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from support.mailstead_server import MailsteadServer, mailstead_server

Client = Callable[..., httpx.Client]
SETTINGS = {
    "MAILSTEAD_API_RATE": "500000",
    "MAILSTEAD_API_STRANGER_RATE": "500000",
    "MAILSTEAD_DNS_SERVERS": "127.0.0.1:9",
    "MAILSTEAD_LOGIN_FAILURES_PER_ACCOUNT": "1000",
    "MAILSTEAD_LOGIN_FAILURES_PER_ADDRESS": "1000",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailsteadServer]:
    with mailstead_server(tmp_path_factory.mktemp("api"), SETTINGS) as running:
        yield running


@pytest.fixture(scope="module")
def api(server: MailsteadServer) -> Client:
    """A client of the API with these credentials."""
    host, port = server.address("api")

    def made(login: str = "", password: str = "", **options: Any) -> httpx.Client:
        auth = httpx.BasicAuth(login, password) if login else None
        return httpx.Client(base_url=f"http://{host}:{port}/v1", auth=auth, timeout=30, **options)

    return made


@pytest.fixture(scope="module")
def as_account(server: MailsteadServer, api: Client) -> Client:
    """A client with a demo account's password."""
    return lambda name: api(f"{name}@example.test", server.password(name))


@pytest.fixture(scope="module")
def document(api: Client) -> dict[str, Any]:
    """The OpenAPI document."""
    with api() as client:
        found: dict[str, Any] = client.get("/openapi.json").json()
        return found
