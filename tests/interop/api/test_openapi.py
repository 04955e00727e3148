"""The running API against its own OpenAPI document, and every endpoint against every kind of asker."""

import html
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from support.mailstead_server import MailsteadServer

Client = Callable[..., httpx.Client]
OPEN = {"/v1/test"}
LEFT_OUT = {
    "DELETE": {"/v1/domains/{name}"},  # the demo domain is needed to the end
    "GET": {"/v1/domains/{name}/verify-records"},  # asks DNS, which does not answer here: 503 is the right answer
}
NEEDS_ADMIN = {"/v1/queue", "/v1/queue/{queue_id}", "/v1/queue/{queue_id}/{action}"}


@pytest.fixture(scope="module")
def document(api: Client) -> dict[str, Any]:
    with api() as client:
        found: dict[str, Any] = client.get("/openapi.json").json()
        return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "delete", "patch")
    ]


def test_a_page_shows_every_operation_and_loads_nothing(api: Client, document: dict[str, Any]) -> None:
    with api() as client:
        page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "src=" not in page.text
    for path, method, operation in operations(document):
        assert f"<b>{method}</b> {path}" in page.text
        assert operation["summary"] in html.unescape(page.text)


def test_whatever_fits_the_document_is_answered_as_it_says(server: MailsteadServer, document: dict[str, Any]) -> None:
    """Requests are made from the document: none may crash the server or be answered otherwise."""
    host, port = server.address("api")
    schema = schemathesis.openapi.from_dict(document)
    auth = ("admin@example.test", server.password("admin"))
    tried = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        if operation.path in LEFT_OUT.get(operation.method.upper(), ()):
            continue

        @seed(7)
        @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def attempt(case: schemathesis.Case[Any]) -> None:
            nonlocal tried
            tried += 1
            case.call_and_validate(
                base_url=f"http://{host}:{port}",
                auth=auth,
                checks=[not_a_server_error, status_code_conformance, response_schema_conformance],
            )

        attempt()
    assert tried > 100


def test_every_endpoint_is_closed_to_strangers(api: Client, document: dict[str, Any]) -> None:
    for login, password in (("", ""), ("nobody@example.test", "wrong"), ("mst_" + "x" * 40, "")):
        with api(login, password) as client:
            for path, method, _ in operations(document):
                concrete = path.removeprefix("/v1").replace("{", "").replace("}", "")
                # neither a body that is none of the kind asked for nor a missing parameter is looked at first
                content = b"{" if method in ("post", "put") else None
                answer = client.request(method, concrete, content=content, params={"limit": "x"})
                wanted = 200 if path in OPEN else 401
                assert answer.status_code == wanted, (method, path, answer.text)


def test_what_belongs_to_others_is_closed_to_users(api: Client, as_account: Client, document: dict[str, Any]) -> None:
    """Bob, a user without domains, at everything that names the domain, its aliases or the queue."""
    with as_account("bob") as client:
        for path, method, _ in operations(document):
            if path not in NEEDS_ADMIN and "{domain}" not in path and path != "/v1/domains/{name}":
                continue
            concrete = path.removeprefix("/v1").replace("{domain}", "example.test").replace("{action}", "hold")
            concrete = concrete.replace("/domains/{name}", "/domains/example.test").replace("{name}", "alice")
            concrete = concrete.replace("{queue_id}", "x")
            answer = client.request(method, concrete, json={} if method in ("post", "put") else None)
            assert answer.status_code == 403, (method, path, answer.status_code, answer.text)
