"""What a job is, and what is known of its runs."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from mailstead.services.definition import Wiring
from mailstead.stores.bus.interface import Bus
from mailstead.stores.documents.interface import CollectionSpec, Document, Documents, Index

CHANNEL = "jobs"
JOBS_COLLECTION = CollectionSpec("job", (Index(("next_at",)),))
Outcome = Literal["never", "running", "done", "failed", "cut off"]

Run = Callable[[Wiring], Awaitable[str]]
"""Does the work and says in a few words what came of it. Raises MailsteadError or OSError when it failed."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the table: every `period` seconds and up to `jitter` more, so that not all comes at once."""

    name: str
    purpose: str
    period: float
    jitter: float
    run: Run


class JobState(msgspec.Struct, frozen=True, kw_only=True):
    """A job's document; times in seconds since the epoch, 0 for never. `failures` counts those in a row."""

    id: str
    next_at: float = 0.0
    started_at: float = 0.0
    finished_at: float = 0.0
    succeeded_at: float = 0.0
    outcome: Outcome = "never"
    text: str = ""
    failures: int = 0
    runner: str = ""


def state_of(document: Document) -> JobState:
    """The state that a document holds."""
    return msgspec.convert(document, JobState)


def document_of(state: JobState) -> dict[str, Any]:
    """The state as a document."""
    document: dict[str, Any] = msgspec.to_builtins(state)
    return document


async def run_job(documents: Documents, bus: Bus, now: float, name: str) -> None:
    """Make a job due now, unless it runs, and wake whoever runs jobs. Raises StoreUnavailableError."""
    collection = await documents.collection(JOBS_COLLECTION)
    await collection.claim({"id": name, "outcome": {"$ne": "running"}}, {"next_at": now})
    await bus.publish(CHANNEL, name.encode())


async def job_states(documents: Documents) -> list[JobState]:
    """All jobs that were ever planned here, by name."""
    collection = await documents.collection(JOBS_COLLECTION)
    return [state_of(document) for document in await collection.find({})]
