from pathlib import Path

import pytest

from mailstead.foundation.clock import SystemClock
from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.config.sections.tls import TlsSettings
from mailstead.foundation.spool import Spool
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.files import QueueFiles
from mailstead.mail.outbound.transport import Transport
from mailstead.mail.reports.complaints import Complaints
from mailstead.mail.reports.delivery import DeliveryWithReports
from mailstead.mail.reports.intake import ReportIntake
from mailstead.mail.reports.received import ReceivedReports
from mailstead.mail.routing.delivery import DirectDelivery, LocalRecipient
from mailstead.mail.sending.return_path import Verp
from mailstead.mail.sending.suppression import SuppressionList
from support.installation import HOSTNAME
from support.post_office import MESSAGE, post_office
from support.scripted_smtp import scripted_server

VERP = Verp(b"k" * 32)
ALICE, DAVE = "alice@example.test", "dave@remote.test"


@pytest.mark.parametrize("sender", [ALICE, "alice+shop@example.test"])
def test_the_return_path_says_whom_it_is_about(sender: str) -> None:
    made = VERP.return_path(sender, "Dave.D+x@remote.test")
    assert made.startswith(sender.partition("@")[0] + "+b-")
    assert made.endswith("@example.test")
    assert VERP.read(made) == (sender, "Dave.D+x@remote.test")
    assert VERP.read(made.lower()) == (sender, "dave.d+x@remote.test")  # some hosts change the case


@pytest.mark.parametrize(
    ("sender", "recipient"),
    [
        (ALICE, f"{'x' * 60}@remote.test"),
        ("ü@example.test", DAVE),
        (ALICE, "a=b@remote.test"),
        (ALICE, '"a b"@remote.test'),
    ],
)
def test_what_does_not_fit_stays_the_sender(sender: str, recipient: str) -> None:
    assert VERP.return_path(sender, recipient) == sender


@pytest.mark.parametrize(
    "address", [ALICE, "alice+tag@example.test", "alice+b-dave=remote.test-aaaaaaaa@example.test", ""]
)
def test_other_addresses_are_none_of_ours(address: str) -> None:
    assert VERP.read(address) is None
    assert Verp(b"o" * 32).read(VERP.return_path(ALICE, DAVE)) is None


def notice(action: str, status: str) -> bytes:
    return (
        "From: MAILER-DAEMON@remote.test\r\nSubject: failed\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; remote.test\r\n\r\n"
        f"Final-Recipient: rfc822; else@remote.test\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 gone\r\n\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("action", "status", "counts"), [("failed", "5.1.1", True), ("delayed", "4.4.1", False), ("failed", "4.4.7", False)]
)
async def test_a_notice_that_comes_back_counts_and_is_delivered(
    tmp_path: Path, action: str, status: str, counts: bool
) -> None:
    async with post_office(tmp_path, 1) as office:
        made = office.made
        suppressions = SuppressionList(made.documents, SendingSettings(bounces=1), made.clock)
        intake = ReportIntake(
            ReceivedReports(made.documents, made.settings.reports, made.clock),
            Complaints(suppressions, made.trace),
            made.directory,
            made.settings.reports,
            HOSTNAME,
        )
        inner = DirectDelivery(made.directory, made.mailboxes, made.trace, made.settings, made.clock)
        delivery = DeliveryWithReports(inner, intake, made.trace, made.clock, verp=VERP, suppressions=suppressions)
        address = VERP.return_path(ALICE, DAVE)
        resolution = await made.directory.resolve(address)
        with Spool(100_000, tmp_path) as spool:
            spool.append(notice(action, status))
            (result,) = await delivery.deliver("", [LocalRecipient(address, resolution.destinations[0])], spool, "t1")
        assert result.outcome == "delivered"
        assert len(await made.messages(ALICE)) == 1
        assert [one.address for one in await suppressions.list_all()] == ([DAVE] if counts else [])


async def test_each_recipient_of_submitted_mail_has_a_transaction_with_a_return_path_of_its_own(tmp_path: Path) -> None:
    recipients = tuple(EnvelopeRecipient(address) for address in (DAVE, "erin@remote.test"))
    async with scripted_server() as sink, post_office(tmp_path, sink.port) as office:
        files = QueueFiles(tmp_path / "files", bytes(32))
        files.open()
        plain = office.transport()
        tls = TLSContexts(tmp_path / "tls", TlsSettings(), SystemClock())
        transport = Transport(plain._resolver, tls, office.settings, HOSTNAME, verp=VERP)
        try:
            with Spool(100_000, tmp_path) as spool:
                spool.append(MESSAGE)
                await files.write("m", spool)
            for account in (ALICE, ""):
                with files.read("m", len(MESSAGE)) as queued:
                    envelope = Envelope(sender=ALICE, recipients=recipients, account=account)
                    found = await transport.attempt("remote.test", envelope, queued)
                assert [one.outcome for one in found.verdicts] == ["delivered", "delivered"]
        finally:
            await plain.close()
            await transport.close()
            files.close()
        senders = [sender for sender, _, _ in sink.messages]
        assert [VERP.read(sender) for sender in senders] == [(ALICE, DAVE), (ALICE, "erin@remote.test"), None]
        assert sink.connections == 1
