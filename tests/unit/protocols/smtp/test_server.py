"""What needs a connection or a second look: timeouts, drain, traces, trace fields, mixed results."""

import base64
import re
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.sections.smtp import SmtpSettings
from mailstead.foundation.config.sections.submission import SubmissionSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.net.connection import TLSInformation
from mailstead.foundation.net.server import LineServer, Listener
from mailstead.mail.envelope import RecipientResult
from mailstead.protocols.smtp.received import protocol_name, received_field
from mailstead.protocols.smtp.roles.policy import folded
from mailstead.protocols.smtp.server import TOO_MANY, smtp_handler
from support.installation import installation
from support.smtp_dialogue import dialogue, smtp, smtp_server
from support.socket_talk import SocketTalk

ENVELOPE = b"HELO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<alice@example.test>\r\n"


async def test_an_idle_client_is_told_and_closed(tmp_path: Path) -> None:
    settings = Settings(smtp=SmtpSettings(command_timeout=1))
    async with installation(tmp_path, settings) as made, smtp(made) as opened, smtp_server(opened, "mx") as (port, ca):
        talk = await SocketTalk.open(port, ca)
        assert (await talk.read_line()).startswith(b"220 ")
        assert await talk.read_line() == b"421 4.4.2 mail.example.test waited long enough\r\n"
        assert await talk.read_line() == b""
        await talk.close()


async def test_a_stopping_service_says_so_and_keeps_no_half_message(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, smtp(made) as opened:
        server = LineServer(
            "mx",
            smtp_handler(opened.role("mx")),
            [Listener("mx", "127.0.0.1", 0)],
            contexts=None,
            limits=made.settings.network,
            too_many=TOO_MANY,
            metrics=made.metrics,
        )
        talk = await SocketTalk.open((await server.start())["mx"], tmp_path)
        await talk.send(ENVELOPE + b"DATA\r\n")
        for code in (b"220", b"250", b"250", b"250", b"354"):
            assert (await talk.read_line()).startswith(code)
        await talk.send(b"half a message\r\n")
        await server.drain(5)
        assert await talk.read_line() == b"421 4.3.2 mail.example.test is shutting down\r\n"
        await talk.close()
        assert await made.messages("alice@example.test") == []


async def test_the_way_of_a_message_is_traced(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, smtp(made) as opened, dialogue(opened.role("mx")) as talk:
        await talk.say(ENVELOPE + b"RCPT TO:<nobody@example.test>\r\nDATA\r\n")
        answer = await talk.say(b"Message-ID: <one@b.example>\r\n\r\nx\r\n.\r\n")
        identifier = answer.split()[-1].decode()
        await made.trace.flush()
        assert [entry.event for entry in await made.trace.find(identifier)] == ["refused", "received", "delivered"]
        assert {entry.trace_id for entry in await made.trace.find("one@b.example")} == {identifier}
        assert len(await made.trace.find("nobody@example.test")) == 1


async def test_a_plaintext_login_on_loopback_where_it_is_allowed(tmp_path: Path) -> None:
    settings = Settings(server=ServerSettings(insecure_auth=True))
    async with installation(tmp_path, settings) as made, smtp(made) as opened:
        async with dialogue(opened.role("submission"), address="127.0.0.1") as talk:
            assert b"250-AUTH PLAIN LOGIN" in await talk.say(b"EHLO x\r\n")
        async with dialogue(opened.role("submission"), address="192.0.2.1") as talk:
            assert b"AUTH" not in await talk.say(b"EHLO x\r\n")


@pytest.mark.parametrize("hide", [True, False])
async def test_the_client_s_address_is_told_only_when_asked_for(hide: bool, tmp_path: Path) -> None:
    settings = Settings(submission=SubmissionSettings(hide_client=hide), server=ServerSettings(insecure_auth=True))
    async with installation(tmp_path, settings) as made, smtp(made) as opened:
        async with dialogue(opened.role("submission"), address="127.0.0.1") as talk:
            password = made.passwords["alice@example.test"]
            await talk.say(b"EHLO laptop.home.example\r\nAUTH LOGIN\r\n")
            await talk.say(base64.b64encode(b"alice@example.test") + b"\r\n")
            await talk.say(base64.b64encode(password.encode()) + b"\r\n")
            assert talk.held == ["alice@example.test"]
            await talk.say(b"MAIL FROM:<alice@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n")
            assert (await talk.say(b"From: alice@example.test\r\n\r\nx\r\n.\r\n")).startswith(b"250 ")
        [stored] = await made.messages("bob@example.test")
        assert (b"127.0.0.1" in stored) is (b"laptop" in stored) is not hide


def test_the_trace_field_is_of_the_grammar() -> None:
    field = received_field(
        client="client.example ([IPv6:2001:db8::1])",
        hostname="mail.example.test",
        protocol=protocol_name(lmtp=False, extended=True, tls=True, authenticated=True, utf8=False),
        tls=TLSInformation("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256),
        identifier="01m8592c3x14m1hyv01zke42dz",
        recipient="alice@example.test",
        now=1_700_000_000,
    )
    assert re.fullmatch(
        rb"Received: from client\.example \(\[IPv6:2001:db8::1\]\)\r\n\tby mail\.example\.test with ESMTPSA id \w{26}"
        rb"\r\n\t\([^()]*\)\r\n\tfor <alice@example\.test>;\r\n\tTue, 14 Nov 2023 22:13:20 \+0000\r\n",
        field,
    )


@pytest.mark.parametrize(
    ("lmtp", "extended", "tls", "authenticated", "utf8", "name"),
    [
        (False, False, False, False, False, "SMTP"),
        (False, True, False, False, False, "ESMTP"),
        (False, True, True, False, False, "ESMTPS"),
        (False, True, True, True, False, "ESMTPSA"),
        (False, True, True, True, True, "UTF8SMTPSA"),
        (False, True, False, False, True, "UTF8SMTP"),
        (True, True, False, False, False, "LMTP"),
        (True, True, True, False, True, "UTF8LMTPS"),
    ],
)
def test_protocol_names(lmtp: bool, extended: bool, tls: bool, authenticated: bool, utf8: bool, name: str) -> None:
    assert protocol_name(lmtp=lmtp, extended=extended, tls=tls, authenticated=authenticated, utf8=utf8) == name


def test_many_results_are_one_reply() -> None:
    delivered = RecipientResult("a@b", "delivered", 250, "2.1.5", "Delivered")
    deferred = RecipientResult("c@b", "deferred", 452, "4.2.2", "Mailbox is full")
    failed = RecipientResult("d@b", "failed", 550, "5.1.1", "No such recipient")
    assert folded([failed, delivered, deferred], "x").code == 250
    assert folded([failed, deferred], "x").encoded == b"452 4.2.2 Mailbox is full\r\n"
    assert folded([failed], "x").encoded == b"550 5.1.1 No such recipient\r\n"
