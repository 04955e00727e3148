"""What nobody should send: each is refused with a client's error, told in the API's own form, and changes nothing."""

import json
import socket
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from support.mailstead_server import MailsteadServer

Client = Callable[..., httpx.Client]
ALIASES = "/domains/example.test/aliases"
_TRICKS = (
    "../admin",
    "..%2f..%2fv1",
    "%00",
    "%2e%2e",
    "a%0d%0ab",
    "%ff%fe",
    "\u202eevil",
    "a" * 5000,
    "%c0%af",
    ";id",
    "*",
    "\\..\\",
)


def refused(answer: httpx.Response) -> None:
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text[:200])
    if answer.headers.get("content-type", "").startswith("application/json"):
        assert answer.json()["statusCode"] == answer.status_code


@pytest.mark.parametrize(
    "path",
    ["/domains/{}", "/domains/{}/aliases", "/domains/example.test/aliases/{}", "/messages/{}", "/folders/{}", "/emails/{}",
     "/tokens/{}", "/sieve-scripts/{}", "/calendars/{}", "/calendar-events/{}", "/contacts/{}", "/queue/{}",
     "/domains/example.test/hooks/{}/deliveries", "/domains/{}/reports/x", "/sessions/{}", "/domains/{}/verify-smtp"],
)  # fmt: skip
def test_names_that_are_tricks_are_nobody_s(as_account: Client, path: str) -> None:
    with as_account("admin") as client:
        for trick in _TRICKS:
            method = "DELETE" if path in ("/tokens/{}", "/sessions/{}") else "GET"
            refused(client.request(method, path.format(trick)))


BODIES: list[bytes] = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"5",
    b'{"name": "a", "name": 5}',
    b'{"name": "\\ud800"}',
    b'{"name": "\xff"}',
    b'{"name": "a\\u0000b"}',
    b'{"name": "a\\nb"}',
    b'{"name": "x y@z"}',
    b'{"name": "' + b"a" * 300 + b'"}',
    b'{"max_quota": 1e400}',
    b'{"max_quota": -1}',
    b'{"max_quota": 9223372036854775808}',
    b'{"max_quota": true}',
    b'{"recipients": "a@b.test"}',
    b'{"recipients": ["not an address"]}',
    b'{"recipients": [null]}',
    b'{"labels": [{}]}',
    b"[" * 10_000,
    b'{"name":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}",
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:40]))
def test_bodies_of_other_forms_are_refused(as_account: Client, body: bytes) -> None:
    with as_account("admin") as client:
        before = client.get(ALIASES).json()
        refused(client.post(ALIASES, content=body, headers={"content-type": "application/json"}))
        assert client.get(ALIASES).json() == before


def test_other_types_of_content_are_refused(as_account: Client) -> None:
    with as_account("admin") as client:
        for kind in (
            "text/plain",
            "application/xml",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
        ):
            refused(client.post(ALIASES, content=b"name=a", headers={"content-type": kind}))


@pytest.mark.parametrize(
    "query",
    [
        {"page": "0"}, {"page": "-1"}, {"page": "9" * 40}, {"limit": "0"}, {"limit": "x"}, {"limit": ""},
        {"since": "yesterday"}, {"since": "9" * 400}, {"before": "2026-13-01"}, {"min_size": "-1"}, {"is_unread": "maybe"},
        {"headers": "no colon"}, {"folder": "No such"}, {"folder": "\0"}, {"q": "x" * 600, "page": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_parameters_of_other_forms_are_refused(as_account: Client, query: dict[str, str]) -> None:
    with as_account("alice") as client:
        refused(client.get("/messages", params=query))


def test_times_and_sizes_at_their_ends_are_taken(as_account: Client) -> None:
    with as_account("alice") as client:
        for query in (
            {"since": "0001-01-01"},
            {"before": "9999-12-31T23:59:59Z"},
            {"max_size": str(2**62)},
            {"q": "x" * 500},
        ):
            answer = client.get("/messages", params=query)
            assert answer.status_code in (200, 400), (query, answer.text)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server: MailsteadServer, as_account: Client) -> None:
    """The length is announced, the octets are never sent."""
    host, port = server.address("api")
    with as_account("alice") as client:
        token = client.post("/tokens", json={"scopes": ["read", "write", "send"]}).json()["token"]
    head = (
        f"POST /v1/emails HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {10**12}\r\n\r\n"
    )
    with socket.create_connection((host, port), timeout=20) as connection:
        connection.sendall(head.encode() + b"{")
        status = connection.recv(65536).split(b"\r\n")[0]
    assert b" 413 " in status, status


def test_header_fields_that_are_tricks_are_refused(as_account: Client, api: Client) -> None:
    with as_account("alice") as client:
        wanted = {"to": "bob@example.test", "subject": "s", "text": "t"}
        refused(client.post("/emails", json=wanted, headers={"Idempotency-Key": "k" * 201}))
        refused(client.get("/calendar-events/E1", headers={"if-match": "no etag"}))
    for authorization in (
        "Basic",
        "Basic !!",
        "Basic " + "A" * 20_000,
        "Bearer",
        "Bearer mst_",
        "Digest x",
        "Basic OjpA",
    ):
        with api() as client:
            assert client.get("/account", headers={"authorization": authorization}).status_code in (401, 431)


def test_an_idempotency_key_does_not_cross_users(as_account: Client) -> None:
    """The same key of two users is two keys: neither is told what the other sent."""
    wanted = {"to": "bob@example.test", "subject": "crossing", "text": "t"}
    ids = []
    for name in ("alice", "admin"):
        with as_account(name) as client:
            answer = client.post("/emails", json=wanted, headers={"Idempotency-Key": "crossing"})
            ids.append(answer.json()["id"])
    assert ids[0] != ids[1]


def test_json_is_answered_whatever_is_accepted(as_account: Client) -> None:
    with as_account("alice") as client:
        for accept in ("text/html", "application/xml", "*/*;q=0", "x" * 1000):
            answer = client.get("/nothing", headers={"accept": accept})
            found: dict[str, Any] = json.loads(answer.content)
            assert found["statusCode"] == 404
