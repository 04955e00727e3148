"""The trace: a buffer that never waits before, and a collection of documents behind."""

import asyncio
from collections import deque
from contextlib import suppress

import structlog

from mailstead.foundation.config.sections.trace import TraceSettings
from mailstead.foundation.errors import InvalidError
from mailstead.stores.documents.interface import (
    Collection,
    CollectionSpec,
    Document,
    Documents,
    DuplicateError,
    Index,
    StoreUnavailableError,
)
from mailstead.stores.trace.entry import TraceEntry, Way, from_document, to_document, trace_key

__all__ = ["Trace", "TraceEntry", "Way"]

_RETRY_PAUSE = 1.0
_CLOSE_ATTEMPTS = 3
_PAGE = 1000

_log = structlog.get_logger("mailstead.trace")


class Trace:
    """Records entries and finds them again; `dropped` counts the entries that found no room or were refused."""

    def __init__(self, documents: Documents, settings: TraceSettings | None = None) -> None:
        self._documents = documents
        self._settings = settings or TraceSettings()
        self._buffer: deque[TraceEntry] = deque()
        self._batch: list[Document] = []  # on its way to the store; the same again when it had to be tried twice
        self._sequence = 0
        self._reported = 0
        self._awake = asyncio.Event()
        self._closing = asyncio.Event()
        self._flushing = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0

    async def open(self) -> None:
        """Make the collection and start writing. Raises StoreUnavailableError."""
        self._collection: Collection = await self._documents.collection(
            CollectionSpec(
                "trace",
                (
                    Index(("keys", "at"), many=True),
                    Index(("at",), expire_after=self._settings.retention),
                ),
            )
        )
        self._closing.clear()
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Write what is in the buffer; entries are dropped when the store refuses three times in a row."""
        if self._task is None:
            return
        self._closing.set()
        self._awake.set()
        await self._task
        self._task = None
        for _ in range(_CLOSE_ATTEMPTS):
            if await self.flush():
                break
        self.dropped += len(self._buffer) + len(self._batch)
        self._buffer.clear()
        self._batch = []
        self._report_dropped()

    def record(self, entry: TraceEntry) -> None:
        """Keep `entry`; written soon after. Never waits: it is dropped and counted when the buffer is full."""
        if len(self._buffer) >= self._settings.buffer_limit:
            self.dropped += 1
        else:
            self._buffer.append(entry)
        self._awake.set()

    async def flush(self) -> bool:
        """Write all that is in the buffer; False when the store does not take it now."""
        async with self._flushing:
            while self._batch or self._buffer:
                if not self._batch:
                    self._batch = self._next_batch()
                try:
                    await self._write(self._batch)
                except StoreUnavailableError as error:
                    _log.warning("trace.delayed", entries=len(self._buffer) + len(self._batch), error=str(error))
                    return False
                self._batch = []
        return True

    def _next_batch(self) -> list[Document]:
        entries = [self._buffer.popleft() for _ in range(min(len(self._buffer), self._settings.batch_limit))]
        first, self._sequence = self._sequence, self._sequence + len(entries)
        return [to_document(entry, number, self._settings) for number, entry in enumerate(entries, first)]

    async def _write(self, documents: list[Document]) -> None:
        try:
            await self._collection.insert_many(documents)
        except DuplicateError:
            pass  # an attempt whose answer was lost had written them all
        except InvalidError as error:
            if len(documents) > 1:
                for document in documents:
                    await self._write([document])
            else:
                self.dropped += 1
                _log.error("trace.refused", error=str(error))

    async def find(self, key: str, since: float = 0.0, limit: int = 1000) -> list[TraceEntry]:
        """The latest `limit` entries of an address, message-id or queue id from `since` (epoch seconds), by time."""
        found = await self._collection.find(
            {"keys": trace_key(key), "at": {"$gte": since}}, order=[("at", -1)], limit=limit
        )
        return [from_document(document) for document in reversed(found)]

    async def recent(self, since: float, looked_at: int, *, ends: str = "", most: int = 1000) -> list[TraceEntry]:
        """The latest `most` entries from `since`, by time; only those with a key that ends so, among `looked_at`."""
        found: list[TraceEntry] = []
        last: Document | None = None
        while looked_at > 0 and len(found) < most:
            documents = await self._collection.find(
                {"at": {"$gte": since}}, order=[("at", -1)], limit=min(looked_at, _PAGE), after=last
            )
            entries = map(from_document, documents)
            found += [one for one in entries if not ends or any(key.endswith(ends) for key in one.keys)]
            if len(documents) < min(looked_at, _PAGE):
                break
            looked_at -= len(documents)
            last = documents[-1]
        return found[:most][::-1]

    async def count(self, event: str, since: float, until: float) -> int:
        """How many entries of that event there are from `since` until before `until` (epoch seconds)."""
        return await self._collection.count({"at": {"$gte": since, "$lt": until}, "event": event})

    async def ways(self, key: str, since: float = 0.0, limit: int = 50) -> list[Way]:
        """The ways of the latest `limit` messages that `key` finds, whole, by the time of their first entry."""
        latest: dict[str, None] = {}
        for entry in reversed(await self.find(key, since)):
            latest.setdefault(entry.trace_id)
            if len(latest) == limit:
                break
        ways = [Way(trace_id, tuple(await self.find(trace_id))) for trace_id in latest]
        return sorted(ways, key=lambda way: way.entries[0].at if way.entries else 0.0)

    async def _run(self) -> None:
        while not self._closing.is_set():
            await self._awake.wait()
            await self._pause(self._settings.flush_interval)
            self._awake.clear()
            if not await self.flush():
                self._awake.set()
                await self._pause(_RETRY_PAUSE)
            self._report_dropped()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closing.wait()

    def _report_dropped(self) -> None:
        if self.dropped > self._reported:
            _log.warning("trace.dropped", entries=self.dropped - self._reported)
            self._reported = self.dropped
