"""Everything of reports over one installation: results, the daily reports, and those that are taken in."""

import email
import email.encoders
import gzip
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import Message
from pathlib import Path
from typing import Any

import msgspec

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.domains import add_domain
from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.config.sections.reports import ReportsSettings
from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.spool import Spool
from mailstead.mail.authentication.authenticate import Checks
from mailstead.mail.authentication.dkim.result import DkimResult
from mailstead.mail.authentication.dmarc.record import parse_dmarc_record
from mailstead.mail.authentication.dmarc.result import DmarcResult
from mailstead.mail.authentication.spf.result import SpfResult
from mailstead.mail.envelope import RecipientResult
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.outbound.signing import Signing
from mailstead.mail.reports.collector import RESULTS, CollectedResults, ResultCollector
from mailstead.mail.reports.complaints import Complaints
from mailstead.mail.reports.daily import DailyReports
from mailstead.mail.reports.intake import ReportIntake
from mailstead.mail.reports.received import ReceivedReports
from mailstead.mail.sending.suppression import SuppressionList
from support.dns_authority import Authority, dns_authority
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
        self.collector = ResultCollector(made.documents, settings, made.clock, folder / RESULTS)
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
