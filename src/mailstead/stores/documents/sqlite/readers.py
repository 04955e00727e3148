"""Reads: on the event loop while they are short, in a thread past that."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import apsw

from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.stores.documents.sqlite.connection import BUDGET_STEP, Budget, open_connection, storage_errors

T = TypeVar("T")
_SHORT_BUDGET = 10
_THREADS = 2


class Readers:
    """One connection for the loop, and up to two more for threads, opened when needed."""

    def __init__(self, path: Path, settings: DocumentsSettings) -> None:
        self._path = path
        self._settings = settings
        self._inline, _ = open_connection(path, settings)
        self._budget = Budget()
        self._inline.set_progress_handler(self._budget, BUDGET_STEP)
        self._threads = ThreadPoolExecutor(_THREADS, "documents-read")
        self._spare: SimpleQueue[apsw.Connection] = SimpleQueue()
        self._opened: list[apsw.Connection] = [self._inline]

    async def run(self, read: Callable[[apsw.Connection], T], *, short: bool) -> T:
        """The result of `read`, tried on the loop first when it looks `short`. Raises StoreUnavailableError."""
        if short:
            self._budget.left = _SHORT_BUDGET
            try:
                with storage_errors():
                    return read(self._inline)
            except apsw.InterruptError:
                pass  # longer than it looked: a thread has the time
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read_in_thread, read)

    def _read_in_thread(self, read: Callable[[apsw.Connection], T]) -> T:
        if self._spare.empty():
            connection, _ = open_connection(self._path, self._settings)
            self._opened.append(connection)
        else:
            connection = self._spare.get()
        try:
            with storage_errors():
                return read(connection)
        finally:
            self._spare.put(connection)

    async def close(self) -> None:
        """Let the reads in threads end, then close the connections."""
        await asyncio.to_thread(self._threads.shutdown)
        for connection in self._opened:
            connection.close()
