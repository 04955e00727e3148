"""Every endpoint against every kind of asker, on what is theirs and what is others'.

The classes below are told by the paths alone, so that a new endpoint is in the matrix from its first day. Who is let in
is told by the answer not being 401 or 403: what is named does not exist there, so that nothing is harmed.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from support.api_document import operations
from support.mailstead_server import MailsteadServer
from support.web import csrf, logged_in, origin, send

Client = Callable[..., httpx.Client]
Operation = tuple[str, str]

OPEN: dict[Operation, int] = {("get", "/v1/test"): 200, ("post", "/v1/account"): 400}
FOR_ADMINS = re.compile(r"/v1/(queue|server)(/.*)?")
ALSO_FOR_ADMINS: set[Operation] = {("post", "/v1/domains"), ("delete", "/v1/domains/{name}")}
OF_A_MAILBOX = re.compile(
    r"/v1/(archive|calendars|calendar-events|contacts|exports|folders|imports|junk|messages|sieve-scripts|snapshots|undelete)(/.*)?"
)
OF_ANYBODY = re.compile(r"/v1/(account|emails|trace)(/.*)?")
# An invite is for those who are not members yet, and tells nothing to who was not invited.
FOREIGN: dict[Operation, int] = {
    ("get", "/v1/domains/{domain}/invites"): 404,
    ("post", "/v1/domains/{domain}/invites/accept"): 404,
}
BODIES: dict[Operation, dict[str, Any]] = {
    ("put", "/v1/account"): {"current_password": "x", "password": "long enough for it"},
    ("post", "/v1/calendars"): {"name": "x", "components": ["NONE"]},
    ("post", "/v1/calendar-events"): {"ical": "x"},
    ("put", "/v1/calendar-events/{event_id}"): {"ical": "x"},
    ("post", "/v1/domains"): {"domain": "example.test"},
    ("post", "/v1/domains/{domain}/aliases/{name}/sieve"): {"name": "x", "content": "keep;"},
    ("post", "/v1/domains/{domain}/hooks"): {"url": "https://127.0.0.1/", "events": ["bounce"]},
    ("post", "/v1/domains/{domain}/invites"): {"email": "admin@example.test"},
    ("delete", "/v1/domains/{domain}/invites"): {"email": "x@elsewhere.test"},
    ("post", "/v1/domains/{domain}/invites/accept"): {"token": "x"},
    ("post", "/v1/domains/{domain}/suppressions"): {"email": "x@elsewhere.test"},
    ("put", "/v1/domains/{domain}/allowlist"): {"allowlist": []},
    ("put", "/v1/domains/{domain}/denylist"): {"denylist": []},
    ("put", "/v1/server/allowlist"): {"allowlist": []},
    ("put", "/v1/server/denylist"): {"denylist": []},
    ("post", "/v1/junk"): {"message_id": "M999999", "is_junk": True},
    ("put", "/v1/domains/{domain}/members/{member_id}"): {"group": "user"},
    ("post", "/v1/folders"): {"path": "INBOX"},
    ("post", "/v1/messages"): {"raw": "Subject: x\r\n\r\n", "folder": "nowhere"},
    ("post", "/v1/sieve-scripts"): {"name": "x", "content": "no script"},
}
ASKS_DNS = {"/v1/domains/{name}/verify-records", "/v1/domains/{name}/verify-smtp"}  # which does not answer here
QUERIES = {"/v1/trace": {"q": "nobody"}, "/v1/server/doctor": {"checks": "none"}}


def concrete(path: str, **names: str) -> str:
    """A path below /v1 with names in it; "x" for those that are not given."""
    known = {"domain": "nowhere.test", "action": "hold"} | names
    return re.sub(r"\{(\w+)\}", lambda found: known.get(found[1], "x"), path.removeprefix("/v1"))


def ask(client: httpx.Client, method: str, path: str, **names: str) -> int:
    body = BODIES.get((method, path), {}) if method in ("post", "put") or (method, path) in BODIES else None
    answer = client.request(method, concrete(path, **names), json=body, params=QUERIES.get(path))
    assert answer.status_code < 500 or path in ASKS_DNS, (method, path, answer.text)
    return answer.status_code


@pytest.fixture(scope="module")
def every(document: dict[str, Any]) -> list[Operation]:
    return [(method, path) for path, method, _ in operations(document)]


@pytest.fixture(scope="module")
def app_password(api: Client, as_account: Client) -> Iterator[httpx.Client]:
    """Bob's mail program."""
    with as_account("bob") as bob:
        login = bob.post("/domains/example.test/aliases/bob/generate-password", json={}).json()
    with api(login["username"], login["password"]) as client:
        yield client


