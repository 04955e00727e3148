"""Results counted, kept, sent as reports once, and taken in by the domain they are about."""

import asyncio
import email
import email.encoders
import gzip
import json
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import Message
from pathlib import Path
from typing import Any

import dkim
import msgspec
import pytest

from mailstead.administration.actor import COMMAND_LINE, Actor
from mailstead.administration.domains import add_domain
from mailstead.administration.reports import list_reports, show_report, summarize_reports
from mailstead.formats.reports.dmarc import AggregateReport, parse_aggregate
from mailstead.formats.reports.tlsrpt import TlsReport, parse_tls_report
from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.config.sections.reports import ReportsSettings
from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.errors import PermissionDeniedError
from mailstead.foundation.spool import Spool
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.mail.authentication.authenticate import Checks
from mailstead.mail.authentication.dkim.result import DkimResult
from mailstead.mail.authentication.dmarc.record import parse_dmarc_record
from mailstead.mail.authentication.dmarc.result import DmarcResult
from mailstead.mail.authentication.mtasts.policy import StsPolicy
from mailstead.mail.authentication.spf.result import SpfResult
from mailstead.mail.authentication.tls_policy import TlsPolicy, sts_policy
from mailstead.mail.envelope import RecipientResult
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.outbound.signing import Signing
from mailstead.mail.reports.collector import COLLECTED, CollectedResults, ResultCollector
from mailstead.mail.reports.complaints import Complaints
from mailstead.mail.reports.daily import DailyReports
from mailstead.mail.reports.intake import ReportIntake
from mailstead.mail.reports.received import ReceivedReports
from mailstead.mail.sending.suppression import SuppressedError, SuppressionList
from mailstead.stores.directory.records import Domain
from mailstead.stores.trace.trace import TraceEntry
from support.dns_authority import Authority, Failure, dns_authority
from support.eventually import eventually
from support.installation import HOSTNAME, Installation, installation

NOON = time.time() // 86400 * 86400 - 2 * 86400 + 43200  # lately: documents end by the real time
ZONE = {
    "_dmarc.author.test": {
        "TXT": "v=DMARC1; p=reject; pct=50; rua=mailto:dmarc@author.test,mailto:small@author.test!1k"
    },
    "_dmarc.outsourced.test": {"TXT": "v=DMARC1; p=none; rua=mailto:in@analyst.test,mailto:in@victim.test"},
    "outsourced.test._report._dmarc.analyst.test": {"TXT": "v=DMARC1; rua=mailto:special@analyst.test"},
    "_dmarc.example.test": {"TXT": "v=DMARC1; p=none; rua=mailto:mail-reports@example.test"},
    "_dmarc.silent.test": {"TXT": "v=DMARC1; p=none"},
    "_smtp._tls.remote.test": {"TXT": "v=TLSRPTv1; rua=mailto:tls@remote.test"},
}


class Reporting:
    """Everything of reports over one installation that reports as example.test."""

    def __init__(self, made: Installation, authority: Authority, folder: Path, settings: ReportsSettings) -> None:
        self.made, self.authority, self.settings = made, authority, settings
        assert isinstance(made.clock, ManualClock)
        self.clock = made.clock
        self.queue = OutboundQueue(made.documents, made.bus, made.directory, folder / "queue", bytes(32), made.clock)
        self.collector = ResultCollector(made.documents, settings, made.clock)
        self.results = CollectedResults(made.documents)
        self.signing = Signing(made.directory, made.clock)
        self.suppressions = SuppressionList(made.documents, SendingSettings(), made.clock)
        self.received = ReceivedReports(made.documents, settings, made.clock)
        self.intake = ReportIntake(
            self.received, Complaints(self.suppressions, made.trace), made.directory, settings, HOSTNAME
        )
        self.context = ssl.create_default_context()

    def daily(self, *, private: tuple[str, ...] = ()) -> DailyReports:
        resolver = Resolver((self.authority.address,), DnsSettings(timeout=0.2, attempts=1), self.clock)
        return DailyReports(
            self.results, self.queue, self.made.directory, self.signing, resolver, lambda: self.context,
            self.settings, HOSTNAME, self.made.folder, self.clock, private_networks=private,
        )  # fmt: skip

    async def sent(self) -> dict[str, Message]:
        """Queued reports by recipient."""
        found = {}
        for one in await self.queue.list_all():
            with self.queue.read(one) as message:
                raw = b"".join(message.chunks())
            assert one.sender == ""
            found[one.recipients[0].address] = email.message_from_bytes(raw)
        return found

    async def take(self, raw: bytes, address: str = "mail-reports@example.test") -> RecipientResult:
        with Spool(10_000_000, self.made.folder) as spool:
            spool.append(raw)
            return await self.intake.take(address, spool)


