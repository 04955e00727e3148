import hashlib
import hmac
import ssl
from pathlib import Path

import pytest

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.webhook import WebhookSettings
from mailstead.foundation.net.reach import is_public
from mailstead.mail.webhooks.post import HookAnswer, Hooks
from mailstead.mail.webhooks.signature import TOLERANCE, SignatureError, verify_signature
from support.hook_receiver import HookReceiver, hook_receiver
from support.scripted_resolver import ScriptedResolver, Zone

KEY = b"whsec_test"
ZONE: Zone = {"hooks.example.test": {"A": "127.0.0.1"}}
OPEN = WebhookSettings(private_networks=("127.0.0.0/8",), timeout=5)


def hooks(
    receiver: HookReceiver, settings: WebhookSettings = OPEN, zone: Zone = ZONE, clock: ManualClock | None = None
) -> Hooks:
    return Hooks(ScriptedResolver(zone), receiver.context, settings, clock or ManualClock())


async def test_a_delivery_is_signed_in_both_ways(tmp_path: Path) -> None:
    clock = ManualClock(1_700_000_000)
    async with hook_receiver(tmp_path) as receiver:
        url = f"https://hooks.example.test:{receiver.port}/in?x=1"
        answer = await hooks(receiver, clock=clock).post(url, KEY, [b'{"a":', b"1}"], identifier="id-1")
        assert answer == HookAnswer(True, True, 200, "HTTP 200 ok")
        [request] = receiver.received
        assert request.line == "POST /in?x=1 HTTP/1.1"
        assert request.headers["host"] == f"hooks.example.test:{receiver.port}"
        assert request.body == b'{"a":1}'
        assert request.headers["x-webhook-signature"] == hmac.new(KEY, request.body, hashlib.sha256).hexdigest()
        assert verify_signature(request.headers, request.body, KEY, clock.now()) == "id-1"


@pytest.mark.parametrize(
    ("change", "later"),
    [
        ({}, TOLERANCE + 1), ({}, -TOLERANCE - 1), ({"webhook-id": "id-2"}, 0), ({"webhook-timestamp": "1"}, 0),
        ({"webhook-timestamp": "now"}, 0), ({"webhook-signature": "v1,AAAA"}, 0), ({"webhook-signature": "\udcff"}, 0),
        ({"body": "other"}, 0),
    ],
)  # fmt: skip
async def test_a_replayed_or_changed_delivery_is_refused(tmp_path: Path, change: dict[str, str], later: float) -> None:
    clock = ManualClock(1_700_000_000)
    async with hook_receiver(tmp_path) as receiver:
        url = f"https://hooks.example.test:{receiver.port}/"
        await hooks(receiver, clock=clock).post(url, KEY, [b"{}"], identifier="id-1")
        headers = receiver.received[0].headers | change
        body = headers.pop("body", "{}").encode()
        with pytest.raises(SignatureError):
            verify_signature(headers, body, KEY, clock.now() + later)


@pytest.mark.parametrize(
    ("status", "delivered", "final"),
    [
        ("204 No Content", True, True), ("301 Moved", False, True), ("307 Elsewhere", False, True),
        ("400 Bad", False, True), ("410 Gone", False, True), ("429 Slow", False, False), ("500 Oops", False, False),
        ("503 Busy", False, False),
    ],
)  # fmt: skip
async def test_what_an_answer_means(tmp_path: Path, status: str, delivered: bool, final: bool) -> None:
    async with hook_receiver(tmp_path) as receiver:
        receiver.says(status, more=f"Location: https://hooks.example.test:{receiver.port}/again\r\n")
        url = f"https://hooks.example.test:{receiver.port}/"
        answer = await hooks(receiver).post(url, KEY, [b"{}"], identifier="i")
        assert (answer.is_delivered, answer.is_final) == (delivered, final)
        assert len(receiver.received) == 1, "no redirect is followed"


