"""Results counted by row, kept in the documents every few seconds."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.reports import ReportsSettings
from mailstead.foundation.errors import MailsteadError
from mailstead.mail.authentication.authenticate import Checks
from mailstead.mail.authentication.tls_policy import TlsPolicy
from mailstead.mail.outbound.tls_results import ResultType
from mailstead.mail.reports.journal import Journal, Key, Kind, left_journals
from mailstead.mail.reports.rows import DmarcRow, TlsRow, dmarc_row, tls_row
from mailstead.stores.documents.interface import CollectionSpec, Documents, DuplicateError, Index

log = structlog.get_logger("mailstead.reports")

Row = TypeVar("Row", DmarcRow, TlsRow)
COLLECTED = CollectionSpec(
    "collected_result", (Index(("kind", "day", "domain")), Index(("at",), expire_after=4 * 86400.0))
)
RESULTS = "results"  # the folder of journals in the data folder
_PAGE = 1000
encode_row = msgspec.json.Encoder().encode


def day_of(now: float) -> str:
    """The day of UTC that a moment lies in, as `20261125`."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%d")


class _Span(msgspec.Struct):
    """What was counted in one journal."""

    journal: Journal
    counts: Counter[Key]


class ResultCollector:
    """Counts; see the package. `dmarc` and `noted` never wait and never fail."""

    def __init__(self, documents: Documents, settings: ReportsSettings, clock: Clock, directory: Path) -> None:
        """`directory` is where journals lie."""
        self._documents = documents
        self._settings = settings
        self._clock = clock
        self._directory = directory
        self._now = _Span(Journal(directory), Counter())
        self._before: _Span | None = None  # not kept yet
        self._is_writing = True
        self._seen: set[int] = set()
        self._day = ""
        self._dropped = 0
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None

    def dmarc(self, checks: Checks, address: str, sender: str, disposition: str) -> None:
        """One message; nothing is counted where its author's domain asks for no reports."""
        row = dmarc_row(checks, address, sender, disposition) if self._settings.send else None
        if row is not None:
            self._count("dmarc", row.policy.domain, encode_row(row))

    def noted(self, policy: TlsPolicy, address: str, result: ResultType, detail: str) -> None:
        """See TlsResults."""
        if self._settings.send and policy.domain:
            self._count("tls", policy.domain, encode_row(tls_row(policy, address, result, detail)))

    def _count(self, kind: Kind, domain: str, row: bytes) -> None:
        day = day_of(self._clock.now())
        if day != self._day:
            if self._dropped:
                log.warning("results not counted, there were too many kinds", day=self._day, count=self._dropped)
            self._day, self._dropped = day, 0
            self._seen.clear()
        key: Key = (day, kind, domain, row)
        if hash(key) not in self._seen:
            if len(self._seen) >= self._settings.rows:
                self._dropped += 1
                return
            self._seen.add(hash(key))
        self._write(key)
        self._now.counts[key] += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._settings.flush, self._begin)

    def _write(self, key: Key) -> None:
        try:
            self._now.journal.write(key)
        except OSError as error:
            if self._is_writing:  # said once: counting goes on in memory
                log.error("results cannot be written down", why=str(error))
            self._is_writing = False
        else:
            self._is_writing = True

    def _begin(self) -> None:
        self._timer = None
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.get_running_loop().create_task(self.flush())

    async def recover(self) -> None:
        """Keep what processes that were killed had counted; what the store does not take now waits for the next time."""
        try:
            await recover(self._documents, self._directory, self._clock)
        except (MailsteadError, OSError) as error:
            log.warning("results of a process that ended not kept yet", why=str(error))

    async def flush(self) -> None:
        """Keep what was counted; what the store does not take now is tried again later."""
        while self._before is not None or self._now.counts:
            if self._before is None:
                self._before, self._now = self._now, _Span(Journal(self._directory), Counter())
            span = self._before
            try:
                await _keep(self._documents, span.journal.name, span.counts, self._clock.now())
                span.journal.remove()
            except (MailsteadError, OSError) as error:
                log.warning("results not kept yet", why=str(error))
                if self._timer is None:
                    self._timer = asyncio.get_running_loop().call_later(self._settings.flush, self._begin)
                return
            self._before = None

    async def close(self) -> None:
        """Keep the rest; what cannot be kept now waits in its file for the next start."""
        if self._flushing is not None:
            await asyncio.wait([self._flushing])
        if self._timer is not None:
            self._timer.cancel()
        await self.flush()
        if self._timer is not None:
            self._timer.cancel()
        for span in (self._before, self._now):
            if span is not None:
                span.journal.close()


async def recover(documents: Documents, directory: Path, clock: Clock) -> None:
    """Keep what is in the journals of processes that ended. Raises StoreUnavailableError, OSError."""
    left = left_journals(directory)
    try:
        for journal in left:
            await _keep(documents, journal.name, journal.counts(), clock.now())
            journal.remove()
    finally:
        for journal in left:
            journal.close()


async def _keep(documents: Documents, name: str, counts: Counter[Key], now: float) -> None:
    """Put rows into the documents; each page is there wholly or not at all, so one that is there is left."""
    collection = await documents.collection(COLLECTED)
    rows = [
        {"id": f"{name}-{number}", "kind": kind, "day": day, "domain": domain, "row": row, "count": count, "at": now}
        for number, ((day, kind, domain, row), count) in enumerate(counts.items())
    ]
    for start in range(0, len(rows), _PAGE):
        try:
            await collection.insert_many(rows[start : start + _PAGE])
        except DuplicateError:
            log.info("results were kept before", journal=name)


class CollectedResults:
    """What was kept, by day and domain. Methods raise StoreUnavailableError."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    async def domains(self, kind: Kind, before: str) -> list[tuple[str, str]]:
        """Days before `before` and the domains that have results of them."""
        collection = await self._documents.collection(COLLECTED)
        found = []
        for day in await collection.distinct("day", {"kind": kind, "day": {"$lt": before}}):
            found += [(str(day), str(name)) for name in await collection.distinct("domain", {"kind": kind, "day": day})]
        return found

    async def rows(self, kind: Kind, day: str, domain: str, form: type[Row]) -> list[tuple[Row, int]]:
        """The rows of one day and domain, each with its count, the most frequent first."""
        collection = await self._documents.collection(COLLECTED)
        counts: Counter[bytes] = Counter()
        last: dict[str, Any] | None = None
        while True:
            page = await collection.find({"kind": kind, "day": day, "domain": domain}, limit=_PAGE, after=last)
            for document in page:
                counts[bytes(document["row"])] += int(document["count"])
            if len(page) < _PAGE:
                break
            last = page[-1]
        return [(msgspec.json.decode(row, type=form), count) for row, count in counts.most_common()]

    async def remove(self, kind: Kind, day: str, domain: str) -> None:
        """Forget what was reported."""
        await (await self._documents.collection(COLLECTED)).delete_many({"kind": kind, "day": day, "domain": domain})