@pytest.fixture
async def reporting(tmp_path: Path) -> AsyncIterator[Reporting]:
    async with open_reporting(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def open_reporting(folder: Path, **options: Any) -> AsyncIterator[Reporting]:
    settings = msgspec.convert({"flush": 0.05} | options, ReportsSettings)
    with dns_authority(ZONE) as authority:
        async with installation(folder, clock=ManualClock(NOON)) as made:
            await add_domain(made.administration, COMMAND_LINE, "signed.test", owner_id="owner")
            opened = Reporting(made, authority, folder, settings)
            await opened.queue.open()
            yield opened
            await opened.collector.close()
            opened.signing.close()
            opened.queue.close()


def checks(domain: str, *, passed: bool = False, rua: bool = True) -> Checks:
    text = ZONE[f"_dmarc.{domain}"]["TXT"] if rua else "v=DMARC1; p=none"
    record = parse_dmarc_record(text)
    return Checks(
        client=None,
        spf=SpfResult("pass" if passed else "fail", domain),
        dkim=[DkimResult(result="fail", domain=domain, selector="s1")],
        dmarc=DmarcResult(
            result="pass" if passed else "fail", domain=domain, policy=record.policy, policy_domain=domain,
            record=record, spf_aligned=passed, disposition="none" if passed else record.policy,
        ),
    )  # fmt: skip


def attachment(message: Message) -> tuple[str, bytes]:
    part = next(part for part in message.walk() if part.get_content_disposition() == "attachment")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return part.get_filename() or "", gzip.decompress(content)


async def test_a_days_results_become_one_report_to_everybody_who_may_have_it(reporting: Reporting) -> None:
    count = reporting.collector.dmarc
    for _ in range(3):
        count(checks("author.test", passed=True), "192.0.2.1", "a@author.test", "none")
    count(checks("author.test"), "192.0.2.9", "x@evil.test", "reject")
    count(checks("author.test"), "192.0.2.9", "x@evil.test", "none")  # by a setting of ours
    count(checks("outsourced.test"), "192.0.2.9", "x@evil.test", "none")
    count(checks("silent.test"), "192.0.2.9", "x@evil.test", "none")
    await reporting.collector.flush()
    assert (await reporting.daily().send()).reports == 0  # the day is not over
    reporting.clock.advance(86400)
    assert (await reporting.daily().send()).reports == 2
    sent = await reporting.sent()
    assert set(sent) == {"dmarc@author.test", "special@analyst.test"}  # not beyond 1 KiB, nor to who did not agree
    message = sent["dmarc@author.test"]
    assert " ".join((message["Subject"] or "").split()) == (
        f"Report Domain: author.test Submitter: example.test Report-ID: <{day()}.author.test@example.test>"
    )
    filename, content = attachment(message)
    begin = int(NOON - 43200)
    assert filename.startswith(f"example.test!author.test!{begin}!{begin + 86399}!")
    report = parse_aggregate(content)
    assert (report.policy.p, report.policy.pct, report.begin, report.end) == ("reject", 50, begin, begin + 86399)
    rows = [
        (one.source_ip, one.count, one.spf, one.disposition, [why.type for why in one.reasons])
        for one in report.records
    ]
    assert rows[0] == ("192.0.2.1", 3, "pass", "none", [])
    assert sorted(rows[1:]) == [
        ("192.0.2.9", 1, "fail", "none", ["local_policy"]),
        ("192.0.2.9", 1, "fail", "reject", []),
    ]
    assert (await reporting.daily().send()).reports == 0
    assert await (await reporting.made.documents.collection(COLLECTED)).count({"at": {"$gt": 0}}) == 0


def day() -> str:
    return datetime.fromtimestamp(NOON, UTC).strftime("%Y%m%d")


async def test_a_report_that_was_sent_before_a_crash_is_not_sent_again(reporting: Reporting) -> None:
    reporting.collector.dmarc(checks("author.test"), "192.0.2.9", "x@evil.test", "reject")
    await reporting.collector.flush()
    collection = await reporting.made.documents.collection(COLLECTED)
    kept = await collection.find({"kind": "dmarc"})
    reporting.clock.advance(86400)
    await reporting.daily().send()
    await collection.insert_many([{name: value for name, value in one.items() if name != "version"} for one in kept])
    assert (await reporting.daily().send()).reports == 0
    assert len(await reporting.queue.list_all()) == 1


async def test_dns_that_does_not_answer_puts_a_report_off(reporting: Reporting) -> None:
    reporting.collector.dmarc(checks("author.test"), "192.0.2.9", "x@evil.test", "reject")
    await reporting.collector.flush()
    reporting.clock.advance(86400)
    reporting.authority.fail("_dmarc.author.test", Failure.SERVFAIL)
    assert (await reporting.daily().send()).put_off == 1
    reporting.authority.fail("_dmarc.author.test", None)
    assert (await reporting.daily().send()).reports == 1


async def test_reports_are_signed_for_their_sender(reporting: Reporting) -> None:
    made = reporting.made
    domain = await made.directory.get(Domain, "signed.test")
    example = await made.directory.get(Domain, "example.test")
    assert domain is not None
    assert example is not None
    await made.directory.remove(example)
    reporting.collector.noted(TlsPolicy(domain="remote.test", host="mx.remote.test"), "192.0.2.1", "success", "")
    await reporting.collector.flush()
    reporting.clock.advance(86400)
    assert (await reporting.daily().send()).reports == 1
    (consignment,) = await reporting.queue.list_all()
    with reporting.queue.read(consignment) as queued:
        raw = b"".join(queued.chunks())
    records = {
        f"{key.selector}._domainkey.signed.test.".encode(): key.public_record.encode() for key in domain.dkim_keys
    }
    assert dkim.verify(raw, dnsfunc=lambda name, **_: records[name])
    signed = re.search(rb"[;\s]h=([^;]+)", raw)
    assert signed is not None
    assert b"tls-report-domain" in signed[1]


async def test_tls_sessions_by_policy(reporting: Reporting) -> None:
    sts = sts_policy("remote.test", "mx.remote.test", StsPolicy("enforce", ("mx.remote.test",), 86400))
    for _ in range(5):
        reporting.collector.noted(sts, "192.0.2.1", "success", "")
    reporting.collector.noted(sts, "192.0.2.1", "certificate-expired", "certificate has expired")
    reporting.collector.noted(TlsPolicy(domain="remote.test", host="mx"), "192.0.2.1", "success", "")
    reporting.collector.noted(TlsPolicy(domain="quiet.test", host="mx"), "192.0.2.1", "success", "")
    await reporting.collector.flush()
    reporting.clock.advance(86400)
    assert (await reporting.daily().send()).reports == 1
    message = (await reporting.sent())["tls@remote.test"]
    assert message["TLS-Report-Domain"] == "remote.test"
    assert (message["TLS-Report-Submitter"], message["TLS-Required"]) == ("example.test", "No")
    assert message.get_content_type() == "multipart/report"
    report = json.loads(attachment(message)[1])
    by_type = {one["policy"]["policy-type"]: one for one in report["policies"]}
    assert by_type["sts"]["summary"] == {"total-successful-session-count": 5, "total-failure-session-count": 1}
    assert by_type["sts"]["policy"]["policy-string"][:2] == ["version: STSv1", "mode: enforce"]
    assert by_type["sts"]["policy"]["mx-host"] == ["mx.remote.test"]
    (details,) = by_type["sts"]["failure-details"]
    assert (details["result-type"], details["receiving-mx-hostname"], details["failed-session-count"]) == (
        "certificate-expired", "mx.remote.test", 1,
    )  # fmt: skip
    assert by_type["no-policy-found"]["summary"]["total-successful-session-count"] == 1
    parse_tls_report(attachment(message)[1])


async def test_results_are_bounded_and_kept_by_themselves(tmp_path: Path) -> None:
    async with open_reporting(tmp_path, rows=100) as reporting:
        for number in range(150):
            reporting.collector.noted(TlsPolicy(domain=f"d{number}.test", host="mx"), "192.0.2.1", "success", "")
        collection = await reporting.made.documents.collection(COLLECTED)

        async def all_kept() -> bool:
            return await collection.count({"kind": "tls"}) == 100

        await eventually(all_kept)
        await reporting.collector.close()
        assert await collection.count({"kind": "tls"}) == 100


async def own_report(reporting: Reporting) -> bytes:
    """A report as this program writes them, about example.test."""
    for _ in range(2):
        reporting.collector.dmarc(checks("example.test", passed=True), "192.0.2.1", "a@example.test", "none")
    reporting.collector.dmarc(checks("example.test"), "192.0.2.66", "a@evil.test", "quarantine")
    await reporting.collector.flush()
    reporting.clock.advance(86400)
    await reporting.daily().send()
    return (await reporting.sent())["mail-reports@example.test"].as_bytes()


async def test_our_own_report_is_read_kept_once_and_shown(reporting: Reporting) -> None:
    administration = reporting.made.administration
    raw = await own_report(reporting)
    assert (await reporting.take(raw)).outcome == "delivered"
    assert (await reporting.take(raw)).text == "The report was here before"
    (listed,) = await list_reports(administration, COMMAND_LINE, domain="example.test")
    assert (listed.kind, listed.submitter, listed.count, listed.failed, listed.sender) == ("dmarc", HOSTNAME, 3, 1, "")
    _, report = await show_report(administration, COMMAND_LINE, listed.id)
    assert isinstance(report, AggregateReport)
    found = await summarize_reports(administration, COMMAND_LINE, "example.test", 7)
    assert [(one.address, one.messages, one.spf_passed, one.refused) for one in found.sources] == [
        ("192.0.2.1", 2, 2, 0),
        ("192.0.2.66", 1, 0, 1),
    ]
    with pytest.raises(PermissionDeniedError):
        await show_report(administration, Actor("bob", "user", "user-bob"), listed.id)


@pytest.mark.parametrize(
    ("results", "sender"),
    [
        (f"{HOSTNAME}; dmarc=pass header.from=google.com", "google.com"),
        (f"{HOSTNAME}; dmarc=fail header.from=google.com", ""),
        ("evil.test; dmarc=pass header.from=google.com", ""),
        (f"x; none\r\nReceived: by x\r\nAuthentication-Results: {HOSTNAME}; dmarc=pass header.from=google.com", ""),
    ],
)
async def test_who_is_proved_to_have_sent_it_stands_beside(reporting: Reporting, results: str, sender: str) -> None:
    raw = f"Authentication-Results: {results}\r\n".encode() + await own_report(reporting)
    await reporting.take(raw)
    (listed,) = await list_reports(reporting.made.administration, COMMAND_LINE)
    assert listed.sender == sender


async def test_what_is_no_report_of_ours_is_refused(reporting: Reporting) -> None:
    refused = await reporting.take(b"From: a@b.test\r\nSubject: hi\r\n\r\nhello\r\n")
    assert (refused.outcome, refused.smtp_code, refused.enhanced_code) == ("failed", 550, "5.6.0")
    foreign = (await own_report(reporting)).replace(b"\r\n", b"\n")
    message = email.message_from_bytes(foreign)
    part = next(part for part in message.walk() if part.get_content_disposition() == "attachment")
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    other = gzip.compress(gzip.decompress(content).replace(b"<domain>example.test", b"<domain>else.test"))
    del part["Content-Transfer-Encoding"]
    part.set_payload(other)
    email.encoders.encode_base64(part)
    assert (await reporting.take(message.as_bytes())).enhanced_code == "5.7.1"


async def test_so_many_a_day_and_no_more(tmp_path: Path) -> None:
    async with open_reporting(tmp_path, received=10) as reporting:
        raw = await own_report(reporting)
        for number in range(10):
            report = arf(f"<{number}@example.test>")
            assert (await reporting.take(report)).outcome == "delivered"
        assert (await reporting.take(arf("<x@example.test>"))).smtp_code == 452
        assert (await reporting.take(raw)).outcome == "delivered"  # of another kind


def arf(message_id: str, kind: str = "abuse", recipient: str = "") -> bytes:
    named = f"Original-Rcpt-To: <{recipient}>\r\n" if recipient else ""
    return (
        "From: fbl@provider.test\r\nTo: mail-reports@example.test\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nA complaint.\r\n"
        f"--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: {kind}\r\nUser-Agent: P/1\r\n{named}"
        "Version: 1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: alice@example.test\r\nMessage-ID: {message_id}\r\n\r\n--b--\r\n"
    ).encode()


def sent_entries(made: Installation, *recipients: str) -> None:
    made.trace.record(
        TraceEntry(
            trace_id="t1", at=NOON, service="submission", event="received", text="r", message_id="<m1@example.test>"
        )
    )
    for recipient in recipients:
        made.trace.record(
            TraceEntry(
                trace_id="t1",
                at=NOON,
                service="smtp",
                event="delivered",
                text="d",
                keys=(recipient,),
                detail={"recipient": recipient},
            )
        )


@pytest.mark.parametrize(
    ("recipients", "kind", "named", "suppressed"),
    [
        (("dave@remote.test",), "abuse", "", {"dave@remote.test"}),
        (("dave@remote.test", "erin@remote.test"), "abuse", "", set()),  # which of them is not known
        (("dave@remote.test", "erin@remote.test"), "abuse", "erin@remote.test", {"erin@remote.test"}),
        (("dave@remote.test",), "abuse", "victim@remote.test", set()),  # nothing of ours went there
        (("dave@remote.test",), "not-spam", "", set()),
        ((), "abuse", "dave@remote.test", set()),
    ],
)
async def test_a_complaint_counts_when_it_is_about_mail_of_ours(
    reporting: Reporting, recipients: tuple[str, ...], kind: str, named: str, suppressed: set[str]
) -> None:
    sent_entries(reporting.made, *recipients)
    assert (await reporting.take(arf("<m1@example.test>", kind, named))).outcome == "delivered"
    listed = await reporting.suppressions.list_all()
    assert {one.address for one in listed} == suppressed
    assert all(one.reason == "complaint" for one in listed)
    for address in suppressed:
        with pytest.raises(SuppressedError):
            await reporting.suppressions.check("example.test", address)


@pytest.mark.parametrize("status", [201, 500])
async def test_a_tls_report_over_https(reporting: Reporting, tmp_path: Path, status: int) -> None:
    taken: list[bytes] = []
    authority = ensure_local_authority(tmp_path / "https", ("collector.test",))
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_context.load_cert_chain(tmp_path / "https" / "certificate.pem", tmp_path / "https" / "key.pem")
    reporting.context = ssl.create_default_context(cafile=str(authority))
    async with https_server(server_context, status, taken.append) as port:
        reporting.authority.put("collector.test", "A", "127.0.0.1")
        reporting.authority.put(
            "_smtp._tls.posted.test", "TXT", f"v=TLSRPTv1; rua=https://collector.test:{port}/v1?x=1"
        )
        reporting.collector.noted(TlsPolicy(domain="posted.test", host="mx"), "192.0.2.1", "success", "")
        await reporting.collector.flush()
        reporting.clock.advance(86400)
        assert (await reporting.daily().send()).put_off == 1  # loopback is nothing to post to
        assert taken == []
        sent = await reporting.daily(private=("127.0.0.0/8",)).send()
        assert (sent.reports, sent.put_off) == ((1, 0) if status == 201 else (0, 1))
        header, _, body = taken[0].partition(b"\r\n\r\n")
        assert header.startswith(b"POST /v1?x=1 HTTP/1.1\r\n")
        assert b"Content-Type: application/tlsrpt+gzip" in header
        assert isinstance(parse_tls_report(gzip.decompress(body)), TlsReport)
        reporting.clock.advance(2 * 86400)
        assert (await reporting.daily(private=("127.0.0.0/8",)).send()).put_off == 0  # given up after a day
        assert len(taken) == (1 if status == 201 else 2)


@asynccontextmanager
async def https_server(context: ssl.SSLContext, status: int, take: Callable[[bytes], None]) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        take(head + await reader.readexactly(length))
        writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
