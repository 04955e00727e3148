"""What the jobs do."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.domains import add_domain, rotate_dkim
from mailstead.administration.snoozing import snooze
from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.sections.tls import TlsSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.errors import InvalidError
from mailstead.foundation.spool import Spool
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.services.definition import Wiring
from mailstead.services.scheduler.certificates import renew_certificates
from mailstead.services.scheduler.dkim import activate_dkim
from mailstead.services.scheduler.jobs import expire_documents, sweep_queue
from mailstead.services.scheduler.mailboxes import (
    MailboxesTroubledError,
    check_mailboxes,
    compact_mailboxes,
    expire_mailboxes,
    ingest_sealed,
    keep_keys,
    wake_snoozed,
)
from mailstead.stores.directory.records import Domain, User
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage
from mailstead.stores.mailbox.sealed import waiting
from mailstead.stores.trace.entry import TraceEntry
from mailstead.stores.wakes.wakes import Wakes
from support.dns_authority import dns_authority
from support.wiring import wired

DAY = 86400.0
MESSAGE = b"Subject: one\r\n\r\ntext\r\n"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime.now(UTC).timestamp())


@pytest.fixture
async def wiring(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Wiring]:
    async with wired(tmp_path, clock, Settings(server=ServerSettings(data=str(tmp_path)))) as made:
        yield made


async def mailbox_of(wiring: Wiring, name: str) -> tuple[Mailbox, bytes]:
    alias = await wiring.stores.directory.alias(f"{name}@example.test")
    assert alias is not None
    key = await wiring.stores.directory.mailbox_key(alias.mailbox_id)
    assert key is not None
    with key:
        return await wiring.stores.mailboxes.open(alias.mailbox_id, key), alias.public_key


async def deliver_sealed(wiring: Wiring, name: str) -> Path:
    """Deliver where no key is at hand; returns the folder where the message waits."""
    mailbox, public_key = await mailbox_of(wiring, name)
    wiring.stores.mailboxes.forget(mailbox.id)
    with Spool(1024, wiring.stores.data) as spool:
        spool.append(MESSAGE)
        await wiring.stores.mailboxes.deliver(mailbox.id, None, public_key, spool)
    return wiring.stores.mailboxes.directory(mailbox.id) / "incoming"


async def test_what_was_put_off_comes_back_at_its_time(wiring: Wiring, clock: ManualClock) -> None:
    mailbox, _ = await mailbox_of(wiring, "alice")
    inbox = mailbox.folder("INBOX").id
    mailbox.append(inbox, [NewMessage(MESSAGE), NewMessage(MESSAGE)])
    wakes, start = Wakes(wiring.stores.documents), clock.now()
    for uid, hours in ((1, 2), (2, 1)):
        await snooze(wiring.stores.administration, mailbox, inbox, [uid], start + hours * 3600)
    assert mailbox.status(inbox).messages == 0
    assert await wake_snoozed(wiring) == "nothing was to come back"
    for hour in (1, 2):
        clock.advance(3600)
        assert await wake_snoozed(wiring) == "messages came back in 1 mailboxes"
        assert mailbox.status(inbox).messages == hour
    clock.advance(DAY)
    assert await wakes.due(clock.now()) == []


async def test_a_time_noted_while_the_scheduler_looks_is_not_lost(wiring: Wiring, clock: ManualClock) -> None:
    wakes = Wakes(wiring.stores.documents)
    await wakes.note("m1", clock.now())
    (seen,) = await wakes.due(clock.now())
    await wakes.note("m1", clock.now() + 60)
    await wakes.settle(seen, None)
    assert [one.id for one in await wakes.due(clock.now())] == ["m1"]


@pytest.mark.parametrize("seconds", [0.0, -1.0, 3 * 366 * DAY])
async def test_nothing_is_put_off_to_the_past_or_for_ever(wiring: Wiring, clock: ManualClock, seconds: float) -> None:
    mailbox, _ = await mailbox_of(wiring, "alice")
    with pytest.raises(InvalidError):
        await snooze(wiring.stores.administration, mailbox, 1, [1], clock.now() + seconds)


async def test_sealed_mail_is_taken_in(wiring: Wiring) -> None:
    folder = await deliver_sealed(wiring, "alice")
    assert len(waiting(folder)) == 1
    assert await ingest_sealed(wiring) == "1 mailboxes had sealed mail waiting"
    assert waiting(folder) == []
    assert (await mailbox_of(wiring, "alice"))[0].usage().messages == 1
    assert await ingest_sealed(wiring) == "0 mailboxes had sealed mail waiting"


async def test_what_left_the_undelete_window_goes(wiring: Wiring, clock: ManualClock) -> None:
    await deliver_sealed(wiring, "alice")
    await ingest_sealed(wiring)
    mailbox, _ = await mailbox_of(wiring, "alice")
    mailbox.remove(mailbox.folder("INBOX").id, [1])
    assert await expire_mailboxes(wiring) == "0 messages of 2 mailboxes dropped"
    clock.advance(15 * DAY)
    assert await expire_mailboxes(wiring) == "1 messages of 2 mailboxes dropped"
    assert mailbox.undelete(0) == 0


async def test_each_mailbox_is_checked_once_a_week(wiring: Wiring, clock: ManualClock) -> None:
    assert await check_mailboxes(wiring) == "2 mailboxes checked and well"
    clock.advance(6 * DAY)
    assert await check_mailboxes(wiring) == "0 mailboxes checked and well"
    clock.advance(DAY)
    assert await check_mailboxes(wiring) == "2 mailboxes checked and well"


async def test_a_damaged_mailbox_is_named_and_the_others_are_checked(wiring: Wiring, clock: ManualClock) -> None:
    mailbox, _ = await mailbox_of(wiring, "alice")
    file = wiring.stores.mailboxes.directory(mailbox.id) / "mailbox.db"
    wiring.stores.mailboxes.forget(mailbox.id)
    with file.open("r+b") as opened:
        opened.seek(2048)
        opened.write(os.urandom(1024))
    with pytest.raises(MailboxesTroubledError, match=r"alice@example\.test"):
        await check_mailboxes(wiring)
    bob, _ = await mailbox_of(wiring, "bob")
    assert bob.setting("checked_at") == clock.now()


async def test_our_certificate_is_renewed_and_loaded_by_running_services(wiring: Wiring, clock: ManualClock) -> None:
    path = wiring.stores.data / "tls" / "certificate.pem"
    before, context = path.read_bytes(), wiring.contexts.server()
    assert (await renew_certificates(wiring)).startswith("0 renewed; the host's is good until ")
    assert path.read_bytes() == before
    clock.advance(380 * DAY)
    assert (await renew_certificates(wiring)).startswith("0 renewed; the host's is good until ")
    assert path.read_bytes() != before
    wiring.contexts.reload()
    assert wiring.contexts.server() is not context


async def test_the_end_of_a_certificate_of_somebody_else_is_told_at_21_7_and_1_days(
    wiring: Wiring, clock: ManualClock, tmp_path: Path
) -> None:
    folder = tmp_path / "bought"
    ensure_local_authority(folder, ["mail.example.test"], datetime.now(UTC))
    given = TlsSettings(certificate=str(folder / "certificate.pem"), key=str(folder / "key.pem"))
    settings = msgspec.structs.replace(wiring.stores.settings, tls=given)
    other = msgspec.structs.replace(wiring, stores=msgspec.structs.replace(wiring.stores, settings=settings))
    end = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes()).not_valid_after_utc
    await other.stores.directory.add(User(id="a", address="alice@example.test", is_admin=True))
    told = []
    for days in (30, 20, 15, 6, 2, 0.5):
        clock.advance(end.timestamp() - days * DAY - clock.now())
        await renew_certificates(other)
        told.append(len(await other.stores.queue.list_all()))
    assert told == [0, 1, 1, 2, 2, 3]


async def test_new_dkim_keys_sign_when_dns_shows_them(wiring: Wiring, clock: ManualClock) -> None:
    administration = wiring.stores.administration
    await add_domain(administration, COMMAND_LINE, "signed.test")
    rotated = await rotate_dkim(administration, COMMAND_LINE, "signed.test")
    fresh = [key for key in rotated.dkim_keys if key.is_waiting]
    with dns_authority({f"{fresh[0].selector}._domainkey.signed.test": {"TXT": fresh[0].public_record}}) as authority:
        resolver = Resolver((authority.address,), DnsSettings(), clock)
        seeing = msgspec.structs.replace(wiring, stores=msgspec.structs.replace(wiring.stores, resolver=resolver))
        assert await activate_dkim(seeing) == "new keys of 0 domains in use, of 1 not published yet"
        authority.put(f"{fresh[1].selector}._domainkey.signed.test", "TXT", fresh[1].public_record)
        clock.advance(DAY)
        assert await activate_dkim(seeing) == "new keys of 1 domains in use, of 0 not published yet"
        await resolver.close()
    domain = await wiring.stores.directory.get(Domain, "signed.test")
    assert domain is not None
    signing = [key.selector for key in domain.dkim_keys if key.retired_at is None and not key.is_waiting]
    assert signing == [key.selector for key in fresh]


async def test_files_are_compacted_and_keyrings_kept(wiring: Wiring) -> None:
    mailbox, _ = await mailbox_of(wiring, "alice")
    keyring = wiring.stores.mailboxes.directory(mailbox.id) / "keyring.json"
    await keep_keys(wiring)
    before = keyring.read_bytes()
    keyring.unlink()
    assert await keep_keys(wiring) == "1 keyrings written"
    assert keyring.read_bytes() == before
    assert await compact_mailboxes(wiring) == "0 steps of compaction done"


async def test_orphaned_queue_files_go(wiring: Wiring) -> None:
    orphan = wiring.stores.queue.files.path("01ORPHAN")
    orphan.write_bytes(b"nobody names me")
    os.utime(orphan, (0, 0))
    assert await sweep_queue(wiring) == "1 orphaned files removed"
    assert not orphan.exists()


async def test_traces_end(wiring: Wiring, clock: ManualClock) -> None:
    trace = wiring.stores.trace
    trace.record(TraceEntry(trace_id="01x", at=clock.now() - 31 * DAY, service="mx", event="received", text="long ago"))
    assert await trace.flush()
    await expire_documents(wiring)
    assert await trace.find("01x") == []
