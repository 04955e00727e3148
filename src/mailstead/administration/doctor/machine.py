"""Checks of the installation itself: disk, stores, queue, certificates, jobs, and what reports say of its mail."""

import shutil
import time

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.certificates.wanted import names_at, standing
from mailstead.administration.doctor.finding import Examination, Finding, Status
from mailstead.administration.reports import summarize_reports
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.directory.records import Domain
from mailstead.stores.documents.interface import CollectionSpec

_SLOW = 1.0
_DAY = 86400.0
_ENDS_SOON = 14 * _DAY
_LONG_WAIT = 4 * 3600.0
_LOOKED_AT = 1000
_REPORT_DAYS = 7.0
_GIB = 1024**3


async def check_disk(examination: Examination) -> list[Finding]:
    """There is room on the disk of the data folder."""
    usage = shutil.disk_usage(examination.data)
    share = usage.free / usage.total if usage.total else 0.0
    text = f"{usage.free / _GIB:.1f} GiB of {usage.total / _GIB:.1f} GiB are free ({share:.0%})."
    status: Status = "ok"
    if share < 0.03 or usage.free < _GIB // 4:
        status = "problem"
    elif share < 0.1 or usage.free < _GIB:
        status = "warning"
    fix = (
        ""
        if status == "ok"
        else "Make room: mail is refused for now when the disk is full. Move DATA, or lower quotas."
    )
    return [Finding(check="disk", status=status, subject=str(examination.data), text=text, fix=fix)]


async def check_documents(examination: Examination) -> list[Finding]:
    """The document store answers, and soon."""
    administration = examination.administration
    began = time.monotonic()
    await administration.directory.get(Domain, "doctor.invalid")
    took = time.monotonic() - began
    status: Status = "ok" if took < _SLOW else "warning"
    fix = "" if status == "ok" else "Look at the load of the database and of its disk."
    return [
        Finding(
            check="documents", status=status, subject="documents", text=f"They answer in {took * 1000:.0f} ms.", fix=fix
        )
    ]


async def check_bus(examination: Examination) -> list[Finding]:
    """The bus answers and is shared."""
    bus = examination.administration.bus
    name = f"doctor.{new_ulid()}"
    began = time.monotonic()
    await bus.store(name, b"1", 60.0)
    there = await bus.fetch(name)
    await bus.discard(name)
    took = time.monotonic() - began
    if there != b"1" or not bus.is_linked:
        fix = "Start Redis, or check MAILSTEAD_BUS_URL."
        text = "The bus is away: limits count in each process alone, and news arrive late."
        return [Finding(check="bus", status="problem", subject="bus", text=text, fix=fix)]
    return [Finding(check="bus", status="ok", subject="bus", text=f"It answers in {took * 1000:.0f} ms.")]


async def check_queue(examination: Examination) -> list[Finding]:
    """Mail does not pile up."""
    now = examination.administration.clock.now()
    count = await examination.queue.count()
    waiting = [one for one in await examination.queue.list_all(_LOOKED_AT) if one.begun_at < now]
    held = sum(1 for one in waiting if one.state == "held")
    late = [one for one in waiting if one.attempts and now - one.begun_at > _LONG_WAIT]
    by_destination: dict[str, int] = {}
    for one in late:
        by_destination[one.destination] = by_destination.get(one.destination, 0) + 1
    text = f"{count} destinations of messages wait, {held} of them held."
    if not late:
        return [Finding(check="queue", status="ok", subject="queue", text=text)]
    worst = sorted(by_destination.items(), key=lambda pair: -pair[1])[:3]
    names = ", ".join(f"{name} ({number})" for name, number in worst)
    text += f" {len(late)} wait for more than four hours, most for {names}: {late[0].last_error[:200]}"
    fix = "See why: mailstead queue list, mailstead trace QUEUE-ID."
    return [Finding(check="queue", status="warning", subject="queue", text=text, fix=fix)]