@pytest.mark.parametrize(
    ("url", "zone"),
    [
        ("https://hooks.example.test/", {"hooks.example.test": {"A": "127.0.0.1"}}),
        ("https://hooks.example.test/", {"hooks.example.test": {"A": ("93.184.216.34", "10.0.0.1")}}),
        ("https://hooks.example.test/", {"hooks.example.test": {"AAAA": "::ffff:169.254.169.254"}}),
        ("https://hooks.example.test/", {"hooks.example.test": {"CNAME": "in.test"}, "in.test": {"A": "192.168.0.1"}}),
        ("https://127.0.0.1/", {}), ("https://[::1]/", {}), ("https://[::ffff:7f00:1]/", {}), ("https://0.0.0.0/", {}),
        ("https://169.254.169.254/latest/meta-data/", {}), ("https://[fd00::1]/", {}), ("https://[64:ff9b::a00:1]/", {}),
        ("https://100.64.0.1/", {}), ("https://[2002:7f00:1::]/", {}), ("https://localhost/", {}),
        ("https://2130706433/", {}), ("https://0x7f.1/", {}), ("https://nowhere.test/", {}),
        ("http://hooks.example.test/", {"hooks.example.test": {"A": "93.184.216.34"}}),
        ("ftp://hooks.example.test/", {}), ("https://user:secret@hooks.example.test/", {}), ("https:///x", {}),
        ("https://hooks.example.test:0/", {}), ("https://hooks.example.test:99999/", {}), ("https://a\\b/", {}),
        ("https://hooks.example.test/\r\nX-Evil: 1", {}), ("https://hooks.example.test/ HTTP/1.1", {}),
    ],
)  # fmt: skip
async def test_where_no_webhook_goes(tmp_path: Path, url: str, zone: Zone) -> None:
    async with hook_receiver(tmp_path) as receiver:
        guarded = Hooks(ScriptedResolver(zone), receiver.context, WebhookSettings(timeout=5), ManualClock())
        answer = await guarded.post(url.replace("test/", f"test:{receiver.port}/", 1), KEY, [b"{}"], identifier="i")
        assert (answer.is_delivered, answer.is_final) == (False, True), answer
        assert receiver.received == []


def test_public_addresses() -> None:
    for address in ("93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"):
        assert is_public(address), address
    for address in ("fe80::1%eth0", "ff02::1", "224.0.0.1", "255.255.255.255", "::", "nonsense", "2001:0:7f00:1::"):
        assert not is_public(address), address


async def test_what_may_be_better_later(tmp_path: Path) -> None:
    async with hook_receiver(tmp_path) as receiver:
        url = f"https://hooks.example.test:{receiver.port}/"
        failing = Hooks(ScriptedResolver({}, failing=["hooks.example.test"]), receiver.context, OPEN, ManualClock())
        stranger = Hooks(ScriptedResolver(ZONE), ssl.create_default_context, OPEN, ManualClock())
        silent = receiver.answers
        for sender in (failing, stranger):
            answer = await sender.post(url, KEY, [b"{}"], identifier="i")
            assert (answer.is_delivered, answer.is_final) == (False, False), answer
        for octets in (b"", b"220 mail ESMTP\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"):
            receiver.answers = [octets]
            answer = await hooks(receiver).post(url, KEY, [b"{}"], identifier="i")
            assert (answer.is_delivered, answer.is_final) == (False, False), answer
        receiver.answers = silent
    answer = await hooks(receiver).post(url, KEY, [b"{}"], identifier="i")
    assert answer.text.startswith("No connection")


async def test_an_endless_answer_is_cut(tmp_path: Path) -> None:
    async with hook_receiver(tmp_path) as receiver:
        receiver.answers = [b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000]
        url = f"https://hooks.example.test:{receiver.port}/"
        answer = await hooks(receiver).post(url, KEY, [b"{}"], identifier="i")
        assert "too large" in answer.text
        assert not answer.is_delivered


@pytest.mark.parametrize("path", ["/a\r\nX-Evil: 1", "/a b", "/a\n\nGET /", "/\x00", "/caf\u00e9"])
async def test_a_path_is_no_place_for_fields(tmp_path: Path, path: str) -> None:
    async with hook_receiver(tmp_path) as receiver:
        answer = await hooks(receiver).post(
            f"https://hooks.example.test:{receiver.port}{path}", KEY, [b"{}"], identifier="id-1"
        )
        for request in receiver.received:
            assert "x-evil" not in request.headers
            assert len(request.line.split(" ")) == 3
        assert answer.is_delivered is bool(receiver.received)


async def test_an_identifier_with_a_line_break_is_not_sent(tmp_path: Path) -> None:
    async with hook_receiver(tmp_path) as receiver:
        url = f"https://hooks.example.test:{receiver.port}/"
        answer = await hooks(receiver).post(url, KEY, [b"{}"], identifier="id\r\nX-Evil: 1")
        assert not answer.is_delivered
        assert receiver.received == []
