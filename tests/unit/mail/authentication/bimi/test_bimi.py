"""Brand indicators: for proven authors only, and never by a stranger's word."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.dns.answer import ResolutionError
from mailstead.mail.authentication.bimi import BimiResult, check_bimi
from mailstead.mail.authentication.dmarc.record import parse_dmarc_record
from mailstead.mail.authentication.dmarc.result import DmarcResult
from mailstead.mail.authentication.results.forged import without_forged
from support.screened import GOOD_ZONE, exchanger, letter
from support.scripted_resolver import ScriptedResolver, Zone

PICTURE = "https://good.test/logo.svg"


def proven(domain: str = "mail.good.test", record: str = "v=DMARC1; p=reject", result: str = "pass") -> DmarcResult:
    parsed = parse_dmarc_record(record)
    return DmarcResult(result=result, domain=domain, policy=parsed.policy, record=parsed)  # type: ignore[arg-type] # by name


async def asked(zone: Zone, dmarc: DmarcResult | None = None) -> BimiResult:
    return await check_bimi(dmarc or proven(), ScriptedResolver(zone))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (f"v=BIMI1; l={PICTURE}", "pass"), (f"v=BIMI1;l={PICTURE};a=https://good.test/vmc.pem", "pass"),
        ("v=BIMI1; l=; a=;", "declined"), ("v=BIMI1; l=", "declined"), ("v=BIMI1", "fail"), ("v=BIMI1; l=x; l=y", "fail"),
        ("v=BIMI1; l=http://good.test/logo.svg", "fail"), ("v=BIMI1; l=https://good.test", "fail"),
        ("v=BIMI1; l=javascript:alert(1)", "fail"), ("v=BIMI1; l=https://good.test/a b", "fail"),
        ("v=BIMI1; l=https://u@good.test/a.svg", "fail"), (f"v=BIMI1; l={PICTURE}\r\nX-Evil: 1", "fail"),
        (f"v=BIMI1; l=https://good.test/{'a' * 2000}", "fail"), (f"v=BIMI1; l={PICTURE}; a=ftp://x/", "fail"),
        ("v=BIMI1; l=; a=https://good.test/vmc.pem", "fail"), ("something else", "none"),
    ],
)  # fmt: skip
async def test_records(text: str, result: str) -> None:
    found = await asked({"default._bimi.mail.good.test": {"TXT": text}})
    assert found.result == result
    assert bool(found.field) is (result == "pass")


async def test_the_organization_speaks_when_the_author_s_domain_does_not() -> None:
    found = await asked({"default._bimi.good.test": {"TXT": f"v=BIMI1; l={PICTURE}"}})
    assert (found.result, found.domain) == ("pass", "good.test")
    assert found.field == b"BIMI-Location: v=BIMI1;\r\n\tl=https://good.test/logo.svg\r\n"
    assert (await asked({})).result == "none"
    both = ("v=BIMI1; l=https://a.test/a.svg", "v=BIMI1; l=https://b.test/b.svg")
    assert (await asked({"default._bimi.mail.good.test": {"TXT": both}})).result == "fail"


@pytest.mark.parametrize(
    ("dmarc", "result"),
    [
        (proven(result="fail"), "skipped"), (proven(record="v=DMARC1; p=none"), "skipped"),
        (proven(record="v=DMARC1; p=quarantine; pct=50"), "skipped"), (proven(record="v=DMARC1; p=quarantine"), "pass"),
        (DmarcResult(result="none"), "skipped"),
    ],
)  # fmt: skip
async def test_only_authors_who_are_proven_under_a_policy(dmarc: DmarcResult, result: str) -> None:
    assert (await asked({"default._bimi.mail.good.test": {"TXT": f"v=BIMI1; l={PICTURE}"}}, dmarc)).result == result


async def test_dns_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = ScriptedResolver({})

    async def broken(*_: object, **__: object) -> None:
        raise ResolutionError("SERVFAIL")

    monkeypatch.setattr(resolver, "query", broken)
    assert (await check_bimi(proven(), resolver)).result == "temperror"


async def test_dns_that_takes_too_long_costs_no_other_result(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = ScriptedResolver({})

    async def silent(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(resolver, "query", silent)
    assert (await check_bimi(proven(), resolver, timeout=0.01)).result == "temperror"


@given(st.text(max_size=200))
async def test_any_record_comes_to_a_field_of_one_line_or_none(text: str) -> None:
    found = await asked({"default._bimi.mail.good.test": {"TXT": f"v=BIMI1; l=https://a.test/{text}"}})
    assert found.field.replace(b";\r\n\t", b"").count(b"\n") <= 1


@pytest.mark.parametrize("is_on", [True, False])
async def test_what_stands_in_the_message(tmp_path: Path, is_on: bool) -> None:
    zone: Zone = {**GOOD_ZONE, "default._bimi.good.test": {"TXT": f"v=BIMI1; l={PICTURE}"}}
    forged = "BIMI-Location: v=BIMI1; l=https://evil.test/a.svg\r\nbimi-indicator: PHN2Zz4=\r\nBIMI-Selector: v=BIMI1; s=x\r\n"
    async with exchanger(tmp_path, zone, settings={"authentication": {"bimi": is_on}}) as opened:
        assert (await opened.send(letter(more=forged))).startswith(b"250")
        (stored,) = await opened.made.messages("alice@example.test")
        assert b"evil.test" not in stored
        assert b"PHN2Zz4=" not in stored
        assert b"BIMI-Selector" in stored  # a word of the author's, signed or not
        assert (b"\r\nBIMI-Location: v=BIMI1;\r\n\tl=https://good.test/logo.svg\r\n" in stored) is is_on
        assert (b"bimi=pass" in stored) is is_on


def test_a_header_without_such_fields_is_the_same_object() -> None:
    header = b"From: a@example.test\r\nSubject: x\r\n\r\n"
    assert without_forged(header, ()) is header
    assert without_forged(b"BIMI-Location: x\r\n" + header, ()) == header
