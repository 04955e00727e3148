"""Reports of others are taken in by the domain they are about."""

import email
import email.encoders
import gzip
from pathlib import Path

import pytest

from mailstead.administration.actor import COMMAND_LINE, Actor
from mailstead.administration.reports import list_reports, show_report, summarize_reports
from mailstead.formats.reports.dmarc import AggregateReport
from mailstead.foundation.errors import PermissionDeniedError
from mailstead.mail.sending.suppression import SuppressedError
from mailstead.stores.trace.trace import TraceEntry
from support.installation import HOSTNAME, Installation
from support.reporting import NOON, Reporting, arf, checks, open_reporting


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
