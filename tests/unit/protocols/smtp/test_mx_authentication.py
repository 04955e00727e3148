"""What the mail exchanger does about who sent a message."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from mailstead.foundation.config.sections.authentication import AuthenticationSettings
from mailstead.foundation.config.sections.dkim import DkimSettings
from mailstead.foundation.config.sections.junk import JunkSettings
from mailstead.foundation.config.sections.screening import ScreeningSettings
from mailstead.foundation.config.settings import Settings
from mailstead.mail.authentication.dkim.sign import sign
from mailstead.mail.authentication.inbound import InboundAuthentication
from mailstead.protocols.smtp.roles.mx import MxRole
from support.dkim_keys import ed25519_key, signing_key
from support.installation import HOSTNAME, Installation, installation
from support.screened import screening
from support.scripted_resolver import ScriptedResolver
from support.smtp_dialogue import Dialogue, Smtp, dialogue, smtp

ZONE = {
    "good.test": {"TXT": "v=spf1 ip4:192.0.2.1 -all"},
    "_dmarc.good.test": {"TXT": "v=DMARC1; p=reject"},
    "_dmarc.quarantine.test": {"TXT": "v=DMARC1; p=quarantine"},
    "_dmarc.signed.test": {"TXT": "v=DMARC1; p=reject"},
    "s1._domainkey.signed.test": {"TXT": ed25519_key().public_record},
}


@asynccontextmanager
async def exchanger(
    folder: Path,
    settings: AuthenticationSettings | None = None,
    *,
    failing: Sequence[str] = (),
    address: str = "192.0.2.1",
) -> AsyncIterator[tuple[Installation, Dialogue, Smtp]]:
    open_to_all = Settings(screening=ScreeningSettings(exempt=("0.0.0.0/0",)), junk=JunkSettings(filter=False))
    async with installation(folder, open_to_all) as made, smtp(made) as opened:
        authentication = InboundAuthentication(
            ScriptedResolver(ZONE, failing=failing),
            settings or AuthenticationSettings(),
            DkimSettings(),
            HOSTNAME,
            made.clock,
        )
        services = msgspec.structs.replace(
            opened.services, authentication=authentication, screening=screening(made, ScriptedResolver(ZONE))
        )
        async with dialogue(MxRole(services), address=address) as saying:
            await saying.say(b"EHLO mail.client.test\r\n")
            yield made, saying, opened


async def send(saying: Dialogue, sender: str, message: bytes) -> bytes:
    await saying.say(f"MAIL FROM:<{sender}>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n".encode())
    return await saying.say(message + b".\r\n")


def message(author: str, more: bytes = b"") -> bytes:
    return more + f"From: {author}\r\nSubject: s\r\nMessage-ID: <1@x>\r\n\r\nbody\r\n".encode()


async def traced(made: Installation, event: str) -> list[str]:
    await made.trace.flush()
    return [entry.text for entry in await made.trace.find("alice@example.test") if entry.event == event]


async def test_results_are_written_above_the_trace_field(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as (made, saying, _):
        assert (await send(saying, "a@good.test", message("a@good.test"))).startswith(b"250 2.0.0")
        (stored,) = await made.messages("alice@example.test")
        position = stored.index(b"Authentication-Results: mail.example.test;\r\n\tdkim=none;\r\n\tspf=pass")
        assert position < stored.index(b"Received: from mail.client.test")
        assert b"smtp.mailfrom=a@good.test" in stored
        assert b"dmarc=pass (p=reject dis=none) header.from=good.test" in stored
        assert stored.endswith(message("a@good.test"))
        (text,) = await traced(made, "authenticated")
        assert text == (
            "SPF pass for good.test (ip4:192.0.2.1 of good.test); no DKIM signature;"
            " DMARC pass for good.test, its policy is reject"
        )


async def test_a_forged_author_is_refused_where_its_domain_asks_for_it(tmp_path: Path) -> None:
    async with exchanger(tmp_path, address="198.51.100.7") as (made, saying, _):
        answer = await send(saying, "a@elsewhere.test", message("a@good.test"))
        assert answer == (
            b"550 5.7.1 good.test asks to refuse mail that is not authenticated as its own (DMARC):"
            b" neither SPF nor DKIM passed for good.test\r\n"
        )
        assert await made.messages("alice@example.test") == []
        assert (await traced(made, "authenticated"))[0].endswith("; refused")
        assert (await send(saying, "a@elsewhere.test", message("a@elsewhere.test"))).startswith(b"250")


@pytest.mark.parametrize(
    ("settings", "author", "folder"),
    [
        ({}, "a@quarantine.test", "Junk"),
        ({"on_quarantine": "deliver"}, "a@quarantine.test", "INBOX"),
        ({"on_reject": "junk"}, "a@good.test", "Junk"),
        ({"on_reject": "deliver"}, "a@good.test", "INBOX"),
    ],
)
async def test_what_is_done_is_a_setting(tmp_path: Path, settings: dict[str, str], author: str, folder: str) -> None:
    chosen = msgspec.convert(settings, AuthenticationSettings)
    async with exchanger(tmp_path, chosen, address="198.51.100.7") as (made, saying, _):
        assert (await send(saying, "a@elsewhere.test", message(author))).startswith(b"250")
        (stored,) = await made.messages("alice@example.test", folder)
        assert (b"\r\nX-Spam-Flag: YES\r\n" in stored) == (folder == "Junk")
        other = "INBOX" if folder == "Junk" else "Junk"
        assert await made.messages("alice@example.test", other) == []
        assert b"dmarc=fail" in stored


async def test_a_signature_that_holds_is_enough(tmp_path: Path) -> None:
    raw = message("a@signed.test")
    header, _, body = raw.partition(b"\r\n\r\n")
    field = sign(header + b"\r\n\r\n", (body,), [signing_key(ed25519_key(), "signed.test")], int(time.time()))
    async with exchanger(tmp_path, address="198.51.100.7") as (made, saying, _):
        assert (await send(saying, "", field + raw)).startswith(b"250")
        assert (await send(saying, "", field + raw + b"more\r\n")).startswith(b"550 5.7.1")
        (stored,) = await made.messages("alice@example.test")
        assert b"dkim=pass header.d=signed.test header.s=s1" in stored


async def test_forged_results_and_verdicts_are_taken_away(tmp_path: Path) -> None:
    forged = (
        b"Authentication-Results: MAIL.example.test; dmarc=pass header.from=bank.test\r\n"
        b"X-Mailstead-Verdict: junk\r\nAuthentication-Results: other.test; spf=pass\r\n"
    )
    async with exchanger(tmp_path) as (made, saying, _):
        assert (await send(saying, "a@good.test", message("a@good.test", forged))).startswith(b"250")
        (stored,) = await made.messages("alice@example.test")
        assert b"bank.test" not in stored
        assert b"X-Mailstead-Verdict: junk" not in stored
        assert stored.endswith(message("a@good.test", b"Authentication-Results: other.test; spf=pass\r\n"))


async def test_a_dead_dns_loses_no_mail(tmp_path: Path) -> None:
    dead = ["good.test", "_dmarc.good.test", "mail.client.test"]
    zone_less = exchanger(tmp_path, failing=["unknown.test", "_dmarc.unknown.test", *dead])
    async with zone_less as (made, saying, _):
        assert (await send(saying, "a@unknown.test", message("a@unknown.test"))).startswith(b"250")
        (stored,) = await made.messages("alice@example.test")
        assert b"spf=temperror" in stored
        assert b"dmarc=temperror" in stored


async def test_large_messages_and_hostile_headers(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as (made, saying, _):
        large = message("a@good.test") + b"line of text\r\n" * 100_000
        assert (await send(saying, "a@good.test", large)).startswith(b"250")
        hostile = b"DKIM-Signature: v=1\r\n" * 100 + b"ARC-Seal: i=1\r\n" * 500 + b"From: x@y.test\r\n" * 50
        assert (await send(saying, "a@good.test", hostile + b"\r\n")).startswith(b"250")
        first, second = await made.messages("alice@example.test")
        assert first.endswith(large)
        assert second.endswith(hostile + b"\r\n")


async def test_connections_of_this_process_prove_nothing(tmp_path: Path) -> None:
    async with exchanger(tmp_path, address="198.51.100.7") as (made, saying, _):
        own = msgspec.structs.replace(saying.session.services, own={("198.51.100.7", 0)})
        async with dialogue(MxRole(own), address="198.51.100.7") as welcome:
            await welcome.say(b"EHLO here\r\n")
            assert (await send(welcome, "a@good.test", message("a@good.test"))).startswith(b"250")
        (stored,) = await made.messages("alice@example.test")
        assert b"Authentication-Results" not in stored
