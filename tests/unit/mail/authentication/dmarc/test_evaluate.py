import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.mail.authentication.dkim.result import DkimResult
from mailstead.mail.authentication.dmarc.evaluate import evaluate_dmarc
from mailstead.mail.authentication.dmarc.organization import aligned, organizational_domain
from mailstead.mail.authentication.dmarc.record import (
    DmarcRecordError,
    ReportAddress,
    parse_dmarc_record,
)
from mailstead.mail.authentication.dmarc.result import DmarcResult
from mailstead.mail.authentication.message import CheckedMessage
from mailstead.mail.authentication.spf.result import SpfResult
from support.scripted_resolver import ScriptedResolver, Zone

NO_SPF = SpfResult("none", "elsewhere.test")


def dkim(domain: str, result: str = "pass", unsigned: int = 0) -> DkimResult:
    return DkimResult(result=result, domain=domain, unsigned_octets=unsigned)  # type: ignore[arg-type]


async def evaluate(
    record: str | list[str] | Zone,
    header: str = "From: a@example.test\r\n",
    *,
    spf: SpfResult = NO_SPF,
    signatures: tuple[DkimResult, ...] = (),
    failing: tuple[str, ...] = (),
    sample: float = 0,
) -> DmarcResult:
    zone: Zone = record if isinstance(record, dict) else {"_dmarc.example.test": {"TXT": record}}  # type: ignore[dict-item]
    message = CheckedMessage.of_bytes(header.encode() + b"\r\nbody")
    return await evaluate_dmarc(message, spf, signatures, ScriptedResolver(zone, failing=failing), sample=sample)


@pytest.mark.parametrize(
    ("record", "spf", "signatures", "expected"),
    [
        ("v=DMARC1; p=reject", SpfResult("pass", "example.test"), (), ("pass", "reject", "none")),
        ("v=DMARC1; p=reject", SpfResult("pass", "bounce.example.test"), (), ("pass", "reject", "none")),
        ("v=DMARC1; p=reject; aspf=s", SpfResult("pass", "bounce.example.test"), (), ("fail", "reject", "reject")),
        ("v=DMARC1; p=reject; aspf=s", SpfResult("pass", "Example.TEST"), (), ("pass", "reject", "none")),
        ("v=DMARC1; p=reject", SpfResult("softfail", "example.test"), (), ("fail", "reject", "reject")),
        ("v=DMARC1; p=reject", SpfResult("pass", "other.test"), (), ("fail", "reject", "reject")),
        ("v=DMARC1; p=none", NO_SPF, (dkim("example.test"),), ("pass", "none", "none")),
        ("v=DMARC1; p=quarantine", NO_SPF, (dkim("m.example.test"),), ("pass", "quarantine", "none")),
        ("v=DMARC1; p=quarantine; adkim=s", NO_SPF, (dkim("m.example.test"),), ("fail", "quarantine", "quarantine")),
        ("v=DMARC1; p=reject", NO_SPF, (dkim("x.test"), dkim("example.test")), ("pass", "reject", "none")),
        ("v=DMARC1; p=reject", NO_SPF, (dkim("example.test", "fail"),), ("fail", "reject", "reject")),
        ("v=DMARC1; p=reject", NO_SPF, (dkim("example.test", unsigned=9),), ("fail", "reject", "reject")),
        ("v=DMARC1; p=reject", NO_SPF, (dkim("example.test", "temperror"),), ("temperror", "reject", "none")),
        ("v=DMARC1; p=reject", SpfResult("temperror", "example.test"), (), ("temperror", "reject", "none")),
        ("v=DMARC1; p=reject", SpfResult("temperror", "other.test"), (), ("fail", "reject", "reject")),
        ("v=DMARC1; p=none", NO_SPF, (), ("fail", "none", "none")),
    ],
)
async def test_alignment_and_policy(
    record: str, spf: SpfResult, signatures: tuple[DkimResult, ...], expected: tuple[str, str, str]
) -> None:
    found = await evaluate(record, spf=spf, signatures=signatures)
    assert (found.result, found.policy, found.disposition) == expected
    assert found.domain == "example.test"


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 -all", "none"), ("v=DMARC2; p=reject", "none"), ("p=reject; v=DMARC1", "none"),
        (["v=DMARC1; p=reject", "v=DMARC1; p=none"], "none"), (["v=DMARC1; p=reject", "else"], "fail"),
        ("v=DMARC1", "permerror"), ("v=DMARC1; p=maybe", "permerror"), ("v=DMARC1; p=reject; sp=x", "permerror"),
        ("v=DMARC1; p=x; rua=mailto:r@example.test", "fail"), ("v=DMARC1;;; garbage; p = reject ;=;", "fail"),
        (" v = DMARC1 ; p=REJECT", "fail"),
    ],
)  # fmt: skip
async def test_records_that_are_odd(record: str | list[str], result: str) -> None:
    assert (await evaluate(record)).result == result


async def test_a_subdomain_is_under_the_policy_for_subdomains() -> None:
    header = "From: a@deep.sub.example.test\r\n"
    found = await evaluate("v=DMARC1; p=reject; sp=quarantine", header)
    assert (found.policy, found.disposition, found.policy_domain) == ("quarantine", "quarantine", "example.test")
    assert (await evaluate("v=DMARC1; p=reject", header)).policy == "reject"
    zone: Zone = {
        "_dmarc.example.test": {"TXT": "v=DMARC1; p=reject; sp=quarantine; np=reject"},
        "here.example.test": {"A": "192.0.2.1"},
    }
    assert (await evaluate(zone, "From: a@here.example.test\r\n")).policy == "quarantine"
    assert (await evaluate(zone, "From: a@gone.example.test\r\n")).policy == "reject"
    own = {**zone, "_dmarc.here.example.test": {"TXT": "v=DMARC1; p=none; sp=reject"}}
    assert (await evaluate(own, "From: a@here.example.test\r\n")).policy == "none"


