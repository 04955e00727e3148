"""Mail over the API: what IMAP does is seen here, what is done here is seen by IMAP, and what is sent arrives."""

import imaplib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from support.mailstead_server import MailsteadServer

Client = Callable[..., httpx.Client]
RAW = "From: Carol <carol@elsewhere.test>\r\nTo: alice@example.test\r\nSubject: {}\r\nMessage-ID: <{}@x>\r\n\r\n{}\r\n"


@contextmanager
def imap(server: MailsteadServer, name: str) -> Iterator[imaplib.IMAP4]:
    host, port = server.address("imap")
    with imaplib.IMAP4(host, port) as client:
        client.starttls(server.client_context())
        client.login(f"{name}@example.test", server.password(name))
        yield client


def until(read: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 20
    while not wanted(found := read()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)  # the other side works in another process, which tells nobody here
    return found


def test_a_message_is_put_in_found_changed_moved_and_deleted(server: MailsteadServer, as_account: Client) -> None:
    with as_account("alice") as client, imap(server, "alice") as other:
        raw = RAW.format("Put in", "put", "body text ü")
        made = client.post("/messages", json={"raw": raw, "labels": ["Work"], "flags": ["\\flagged"]}).json()
        assert (made["subject"], made["labels"], made["flags"]) == ("Put in", ["Work"], ["\\Flagged"])
        assert made["sender"] == [{"name": "Carol", "address": "carol@elsewhere.test"}]
        path = f"/messages/{made['id']}"
        fetched = client.get(f"{path}/raw")
        assert fetched.content == raw.encode()
        assert client.get(f"{path}/raw", headers={"if-none-match": fetched.headers["etag"]}).status_code == 304
        assert "body text ü" in client.get(path).json()["text"]
        other.select()
        other.store("1:*", "+FLAGS", "(Personal)")
        changed = client.put(path, json={"flags_add": ["\\Seen"], "labels_remove": ["work"]}).json()
        assert changed["labels"] == ["Personal"]
        assert changed["is_unread"] is False
        found: Any = other.search(None, "KEYWORD", "Personal", "SEEN", "SUBJECT", '"Put in"')
        assert len(found[1][0].split()) == 1
        moved = client.put(path, json={"folder": "Archive"}).json()
        assert moved["folder"] == "Archive"
        assert client.delete(path).json()["folder"] == "Archive"
        assert client.get(path).json()["folder"] == "Trash"
        client.delete(path)
        assert client.get(path).status_code == 404


def test_lists_are_narrowed_by_filters(as_account: Client) -> None:
    with as_account("bob") as client:
        client.post("/folders", json={"path": "Filters"})
        for number in range(3):
            raw = RAW.format(f"Number {number}", f"n{number}", "x" * (number * 100))
            client.post("/messages", json={"raw": raw, "folder": "Filters", "flags": ["\\Seen"] if number else []})

        def subjects(**params: str | int) -> list[str]:
            answer = client.get("/messages", params={"folder": "Filters", **params})
            assert answer.status_code == 200, answer.text
            return [message["subject"] for message in answer.json()]

        assert subjects() == ["Number 2", "Number 1", "Number 0"]
        assert subjects(is_unread="true") == ["Number 0"]
        assert subjects(is_unread="false", limit=1, page=2) == ["Number 1"]
        assert subjects(subject="number 1") == ["Number 1"]
        assert subjects(q="-is:read from:carol") == ["Number 0"]
        assert subjects(message_id="<n2@x>") == ["Number 2"]
        assert subjects(headers="Message-ID: n1@") == ["Number 1"]
        assert subjects(min_size=250) == ["Number 2"]
        assert subjects(**{"from": "nobody"}) == []
        assert client.get("/messages", params={"folder": "Nowhere"}).status_code == 404
        assert client.get("/messages", params={"headers": "no colon"}).status_code == 400
        assert client.get("/messages", params={"since": "yesterday"}).status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"flags": ["\\Recent"]},
        {"flags_add": ["\\Unknown"]},
        {"labels": ["with space"]},
        {"labels": ["\\Seen"]},
        {"labels_add": ['quo"te']},
        {"labels_add": ["x" * 101]},
        {"labels_add": ["x"] * 101},
        {"flags": "\\Seen"},
    ],
    ids=str,
)
def test_flags_and_labels_that_cannot_be_are_refused(as_account: Client, change: dict[str, Any]) -> None:
    with as_account("alice") as client:
        made = client.post("/messages", json={"raw": RAW.format("Flags", "flags", "")}).json()
        assert client.put(f"/messages/{made['id']}", json=change).status_code == 400
        assert client.get(f"/messages/{made['id']}").json()["flags"] == []