def token_client(api: Client, as_account: Client, name: str, *scopes: str) -> httpx.Client:
    with as_account(name) as client:
        return api(client.post("/tokens", json={"scopes": scopes}).json()["token"])


def needs_admin(method: str, path: str) -> bool:
    return bool(FOR_ADMINS.fullmatch(path)) or (method, path) in ALSO_FOR_ADMINS


def names_a_domain(path: str) -> bool:
    return "{domain}" in path or path.startswith("/v1/domains/{name}")


def test_strangers_are_told_nothing(api: Client, every: list[Operation]) -> None:
    """Neither a body that is none nor a bad parameter is looked at before the credentials."""
    # a wrong password costs a slow derivation each time: a part of the endpoints will do
    for login, password, step in (
        ("", "", 1),
        ("mst_" + "x" * 40, "", 1),
        ("nobody@example.test", "wrong", 7),
        ("ä", "\0", 7),
    ):
        with api(login, password) as client:
            for method, path in every[::step]:
                content = b"{" if method in ("post", "put") else None
                answer = client.request(method, concrete(path), content=content, params={"limit": "x"})
                assert answer.status_code == OPEN.get((method, path), 401), (method, path, answer.text)


def test_a_user_is_let_into_nothing_of_others(as_account: Client, every: list[Operation]) -> None:
    """Bob, a user without domains, at everything that names the domain, its aliases, or the server."""
    tried = 0
    with as_account("bob") as client:
        for method, path in every:
            if needs_admin(method, path) or names_a_domain(path):
                tried += 1
                name = "example.test" if path.startswith("/v1/domains/{name}") else "alice"
                status = ask(client, method, path, domain="example.test", name=name)
                assert status == FOREIGN.get((method, path), 403), (method, path, status)
    assert tried > 30


def test_an_app_password_opens_its_mailbox_and_nothing_of_the_user(
    app_password: httpx.Client, every: list[Operation]
) -> None:
    for method, path in every:
        status = ask(app_password, method, path, domain="example.test", name="bob")
        if (method, path) in OPEN or OF_A_MAILBOX.fullmatch(path):
            assert status not in (401, 403), (method, path, status)
        elif not OF_ANYBODY.fullmatch(path):
            assert status == 403, (method, path, status)


def test_a_token_that_may_only_read_changes_nothing(api: Client, as_account: Client, every: list[Operation]) -> None:
    with token_client(api, as_account, "admin", "read") as client:
        for method, path in every:
            status = ask(client, method, path)
            if (method, path) in OPEN:
                continue
            if method != "get" or FOR_ADMINS.fullmatch(path) or OF_A_MAILBOX.fullmatch(path):
                assert status == 403, (method, path, status)  # without the scope admin an admin is a user


def test_a_token_opens_no_mailbox_of_others(api: Client, as_account: Client, every: list[Operation]) -> None:
    with token_client(api, as_account, "admin", "read", "write", "send", "admin") as client:
        for named in ("", "bob@example.test", "nobody@example.test", "no address"):
            client.headers["x-alias"] = named
            for method, path in every:
                if OF_A_MAILBOX.fullmatch(path):
                    status = ask(client, method, path)
                    assert status == 403, (method, path, status)


def test_an_admin_is_let_in_everywhere_but_mailboxes(api: Client, as_account: Client, every: list[Operation]) -> None:
    with token_client(api, as_account, "admin", "read", "write", "send", "admin") as client:
        for method, path in every:
            if not OF_A_MAILBOX.fullmatch(path) and path != "/v1/account":
                status = ask(client, method, path)
                assert status not in (401, 403), (method, path, status)


