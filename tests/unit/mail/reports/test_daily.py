"""A day's results are sent as reports, once."""

import asyncio
import gzip
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import dkim
import pytest

from mailstead.formats.reports.dmarc import parse_aggregate
from mailstead.formats.reports.tlsrpt import TlsReport, parse_tls_report
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.mail.authentication.mtasts.policy import StsPolicy
from mailstead.mail.authentication.tls_policy import TlsPolicy, sts_policy
from mailstead.mail.reports.collector import COLLECTED
from mailstead.stores.directory.records import Domain
from support.dns_authority import Failure
from support.reporting import NOON, Reporting, attachment, checks


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