async def check_certificates(examination: Examination) -> list[Finding]:
    """No certificate has ended or ends soon."""
    settings = examination.administration.settings
    now = examination.administration.clock.now()
    tls = examination.data / "tls"
    found = []
    for name in names_at(tls):
        one = standing(settings, tls, name)
        subject = name or examination.hostname
        fix = "Renew it: mailstead cert renew; see docs/certificates.md."
        if one.problem or one.source == "missing":
            text = f"There is no certificate that can be used: {one.problem or 'missing'}."
            found.append(Finding(check="certificates", status="problem", subject=subject, text=text, fix=fix))
        elif one.not_after - now < _ENDS_SOON:
            status: Status = "problem" if one.not_after <= now else "warning"
            text = f"It ends in {max(one.not_after - now, 0) / _DAY:.0f} days."
            found.append(Finding(check="certificates", status=status, subject=subject, text=text, fix=fix))
        elif one.source == "own authority":
            text = "It is from the server's own authority, which nobody else knows."
            fix = "Set MAILSTEAD_ACME_DIRECTORY and run mailstead cert issue."
            found.append(Finding(check="certificates", status="warning", subject=subject, text=text, fix=fix))
        else:
            text = f"It is good for {(one.not_after - now) / _DAY:.0f} more days ({one.source})."
            found.append(Finding(check="certificates", status="ok", subject=subject, text=text))
    return found


async def check_jobs(examination: Examination) -> list[Finding]:
    """The scheduler's jobs run and do not fail."""
    collection = await examination.administration.documents.collection(CollectionSpec("job"))
    now = examination.administration.clock.now()
    jobs = await collection.find({})
    if not jobs:
        text = "The scheduler has never run here."
        fix = "Start it: mailstead serve, or the scheduler service."
        return [Finding(check="jobs", status="warning", subject="scheduler", text=text, fix=fix)]
    found = []
    for job in jobs:
        if job.get("failures"):
            text = f"It failed {job['failures']} times in a row: {job.get('text', '')}"
            fix = "See the scheduler's log; it is tried again by itself."
            found.append(Finding(check="jobs", status="warning", subject=str(job["id"]), text=text, fix=fix))
    late = [str(job["id"]) for job in jobs if float(job.get("next_at", 0.0)) < now - 2 * 3600.0]
    if late:
        text = f"Nothing runs that is due: {', '.join(late[:5])}."
        fix = "Start the scheduler service."
        found.append(Finding(check="jobs", status="warning", subject="scheduler", text=text, fix=fix))
    return found or [Finding(check="jobs", status="ok", subject="scheduler", text=f"{len(jobs)} jobs, none fails.")]


async def check_reports(examination: Examination) -> list[Finding]:
    """What receivers say of the domains' mail in the last days (DMARC, TLS, complaints)."""
    try:
        own = set(await examination.public_addresses())
    except ResolutionError:
        own = set()
    found = []
    for domain in await examination.domains():
        seen = await summarize_reports(examination.administration, COMMAND_LINE, domain.id, _REPORT_DAYS)
        fix = f"See mailstead reports summary {domain.id}."
        if not seen.reports:
            text = "No report came in the last seven days."
            address = f"{examination.administration.settings.reports.mailbox}@{domain.id}"
            fix = f"Let the domain's DMARC and TLSRPT records name {address}."
            found.append(Finding(check="reports", status="unknown", subject=domain.id, text=text, fix=fix))
            continue
        ours = [one for one in seen.sources if one.address in own]
        failing = sum(one.messages - max(one.dkim_passed, one.spf_passed) for one in ours)
        foreign = sum(one.messages for one in seen.sources if one.address not in own)
        text = (
            f"{seen.messages} messages in {seen.reports} reports, {seen.failed} failed DMARC, {foreign} came from elsewhere;"
            f" {sum(one.sessions for one in seen.failures)} of {seen.sessions} TLS sessions failed; {seen.complaints} complaints."
        )
        status: Status = "ok"
        if failing or seen.failures:
            status = "problem" if failing else "warning"
        elif seen.complaints:
            status = "warning"
        found.append(
            Finding(check="reports", status=status, subject=domain.id, text=text, fix="" if status == "ok" else fix)
        )
    return found
