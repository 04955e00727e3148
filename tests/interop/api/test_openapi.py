"""The running API against its own OpenAPI document."""

import html
from collections.abc import Callable
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from support.api_document import operations
from support.mailstead_server import MailsteadServer

Client = Callable[..., httpx.Client]
LEFT_OUT = {
    "DELETE": {"/v1/domains/{name}"},  # the demo domain is needed to the end
    "PUT": {"/v1/server/allowlist", "/v1/server/denylist"},  # would refuse those who ask
    "GET": {
        "/v1/domains/{name}/verify-records",
        "/v1/domains/{name}/verify-smtp",
    },  # asks DNS, which does not answer here: 503 is the right answer
}


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
