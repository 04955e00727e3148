import asyncio
import time

import pytest

from mailstead.foundation.config.sections.authentication import AuthenticationSettings
from mailstead.foundation.config.sections.dkim import DkimSettings
from mailstead.foundation.dns.answer import Answer
from mailstead.mail.authentication.arc.result import NO_CHAIN
from mailstead.mail.authentication.arc.seal import seal
from mailstead.mail.authentication.authenticate import Checks, authenticate
from mailstead.mail.authentication.dkim.sign import sign
from mailstead.mail.authentication.message import CheckedMessage
from mailstead.mail.authentication.resolving import Resolving
from mailstead.mail.authentication.spf.check import Client, client_address
from support.dkim_keys import ed25519_key, signing_key
from support.scripted_resolver import ScriptedResolver, Zone

RAW = b"From: a@example.test\r\nSubject: s\r\n\r\nbody\r\n"
CLIENT = Client(client_address("192.0.2.1"), "mail.example.test", "a@example.test")
ZONE: dict[str, dict[str, str]] = {
    "example.test": {"TXT": "v=spf1 ip4:192.0.2.1 -all"},
    "_dmarc.example.test": {"TXT": "v=DMARC1; p=reject"},
    "s1._domainkey.example.test": {"TXT": ed25519_key().public_record},
    "s1._domainkey.list.test": {"TXT": ed25519_key().public_record},
}


async def check(
    raw: bytes | None,
    client: Client | None = CLIENT,
    zone: Zone | Resolving = ZONE,
    settings: AuthenticationSettings | None = None,
) -> Checks:
    resolver = ScriptedResolver(zone) if isinstance(zone, dict) else zone
    return await authenticate(
        CheckedMessage.of_bytes(raw) if raw is not None else None,
        client,
        resolver,  # type: ignore[arg-type]
        settings=settings or AuthenticationSettings(),
        dkim_settings=DkimSettings(),
        now=time.time(),
        sample=0,
    )


def signed(raw: bytes = RAW) -> bytes:
    header, _, body = raw.partition(b"\r\n\r\n")
    return sign(header + b"\r\n\r\n", (body,), [signing_key(ed25519_key())], int(time.time())) + raw


def outcomes(checks: Checks) -> tuple[str | None, list[str] | None, str | None, str | None]:
    return (
        checks.spf.result if checks.spf is not None else None,
        [one.result for one in checks.dkim] if checks.dkim is not None else None,
        checks.dmarc.result if checks.dmarc is not None else None,
        checks.arc.result if checks.arc is not None else None,
    )


async def test_everything_at_once() -> None:
    checks = await check(signed())
    assert outcomes(checks) == ("pass", ["pass"], "pass", "none")
    field = checks.field("mx.receiver.test").decode()
    assert field.startswith("Authentication-Results: mx.receiver.test;\r\n\tdkim=pass header.d=example.test")
    assert ";\r\n\tdmarc=pass (p=reject dis=none) header.from=example.test\r\n" in field


async def test_without_a_client_or_without_a_message() -> None:
    assert outcomes(await check(signed(), None)) == (None, ["pass"], "pass", "none")
    assert outcomes(await check(None)) == ("pass", None, None, None)
    assert outcomes(await check(RAW, None)) == (None, [], "fail", "none")


async def test_a_dns_that_never_answers_ends_in_temporary_errors() -> None:
    class Dead:
        async def query(self, name: str, kind: str, *, spaces: bool = False) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

    class Impatient(AuthenticationSettings, frozen=True, kw_only=True):
        timeout: float = 0.02

    checks = await check(signed(), zone=Dead(), settings=Impatient())
    assert outcomes(checks) == ("temperror", ["temperror"], "temperror", "fail")
    assert checks.dmarc is not None
    assert checks.dmarc.disposition == "none"
    assert checks.field("mx.test")


def through_a_list(first_results: str, sealer: str = "list.test") -> bytes:
    changed = signed().replace(b"body", b"body\r\n-- \r\nlist footer")
    key = signing_key(ed25519_key(), sealer)
    return seal(CheckedMessage.of_bytes(changed), NO_CHAIN, first_results, key, int(time.time())).fields + changed


LIST_CLIENT = Client(client_address("198.51.100.1"), "list.test", "bounces@list.test")


@pytest.mark.parametrize(
    ("trusted", "results", "disposition"),
    [
        (("list.test",), "list.test; dmarc=pass header.from=example.test", "none"),
        (("List.Test",), "list.test; dmarc=pass", "none"),
        ((), "list.test; dmarc=pass header.from=example.test", "reject"),
        (("other.test",), "list.test; dmarc=pass header.from=example.test", "reject"),
        (("list.test",), "list.test; dmarc=pass header.from=other.test", "reject"),
        (("list.test",), "list.test; dmarc=fail header.from=example.test", "reject"),
        (("list.test",), "list.test; spf=pass", "reject"),
        (("list.test",), "list.test; garbage", "reject"),
    ],
)
async def test_a_trusted_forwarder_may_vouch(trusted: tuple[str, ...], results: str, disposition: str) -> None:
    raw = through_a_list(results)
    checks = await check(raw, LIST_CLIENT, settings=AuthenticationSettings(arc_trusted=trusted))
    assert outcomes(checks) == ("none", ["fail"], "fail", "pass")
    assert checks.dmarc is not None
    assert checks.dmarc.disposition == disposition
    assert checks.dmarc.override == ("trusted_forwarder" if disposition == "none" else "")


async def test_a_second_unknown_sealer_spoils_it() -> None:
    raw = through_a_list("list.test; dmarc=pass")
    first = await check(raw, LIST_CLIENT)
    assert first.arc is not None
    key = signing_key(ed25519_key(), "example.test")
    twice = seal(CheckedMessage.of_bytes(raw), first.arc, "x.test; arc=pass", key, int(time.time())).fields + raw
    checks = await check(twice, LIST_CLIENT, settings=AuthenticationSettings(arc_trusted=("list.test",)))
    assert checks.arc is not None
    assert checks.dmarc is not None
    assert (checks.arc.result, checks.dmarc.disposition) == ("pass", "reject")