def test_a_domain_s_admin_is_let_into_that_domain_alone(
    api: Client, as_account: Client, every: list[Operation]
) -> None:
    with as_account("admin") as admin:
        admin.post("/domains", json={"domain": "matrix.test"})
        admin.post("/domains/matrix.test/invites", json={"email": "alice@example.test", "group": "admin"})
    with as_account("alice") as alice:
        assert alice.get("/domains/matrix.test/invites").status_code == 200
        for method, path in every:
            if not names_a_domain(path) or (method, path) in FOREIGN:
                continue
            own = ask(alice, method, path, domain="matrix.test", name="matrix.test" if "{domain}" not in path else "x")
            if (method, path) in ALSO_FOR_ADMINS:
                assert own == 403
                continue
            assert own not in (401, 403), (method, path, own)
            foreign = "example.test" if "{domain}" not in path else "bob"
            assert ask(alice, method, path, domain="example.test", name=foreign) == 403, (method, path)


# A GET that changes something, as Forward Email has it: no cookie does it, since any page can make a browser ask for it.
CHANGES_BY_GET: Operation = ("get", "/v1/domains/{domain}/invites")
# What would end the very session that asks, or change what later tests log in with.
NOT_BY_COOKIE: set[Operation] = {("put", "/v1/account"), ("delete", "/v1/sessions/{session_id}")}


def is_safe(method: str) -> bool:
    return method in ("get", "head", "options")


def test_a_browser_s_session_is_its_mailbox_s_password_and_changes_nothing_without_the_token(
    server: MailsteadServer, every: list[Operation]
) -> None:
    """The cookie alone reads; a form of another site, which cannot know the token, changes nothing (CSRF)."""
    with logged_in(server, "bob@example.test") as browser:
        token = csrf(browser)
        browser.base_url = f"{origin(server)}/v1"
        changing = [one for one in every if not is_safe(one[0]) and one not in OPEN]
        assert len(changing) > 50
        for method, path in changing:
            for given in ({}, {"x-csrf-token": ""}, {"x-csrf-token": token[::-1]}):
                answer = browser.request(method, concrete(path), json=BODIES.get((method, path), {}), headers=given)
                assert answer.status_code == 403, (method, path, given, answer.text)
                assert "CSRF" in answer.json()["message"]
        browser.headers["x-csrf-token"] = token
        for method, path in every:
            if (method, path) in NOT_BY_COOKIE:
                continue
            foreign = needs_admin(method, path) or names_a_domain(path)
            name = "example.test" if path.startswith("/v1/domains/{name}") else "alice"
            status = ask(browser, method, path, domain="example.test", name=name)
            if (method, path) == CHANGES_BY_GET:
                assert status == 403
            elif foreign:
                assert status == FOREIGN.get((method, path), 403), (method, path, status)
            else:
                assert status not in (401, 403), (method, path, status)


def test_a_session_that_ended_is_a_stranger_s(server: MailsteadServer, every: list[Operation]) -> None:
    with logged_in(server, "alice@example.test") as browser:
        kept = browser.cookies.get("mailstead_session")
        assert browser.get("/v1/account").status_code == 200
        assert send(browser, "/logout").status_code == 303
        browser.cookies.set("mailstead_session", str(kept))
        for method, path in every[::5]:
            answer = browser.request(method, f"/v1{concrete(path)}", content=b"{" if not is_safe(method) else None)
            assert answer.status_code == OPEN.get((method, path), 401), (method, path)


def test_an_admin_s_session_administers(server: MailsteadServer, every: list[Operation]) -> None:
    with logged_in(server, "admin@example.test") as browser:
        browser.headers["x-csrf-token"] = csrf(browser)
        browser.base_url = f"{origin(server)}/v1"
        for method, path in every:
            if (method, path) not in NOT_BY_COOKIE and (method, path) != CHANGES_BY_GET:
                status = ask(browser, method, path)
                assert status not in (401, 403), (method, path, status)
