"""Mailboxes in a folder of the test's own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from mailstead.foundation.clock import SystemClock
from mailstead.foundation.config.settings import Settings
from mailstead.stores.mailbox.mailboxes import Mailboxes


def _nobody(_: str, __: int) -> None:
    return None


@asynccontextmanager
async def open_mailboxes(
    folder: Path, on_commit: Callable[[str, int], None] = _nobody, settings: Settings | None = None
) -> AsyncIterator[Mailboxes]:
    mailboxes = Mailboxes(folder, settings or Settings(), clock=SystemClock(), on_commit=on_commit)
    try:
        yield mailboxes
    finally:
        await mailboxes.close()