async def test_a_public_suffix_may_set_a_policy_when_it_says_so() -> None:
    zone: Zone = {"_dmarc.co.uk": {"TXT": "v=DMARC1; p=none; sp=reject; psd=y"}}
    found = await evaluate(zone, "From: a@x.nothing.co.uk\r\n")
    assert (found.policy, found.policy_domain) == ("reject", "co.uk")
    zone = {"_dmarc.co.uk": {"TXT": "v=DMARC1; p=reject"}}
    assert (await evaluate(zone, "From: a@nothing.co.uk\r\n")).result == "none"


async def test_a_policy_for_some_messages_is_milder_for_the_rest() -> None:
    record = "v=DMARC1; p=reject; pct=30"
    found = await evaluate(record, sample=29.9)
    assert (found.disposition, found.override) == ("reject", "")
    found = await evaluate(record, sample=30)
    assert (found.policy, found.disposition, found.override) == ("reject", "quarantine", "sampled_out")
    assert (await evaluate("v=DMARC1; p=quarantine; pct=0", sample=0)).disposition == "none"
    assert (await evaluate("v=DMARC1; p=reject; pct=101", sample=99)).disposition == "reject"


async def test_a_policy_that_cannot_be_looked_up() -> None:
    found = await evaluate({}, failing=("_dmarc.example.test",))
    assert (found.result, found.disposition) == ("temperror", "none")
    found = await evaluate({}, "From: a@sub.example.test\r\n", failing=("_dmarc.example.test",))
    assert found.result == "temperror"


@pytest.mark.parametrize(
    ("header", "result", "domain"),
    [
        ("Subject: x\r\n", "permerror", ""),
        ("From: nobody\r\n", "permerror", ""),
        ("From: undisclosed:;\r\n", "permerror", ""),
        ("From: a@[192.0.2.1]\r\n", "none", "[192.0.2.1]"),
        ("From: a@a..b\r\n", "permerror", ""),
        ('From: "a@other.test" <b@example.test>\r\n', "fail", "example.test"),
        ("From: <a@example.test> (b@other.test)\r\n", "fail", "example.test"),
        ("from:\r\n A <a@EXAMPLE.test>\r\n", "fail", "example.test"),
        ("From: a@other.test, b@example.test\r\n", "fail", "example.test"),
        ("From: a@example.test\r\nFrom: a@other.test\r\n", "fail", "example.test"),
        ("From: a@other.test\r\nFrom: a@example.test\r\n", "fail", "example.test"),
        ("From: team: a@other.test, b@example.test;\r\n", "fail", "example.test"),
        ("From: " + ", ".join(f"a@d{number}.test" for number in range(21)) + "\r\n", "permerror", ""),
    ],
)
async def test_authors(header: str, result: str, domain: str) -> None:
    found = await evaluate("v=DMARC1; p=reject", header, signatures=(dkim("other.test"),))
    assert (found.result, found.domain) == (result, domain)


async def test_internationalised_authors_are_asked_for_as_a_labels() -> None:
    zone: Zone = {"_dmarc.xn--bcher-kva.test": {"TXT": "v=DMARC1; p=reject"}}
    found = await evaluate(zone, "From: a@bücher.test\r\n", signatures=(dkim("bücher.test"),))
    assert (found.result, found.domain) == ("pass", "xn--bcher-kva.test")


def test_report_addresses() -> None:
    record = parse_dmarc_record(
        "v=DMARC1;p=none;rua=mailto:a@x.test!10m, mailto:b%21c@y.test ,https://x.test,mailto:no,mailto:c@x.test?subject=1;"
        "ruf=mailto:f@x.test!1;ri=3600;fo=1:d:s"
    )
    assert record.aggregate == (
        ReportAddress("a@x.test", 10 << 20),
        ReportAddress("b!c@y.test"),
        ReportAddress("c@x.test"),
    )
    assert (record.failure, record.interval, record.failure_options) == ((ReportAddress("f@x.test", 1),), 3600, "1:d:s")


@pytest.mark.parametrize(
    ("domain", "organization"),
    [
        ("example.test", "example.test"), ("a.b.example.co.uk", "example.co.uk"), ("co.uk", "co.uk"), ("test", "test"),
        ("a.github.io", "a.github.io"), ("b.a.github.io", "a.github.io"), ("x.xn--80a1acny.xn--p1ai", "xn--80a1acny.xn--p1ai"),
    ],
)  # fmt: skip
def test_organizational_domains(domain: str, organization: str) -> None:
    assert organizational_domain(domain) == organization


def test_neighbours_under_a_public_suffix_do_not_belong_together() -> None:
    assert not aligned("a.co.uk", "b.co.uk", strict=False)
    assert not aligned("a.github.io", "b.github.io", strict=False)
    assert aligned("x.a.co.uk", "y.a.co.uk", strict=False)
    assert not aligned("x.a.co.uk", "y.a.co.uk", strict=True)


@given(st.text(max_size=300))
def test_any_record_is_read_or_refused(text: str) -> None:
    try:
        record = parse_dmarc_record("v=DMARC1;" + text)
    except DmarcRecordError:
        return
    assert 0 <= record.percent <= 100


@given(st.text(max_size=100), st.text(alphabet='aA@.,:;<>"()[] \\\té', max_size=60))
async def test_any_author_and_record_come_to_a_result(record: str, author: str) -> None:
    found = await evaluate("v=DMARC1; p=reject;" + record, f"From: {author}\r\n")
    assert found.result in ("none", "fail", "permerror")
