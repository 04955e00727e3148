"""What becomes of mail, told to hooks and to whoever sent it: delivered, deferred, refused, waiting, taken back."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from mailstead.mail.webhooks.signature import SignatureError, verify_signature
from support.dns_authority import dns_authority
from support.eventually import eventually_sync
from support.hook_listener import Listener, hook_listener
from support.mailstead_server import MailsteadServer, mailstead_server
from support.smtp_sink import Sink, smtp_sink

Client = Callable[..., httpx.Client]
HOOKS = "/domains/example.test/hooks"


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with smtp_sink() as running:
        yield running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sink: Sink) -> Iterator[MailsteadServer]:
    zone = {"remote.test": {"MX": "10 mx.remote.test."}, "mx.remote.test": {"A": "127.0.0.1"}}
    with dns_authority(zone) as authority:
        settings = {
            "MAILSTEAD_DNS_SERVERS": authority.address,
            "MAILSTEAD_QUEUE_REMOTE_PORT": str(sink.port),
            "MAILSTEAD_WEBHOOK_PLAIN_HTTP": "true",
            "MAILSTEAD_WEBHOOK_PRIVATE_NETWORKS": "127.0.0.0/8",
        }
        with mailstead_server(tmp_path_factory.mktemp("events"), settings) as running:
            yield running


@pytest.fixture
def listener() -> Iterator[Listener]:
    with hook_listener() as running:
        yield running


@pytest.fixture
def admin(as_account: Client) -> Iterator[httpx.Client]:
    with as_account("admin") as client:
        yield client


@pytest.fixture
def hook(admin: httpx.Client, listener: Listener) -> Iterator[dict[str, Any]]:
    wanted = {"url": listener.url(), "events": ["message", "delivered", "deferred", "bounce", "quota"]}
    made: dict[str, Any] = admin.post(HOOKS, json=wanted).json()
    yield made
    assert admin.delete(f"{HOOKS}/{made['id']}").status_code == 200


def deliveries(admin: httpx.Client, hook: dict[str, Any], **params: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = admin.get(f"{HOOKS}/{hook['id']}/deliveries", params=params).json()
    return found


def send(client: httpx.Client, to: str, **more: Any) -> dict[str, Any]:
    answer = client.post("/emails", json={"to": to, "subject": "told", "text": "x", **more})
    assert answer.status_code == 200, answer.text
    sent: dict[str, Any] = answer.json()
    return sent


def status(client: httpx.Client, sent: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/emails/{sent['id']}").json()
    return found


def test_a_delivery_is_told_signed_and_once(
    admin: httpx.Client, as_account: Client, hook: dict[str, Any], listener: Listener
) -> None:
    with as_account("alice") as alice:
        sent = send(alice, "far@remote.test")
        assert sent["status"] == "queued"
        (told,) = listener.wait_for("delivered")
        assert told["data"]["email_id"] == sent["id"]
        assert (told["domain"], told["data"]["recipient"]) == ("example.test", "far@remote.test")
        header, body = listener.received[0]
        key = admin.get(f"{HOOKS}/key").json()["key"].encode()
        assert verify_signature(header, body, key, time.time()) == told["id"]
        with pytest.raises(SignatureError):
            verify_signature(header, body, key, time.time() + 600)  # the same delivery, replayed later
        with pytest.raises(SignatureError):
            verify_signature(header, body + b" ", key, time.time())
        eventually_sync(lambda: status(alice, sent)["status"] == "sent")
        assert status(alice, sent)["accepted"] == ["far@remote.test"]
    eventually_sync(lambda: deliveries(admin, hook)[0]["state"] == "delivered")
    (shown,) = deliveries(admin, hook)
    assert [attempt["status"] for attempt in shown["attempts"]] == [200]
    again = admin.post(f"{HOOKS}/{hook['id']}/deliveries/{shown['id']}/resend")
    assert again.json()["state"] == "waiting"
    assert [one["id"] for one in listener.wait_for("delivered", 2)] == [told["id"]] * 2
    assert admin.post(f"{HOOKS}/{hook['id']}/deliveries/none/resend").status_code == 404


def test_refusals_and_delays_are_told_and_shown_for_each_recipient(
    admin: httpx.Client, as_account: Client, hook: dict[str, Any], listener: Listener, sink: Sink
) -> None:
    assert admin.put("/domains/example.test", json={"bounce_webhook": listener.url("/fe")}).status_code == 200
    sink.answers["RCPT"] = ["550 5.1.1 no such user", "451 4.2.1 busy", "250 2.1.5 ok"]
    with as_account("alice") as alice:
        sent = send(alice, "gone@remote.test, busy@remote.test, here@remote.test, bob@example.test")
        bounced = listener.wait_for("bounce", 2)  # by the hook, and by the domain's bounce_webhook
        for told in bounced:
            assert (told["email_id"], told["recipient"], told["response_code"]) == (sent["id"], "gone@remote.test", 550)
            assert told["bounce"]["code"] == 550
        assert listener.wait_for("deferred")[0]["data"]["recipient"] == "busy@remote.test"
        listener.wait_for("delivered")
        eventually_sync(lambda: status(alice, sent)["status"] == "deferred")
        found = {one["address"]: (one["status"], one["code"]) for one in status(alice, sent)["recipients"]}
        assert found == {
            "gone@remote.test": ("bounced", 550),
            "busy@remote.test": ("deferred", 451),
            "here@remote.test": ("sent", 250),
            "bob@example.test": ("sent", 250),
        }
        assert listener.wait_for("message")[0]["data"]["mailbox"] == "bob@example.test"
    assert admin.put("/domains/example.test", json={"bounce_webhook": ""}).json()["bounce_webhook"] == ""
    (queued,) = admin.get("/queue", params={"destination": "remote.test"}).json()
    assert admin.post(f"/queue/{queued['queue_id']}/drop").json()["done"] == 1


def test_a_hook_that_fails_for_good_can_be_sent_again(
    admin: httpx.Client, hook: dict[str, Any], listener: Listener
) -> None:
    listener.statuses = [503, 410]
    test = admin.post(f"{HOOKS}/{hook['id']}/test").json()
    listener.wait_for("test")
    eventually_sync(lambda: deliveries(admin, hook)[0]["attempts"])
    (waits,) = deliveries(admin, hook, state="waiting")
    assert (waits["id"], waits["attempts"][0]["status"]) == (test["id"], 503)
    assert waits["next_at"] > waits["created_at"]
    path = f"{HOOKS}/{hook['id']}/deliveries/{test['id']}/resend"
    assert admin.post(path).status_code == 200
    eventually_sync(lambda: deliveries(admin, hook, state="failed"))  # 410: gone for good
    admin.post(path)
    eventually_sync(lambda: deliveries(admin, hook, state="delivered"))
    (done,) = deliveries(admin, hook)
    assert [attempt["status"] for attempt in done["attempts"]] == [503, 410, 200]


def test_hooks_are_changed_switched_off_and_checked(
    admin: httpx.Client, hook: dict[str, Any], listener: Listener
) -> None:
    one = f"{HOOKS}/{hook['id']}"
    for bad in (
        "ftp://x.test/",
        "https://user@x.test/",
        "https://x.test:0/",
        "no url at all",
        "https://x.test/\r\nX: y",
    ):
        assert admin.post(HOOKS, json={"url": bad, "events": ["bounce"]}).status_code == 400, bad
        assert admin.put(one, json={"url": bad}).status_code == 400, bad
    assert admin.post(HOOKS, json={"url": listener.url(), "events": []}).status_code == 400
    assert admin.post(HOOKS, json={"url": listener.url(), "events": ["everything"]}).status_code == 400
    changed = admin.put(one, json={"events": ["bounce"], "is_enabled": False, "description": "off"}).json()
    assert (changed["events"], changed["is_enabled"], changed["description"]) == (["bounce"], False, "off")
    assert hook["id"] in [found["id"] for found in admin.get(HOOKS).json()]
    before = admin.get(f"{HOOKS}/key").json()
    assert admin.post(f"{HOOKS}/key").json() != before
    assert admin.put(f"{HOOKS}/none", json={}).status_code == 404


def test_a_message_waits_for_its_time_and_is_taken_back(
    as_account: Client, api: Client, server: MailsteadServer
) -> None:
    with as_account("alice") as alice, as_account("bob") as bob:
        before = len(bob.get("/messages", params={"subject": "later"}).json())
        sent = send(alice, "bob@example.test", subject="later", send_at="2026-12-24T00:00:00Z")
        assert (sent["status"], sent["send_at"]) == ("queued", "2026-12-24T00:00:00.000Z")
        assert bob.get(f"/emails/{sent['id']}").status_code == 404
        assert bob.delete(f"/emails/{sent['id']}").status_code == 404
        gone = alice.delete(f"/emails/{sent['id']}").json()
        assert (gone["status"], gone["recipients"][0]["status"]) == ("rejected", "rejected")
        assert alice.delete(f"/emails/{sent['id']}").status_code == 409
        assert status(alice, sent)["status"] == "rejected"
        assert len(bob.get("/messages", params={"subject": "later"}).json()) == before
        at_once = send(alice, "bob@example.test", subject="at once")
        assert alice.delete(f"/emails/{at_once['id']}").status_code == 409
        far = {"to": "bob@example.test", "text": "x", "send_at": "2036-01-01T00:00:00Z"}
        assert alice.post("/emails", json=far).status_code == 400
        soon = send(alice, "bob@example.test", subject="soon", date="2020-01-01T00:00:00Z")
        assert soon["status"] == "sent"  # a date that is past is a date, not a time to wait for


def test_what_was_sent_is_listed_and_searched(as_account: Client, api: Client, admin: httpx.Client) -> None:
    with as_account("alice") as alice, as_account("bob") as bob:
        login = alice.post("/domains/example.test/aliases/alice/generate-password", json={}).json()
        ids = [send(alice, "bob@example.test", subject=f"listed {number}")["id"] for number in range(3)]
        answer = alice.get("/emails", params={"q": "LISTED", "limit": 2})
        assert [one["id"] for one in answer.json()] == ids[:0:-1]
        assert answer.headers["x-item-count"] == "3"
        oldest = alice.get("/emails", params={"q": "listed", "sort": "created_at"}).json()
        assert [one["id"] for one in oldest] == ids
        assert bob.get("/emails", params={"q": "listed"}).json() == []
        assert bob.get("/emails", params={"domain": "example.test"}).status_code == 403
        by_domain = admin.get("/emails", params={"q": "listed", "domain": "example.test"}).json()
        assert [one["id"] for one in by_domain] == ids[::-1]
        assert alice.get("/emails", params={"sort": "size"}).status_code == 400
        assert alice.get("/emails/limit").json()["limit"] > 0
        with api(login["username"], login["password"]) as program:
            own = send(program, "bob@example.test", subject="listed by a program")
            found = program.get("/emails", params={"q": "listed"}).json()  # whatever the mailbox sent
            assert [one["id"] for one in found] == [own["id"], *ids[::-1]]
        token = alice.post("/tokens", json={"scopes": ["read", "send", "write"]}).json()["token"]
        with api(token) as by_token:
            other = send(by_token, "bob@example.test", subject="listed by token")
        with api(login["username"], login["password"]) as program:
            assert other["id"] not in [one["id"] for one in program.get("/emails").json()]
            assert program.get(f"/emails/{other['id']}").status_code == 404