def test_folders_live_their_life(server: MailsteadServer, as_account: Client) -> None:
    with as_account("alice") as client:
        made = client.post("/folders", json={"path": "Projects/One", "subscribed": False}).json()
        assert (made["path"], made["subscribed"], made["messages"]) == ("Projects/One", False, 0)
        assert client.post("/folders", json={"path": "Projects/One"}).status_code == 409
        renamed = client.put(f"/folders/{made['id']}", json={"path": "Projects/Two", "subscribed": True}).json()
        assert (renamed["id"], renamed["path"], renamed["subscribed"]) == (made["id"], "Projects/Two", True)
        with imap(server, "alice") as other:
            listed: Any = other.list('""', '"Projects/*"')
            assert b"Projects/Two" in listed[1][0]
        paths = [folder["path"] for folder in client.get("/folders").json()]
        assert {"INBOX", "Sent", "Projects", "Projects/Two"} <= set(paths)
        assert client.delete(f"/folders/{made['id']}").status_code == 200
        assert client.get(f"/folders/{made['id']}").status_code == 404
        assert client.delete("/folders/INBOX").status_code == 400
        assert client.post("/folders", json={"path": ""}).status_code == 400


def test_a_message_is_sent_once_and_followed(server: MailsteadServer, as_account: Client) -> None:
    wanted = {
        "to": "Bob <bob@example.test>",
        "bcc": ["admin@example.test"],
        "subject": "Grüße ✓",
        "text": "plain",
        "html": "<b>rich</b><img src=cid:dot>",
        "attachments": [
            {"filename": "dot.png", "content": "AAAA", "contentType": "image/png", "cid": "dot"},
            {"filename": "ä.txt", "content": "text", "encoding": "utf-8", "contentType": "text/plain"},
        ],
        "headers": {"X-Job": "7"},
    }
    with as_account("alice") as client:
        first, second = (
            client.post("/emails", json=wanted, headers={"Idempotency-Key": "one"}).json() for _ in range(2)
        )
        assert first == second
        assert [(one["address"], one["status"]) for one in first["recipients"]] == [
            ("bob@example.test", "sent"),
            ("admin@example.test", "sent"),
        ]
        other = client.post("/emails", json=wanted | {"subject": "x"}, headers={"Idempotency-Key": "one"})
        assert other.status_code == 400
        way = client.get(f"/emails/{first['id']}").json()
        assert way["status"] == "sent"
        assert any("bob@example.test" in step["text"] for step in way["steps"])
        ways = client.get("/trace", params={"q": "alice@example.test"}).json()
        assert first["id"] in [one["id"] for one in ways]
    with as_account("bob") as client:
        (arrived,) = client.get("/messages", params={"subject": "Grüße"}).json()
        raw = client.get(f"/messages/{arrived['id']}/raw").text
        assert "admin@example.test" not in raw
        assert "X-Job: 7" in raw
        assert "DKIM-Signature:" in raw
        whole = client.get(f"/messages/{arrived['id']}").json()
        assert whole["html"].startswith("<b>rich</b>")
        assert {one["filename"] for one in whole["attachments"]} == {"dot.png", "ä.txt"}
        assert client.get("/trace", params={"q": "alice@example.test"}).status_code == 403
        ways = client.get("/trace", params={"q": "bob@example.test"}).json()
        (seen,) = (one for one in ways if one["id"] == first["id"])
        assert any("bob@example.test" in step["text"] for step in seen["steps"])
        assert not any("admin@example.test" in step["text"] for step in seen["steps"])  # a blind copy went there


def test_only_own_addresses_send_and_headers_cannot_be_smuggled(as_account: Client) -> None:
    with as_account("alice") as client:
        good = {"to": "bob@example.test", "subject": "s", "text": "t"}
        assert client.post("/emails", json=good | {"from": "bob@example.test"}).status_code == 403
        assert client.post("/emails", json=good | {"raw": "From: bob@example.test\r\n\r\n"}).status_code == 403
        assert client.post("/emails", json=good | {"to": ""}).status_code == 400
        assert client.post("/emails", json=good | {"to": "not an address"}).status_code == 400
        for header in ({"X-A": "b\r\nBcc: eve@x.test"}, {"Subject": "twice"}):
            assert client.post("/emails", json=good | {"headers": header}).status_code == 400
        assert client.post("/emails", json=good | {"subject": "a\r\nBcc: eve@x.test"}).status_code == 400
        bad = {"filename": "x", "content": "!!"}
        assert client.post("/emails", json=good | {"attachments": [bad]}).status_code == 400


def test_the_queue_is_seen_and_changed_by_admins_only(as_account: Client) -> None:
    with as_account("alice") as client:
        sent = client.post("/emails", json={"to": "eve@no-such-host.invalid", "subject": "q", "text": "t"}).json()
        assert sent["recipients"][0]["status"] == "queued"
        assert client.get("/queue").status_code == 403
    with as_account("admin") as client:

        def waiting() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = client.get("/queue", params={"destination": "no-such-host.invalid"}).json()
            return found

        held = until(waiting, lambda found: (bool(found) and found[0]["state"] != "claimed") or not found)
        if held:
            assert client.post(f"/queue/{held[0]['queue_id']}/hold").json()["done"] == 1
            assert client.get(f"/queue/{held[0]['queue_id']}").json()[0]["state"] == "held"
            assert client.post(f"/queue/{held[0]['queue_id']}/drop").json()["done"] == 1
        assert client.post("/queue/nothing/retry").status_code == 404
        assert client.post("/queue/nothing/eat").status_code == 400


