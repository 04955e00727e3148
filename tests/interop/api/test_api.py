"""The API of a running server: who may ask, what is answered, and how failures look."""

from collections.abc import Callable

import httpx

from support.mailstead_server import MailsteadServer

Client = Callable[..., httpx.Client]


def token(as_account: Client, name: str, *scopes: str) -> str:
    with as_account(name) as client:
        made = client.post("/tokens", json={"label": "test", "scopes": scopes})
        assert made.status_code == 201, made.text
        text: str = made.json()["token"]
        return text


def test_the_api_answers_without_credentials_and_asks_for_them_elsewhere(api: Client) -> None:
    with api() as client:
        assert client.get("/test").json() == {"ok": True}
        refused = client.get("/account")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
        assert refused.json() == {"statusCode": 401, "error": "Unauthorized", "message": "Authentication failed"}


def test_wrong_credentials_look_the_same_whether_or_not_there_is_an_account(api: Client) -> None:
    answers = []
    for login in ("alice@example.test", "nobody@example.test", "no address", "mst_" + "x" * 40):
        with api(login, "" if login.startswith("mst_") else "wrong") as client:
            answer = client.get("/account")
            answers.append((answer.status_code, answer.json()))
    assert len({str(answer) for answer in answers}) == 1
    assert answers[0][0] == 401


def test_the_same_port_speaks_tls(server: MailsteadServer) -> None:
    host, port = server.address("api")
    with httpx.Client(base_url=f"https://{host}:{port}/v1", verify=server.client_context()) as client:
        assert client.get("/test").json() == {"ok": True}


def test_an_account_password_is_the_user_and_an_app_password_only_its_mailbox(api: Client, as_account: Client) -> None:
    with as_account("admin") as client:
        shown = client.get("/account").json()
        assert (shown["object"], shown["email"], shown["group"]) == ("user", "admin@example.test", "admin")
        assert [domain["name"] for domain in client.get("/domains").json()] == ["example.test"]
        made = client.post("/domains/example.test/aliases/admin/generate-password", json={}).json()
    with api(made["username"], made["password"]) as client:
        shown = client.get("/account").json()
        assert (shown["object"], shown["email"]) == ("mailbox", "admin@example.test")
        assert client.get("/domains").status_code == 403


def test_an_app_password_cannot_take_the_account_password_s_name(as_account: Client) -> None:
    with as_account("admin") as client:
        path = "/domains/example.test/aliases/admin/generate-password"
        assert client.post(path, json={"label": "account password"}).status_code == 400


def test_tokens_have_scopes_and_end_when_revoked(api: Client, as_account: Client) -> None:
    text = token(as_account, "admin", "read")
    with api(text) as client:
        assert client.get("/account").json()["email"] == "admin@example.test"
        assert client.post("/domains", json={"domain": "a.test"}).status_code == 403
        listed = client.get("/tokens").json()
        (used,) = [one for one in listed if one["last_used_at"] and one["scopes"] == ["read"]]
        assert used["last_ip"] == "127.0.0.1"
        assert text not in client.get("/tokens").text
    with as_account("admin") as admin:
        assert admin.delete(f"/tokens/{used['id']}").status_code == 204
        assert admin.delete(f"/tokens/{used['id']}").status_code == 404
    with api(text) as client:
        assert client.get("/account").status_code == 401


def test_only_an_admin_token_with_that_scope_administers(api: Client, as_account: Client) -> None:
    with api(token(as_account, "admin", "read", "write")) as client:
        assert client.post("/domains", json={"domain": "b.test"}).status_code == 403
    with api(token(as_account, "admin", "read", "write", "admin")) as client:
        assert client.post("/domains", json={"domain": "b.test"}).status_code == 200
        assert client.post("/domains", json={"domain": "b.test"}).status_code == 409
        assert client.delete("/domains/b.test").json()["name"] == "b.test"
    with as_account("alice") as client:
        assert client.post("/tokens", json={"scopes": ["admin"]}).status_code == 403
        assert client.post("/domains", json={"domain": "c.test"}).status_code == 403
        assert client.get("/domains/example.test").status_code == 403
        assert client.get("/domains").json() == []


def test_an_alias_lives_its_life(as_account: Client) -> None:
    with as_account("admin") as client:
        wanted = {"name": "info", "recipients": ["out@elsewhere.test"], "labels": ["x"], "description": "desk"}
        made = client.post("/domains/example.test/aliases", json=wanted).json()
        assert (made["email"], made["recipients"], made["has_imap"]) == (
            "info@example.test",
            ["out@elsewhere.test"],
            True,
        )
        by_id = client.get(f"/domains/example.test/aliases/{made['id']}").json()
        assert by_id == client.get("/domains/example.test/aliases/info").json()
        changed = client.put(f"/domains/example.test/aliases/{made['id']}", json={"is_enabled": False}).json()
        assert (changed["is_enabled"], changed["labels"], changed["description"]) == (False, ["x"], "desk")
        login = client.post(
            "/domains/example.test/aliases/info/generate-password", json={"new_password": "a long enough one"}
        ).json()
        assert login["password"] == "a long enough one"
        found = client.get("/domains/example.test/aliases", params={"q": "DESK"}).json()
        assert [alias["name"] for alias in found] == ["info"]
        assert client.delete("/domains/example.test/aliases/info").status_code == 200
        assert client.get("/domains/example.test/aliases/info").status_code == 404


def test_lists_come_in_pages(as_account: Client) -> None:
    with as_account("admin") as client:
        answer = client.get("/domains/example.test/aliases", params={"limit": 2, "page": 2})
        names = [alias["name"] for alias in answer.json()]
        everything = [alias["name"] for alias in client.get("/domains/example.test/aliases").json()]
        assert names == everything[2:4]
        count = str(len(everything))
        assert answer.headers["x-item-count"] == count
        assert answer.headers["x-page-current"] == "2"
        assert answer.headers["x-page-size"] == str(len(names))
        links = answer.headers["link"]
        assert 'page=1>; rel="first"' in links
        assert 'page=1>; rel="prev"' in links
        assert client.get("/domains", params={"page": 0}).status_code == 400


def test_bad_input_names_the_field(as_account: Client) -> None:
    with as_account("admin") as client:
        bad = client.post("/domains/example.test/aliases", json={"name": 5})
        assert bad.status_code == 400
        assert bad.json()["fields"][0]["name"] == "name"
        code = client.post("/domains/example.test/aliases", json={"name": "x", "error_code_if_disabled": 123})
        assert code.status_code == 400
        assert client.post("/domains/example.test/aliases", content=b"{").status_code == 400
        assert client.post("/domains", json={"domain": "not a domain"}).status_code == 400
        assert client.get("/nothing/here").status_code == 404
        assert client.patch("/account").status_code == 405


def test_records_are_told_and_looked_for(as_account: Client) -> None:
    with as_account("admin") as client:
        records = client.get("/domains/example.test/dns-records").json()
        assert {"MX", "TXT", "SRV"} <= {record["type"] for record in records}


def test_requests_are_counted(as_account: Client) -> None:
    with as_account("bob") as client:
        first, second = client.get("/account"), client.get("/account")
    assert first.headers["x-ratelimit-limit"] == "500000"
    left = [int(answer.headers["x-ratelimit-remaining"]) for answer in (first, second)]
    assert left[0] - left[1] == 1


def test_the_description_is_served_whole(api: Client) -> None:
    with api() as client:
        document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert "/v1/domains/{domain}/aliases/{name}" in document["paths"]