def test_a_token_opens_a_mailbox_that_it_names_and_no_other(api: Client, as_account: Client) -> None:
    with as_account("alice") as client:
        text = client.post("/tokens", json={"scopes": ["read"]}).json()["token"]
    with api(text) as client:
        assert client.get("/folders").status_code == 403
        assert client.get("/folders", params={"alias": "alice@example.test"}).status_code == 200
        assert client.get("/folders", params={"alias": "bob@example.test"}).status_code == 403
        assert client.get("/folders", params={"alias": "nobody@example.test"}).status_code == 403
        refused = client.post("/folders", params={"alias": "alice@example.test"}, json={"path": "No"})
        assert refused.status_code == 403


def test_messages_of_others_are_not_found(as_account: Client) -> None:
    with as_account("alice") as client:
        made = client.post("/messages", json={"raw": RAW.format("Mine", "mine", "")}).json()
    with as_account("bob") as client:
        answer = client.get(f"/messages/{made['id']}")
        assert answer.status_code == 404 or answer.json()["subject"] != "Mine"
        for identifier in ("M99999", "M0", "x", "M" + "9" * 30, "%2e%2e"):
            assert client.get(f"/messages/{identifier}").status_code == 404


def test_a_large_message_is_read_in_ranges_and_as_a_stream(as_account: Client) -> None:
    body = "".join(f"line {number}\r\n" for number in range(60_000))
    raw = (RAW.format("Large", "large", "") + body).encode()
    with as_account("bob") as client:
        made = client.post("/messages", json={"raw": raw.decode()}).json()
        path = f"/messages/{made['id']}/raw"
        whole = client.get(path)
        assert (whole.content, whole.headers["content-length"]) == (raw, str(len(raw)))
        assert whole.headers["accept-ranges"] == "bytes"

        def part(asked: str, **headers: str) -> httpx.Response:
            return client.get(path, headers={"range": asked, **headers})

        for asked, wanted in (
            ("bytes=0-9", raw[:10]),
            ("bytes=100000-399999", raw[100000:400000]),
            (f"bytes={len(raw) - 5}-", raw[-5:]),
            ("bytes=-7", raw[-7:]),
            (f"bytes=10-{len(raw) * 2}", raw[10:]),
        ):
            answer = part(asked)
            assert (answer.status_code, answer.content) == (206, wanted), asked
            assert answer.headers["content-range"].endswith(f"/{len(raw)}")
        for asked in ("bytes=5-2", f"bytes={len(raw)}-", "bytes=-0"):
            assert part(asked).status_code == 416, asked
        for asked in ("bytes=0-1,4-5", "lines=1-2", "bytes=x-y"):  # what is not one range of octets is the whole
            assert (part(asked).status_code, len(part(asked).content)) == (200, len(raw)), asked
        assert part("bytes=0-9", **{"if-range": '"another"'}).status_code == 200
        assert part("bytes=0-9", **{"if-range": whole.headers["etag"]}).status_code == 206
        known = {"if-none-match": f'"x", W/{whole.headers["etag"]}'}
        assert client.get(path, headers=known).status_code == 304
        shown = client.get(f"/messages/{made['id']}", params={"raw": True, "attachments": False}).json()
        assert shown["raw"] == raw.decode()


def test_a_message_is_changed_in_the_state_that_was_seen_or_not_at_all(as_account: Client) -> None:
    with as_account("bob") as client:
        made = client.post("/messages", json={"raw": RAW.format("State", "state", "")}).json()
        path = f"/messages/{made['id']}"
        seen = client.get(path)
        etag = seen.headers["etag"]
        assert client.get(path, headers={"if-none-match": etag}).status_code == 304
        first = client.put(path, json={"flags_add": ["\\Flagged"]}, headers={"if-match": etag})
        assert first.status_code == 200
        assert first.headers["etag"] not in ("", etag)
        for change in ({"flags_add": ["\\Seen"]}, {"folder": "Archive"}, {"labels": ["late"]}):
            late = client.put(path, json=change, headers={"if-match": etag})
            assert (late.status_code, late.json()["statusCode"]) == (412, 412), change
        assert client.delete(path, headers={"if-match": etag}).status_code == 412
        now = client.get(path)
        assert (now.json()["flags"], now.json()["labels"], now.json()["folder"]) == (["\\Flagged"], [], "INBOX")
        assert now.headers["etag"] == first.headers["etag"]
        assert client.get(path, headers={"if-none-match": etag}).status_code == 200
        assert client.delete(path, headers={"if-match": now.headers["etag"]}).status_code == 200
