"""Entries are found again, in order, and recording never waits."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.foundation.config.sections.trace import TraceSettings
from mailstead.stores.documents.interface import Documents, StoreUnavailableError
from mailstead.stores.documents.open import open_documents
from mailstead.stores.trace.trace import Trace, TraceEntry
from support.eventually import eventually


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def documents(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Documents]:
    documents = open_documents("sqlite:", tmp_path, DocumentsSettings(expire_interval=0), clock)
    await documents.open()
    yield documents
    await documents.close()


@pytest.fixture
async def trace(documents: Documents) -> AsyncIterator[Trace]:
    trace = Trace(documents, TraceSettings(flush_interval=0.01, retention=100.0))
    await trace.open()
    yield trace
    await trace.close()


def entry(clock: ManualClock, event: str, trace_id: str = "01abc", **more: Any) -> TraceEntry:
    return TraceEntry(trace_id=trace_id, at=clock.now(), service="mx", event=event, text=f"It was {event}", **more)


async def test_found_by_every_key_in_order(trace: Trace, clock: ManualClock) -> None:
    trace.record(entry(clock, "received", keys=("Alice@Example.Test", "bob@example.test"), detail={"tls": True}))
    trace.record(entry(clock, "accepted", message_id="<ABC@example.test>", keys=("alice@example.test",)))
    clock.advance(1)
    trace.record(entry(clock, "refused", trace_id="02def", keys=("alice@example.test",)))
    assert await trace.flush()

    async def events(key: str, **bounds: Any) -> list[str]:
        return [found.event for found in await trace.find(key, **bounds)]

    assert await events("alice@example.test") == ["received", "accepted", "refused"]
    assert await events(" <ALICE@example.test> ") == ["received", "accepted", "refused"]
    assert await events("abc@example.test") == ["accepted"]
    assert await events("01ABC") == ["received", "accepted"]
    assert await events("alice@example.test", since=clock.now()) == ["refused"]
    assert await events("alice@example.test", limit=2) == ["accepted", "refused"]
    assert await events("carol@example.test") == []
    assert (await trace.find("bob@example.test"))[0].detail == {"tls": True}


async def test_ways_are_whole(trace: Trace, clock: ManualClock) -> None:
    for number in range(5):
        clock.advance(1)
        trace.record(entry(clock, "received", trace_id=f"id{number}", keys=("alice@example.test",)))
        trace.record(entry(clock, "refused", trace_id=f"id{number}"))
    await trace.flush()
    ways = await trace.ways("alice@example.test", limit=3)
    assert [way.trace_id for way in ways] == ["id2", "id3", "id4"]
    assert [[held.event for held in way.entries] for way in ways] == [["received", "refused"]] * 3


async def test_written_soon_without_being_asked(trace: Trace, clock: ManualClock) -> None:
    trace.record(entry(clock, "received"))
    await eventually(lambda: trace.find("01abc"))


async def test_the_same_moment_keeps_the_order(trace: Trace, clock: ManualClock) -> None:
    events = [f"event{number}" for number in range(700)]
    for event in events:
        trace.record(entry(clock, event))
    await trace.flush()
    assert [held.event for held in await trace.find("01abc")] == events


async def test_close_writes_what_waits(documents: Documents, clock: ManualClock) -> None:
    trace = Trace(documents, TraceSettings(flush_interval=60.0))
    await trace.open()
    trace.record(entry(clock, "received"))
    await trace.close()
    assert len(await trace.find("01abc")) == 1


async def test_it_ends(trace: Trace, clock: ManualClock) -> None:
    trace.record(entry(clock, "received"))
    await trace.flush()
    clock.advance(100)
    assert await trace.find("01abc") == []


async def test_a_full_buffer_drops_and_counts(documents: Documents, clock: ManualClock) -> None:
    trace = Trace(documents, TraceSettings(buffer_limit=10, flush_interval=60.0))
    await trace.open()
    for number in range(25):
        trace.record(entry(clock, f"event{number}"))
    assert trace.dropped == 15
    await trace.close()
    assert [held.event for held in await trace.find("01abc")] == [f"event{number}" for number in range(10)]


async def test_strangers_text_is_cut(trace: Trace, clock: ManualClock) -> None:
    trace.record(
        TraceEntry(
            trace_id="x" * 1000,
            at=clock.now(),
            service="mx",
            event="refused",
            text="y" * 5000 + "\ud800",
            message_id="\udfff" * 400,
            keys=("", " <> ", *(f"user{number}@example.test" for number in range(500))),
            detail={f"name{number}\ud800": "\ud800" * 2000 for number in range(100)},
        )
    )
    assert await trace.flush()
    (found,) = await trace.find("x" * 1000)
    assert len(found.text) == 1000
    assert len(found.keys) == 120
    assert len(found.detail) == 50
    assert trace.dropped == 0


async def test_one_that_cannot_be_kept_takes_no_other_along(trace: Trace, clock: ManualClock) -> None:
    trace.record(entry(clock, "received"))
    trace.record(entry(clock, "odd", detail={"size": float("nan")}))
    trace.record(entry(clock, "accepted"))
    assert await trace.flush()
    assert [held.event for held in await trace.find("01abc")] == ["received", "accepted"]
    assert trace.dropped == 1


async def test_a_store_that_is_away(trace: Trace, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = trace._collection
    written = type(collection).insert_many
    away = True

    async def insert_many(self: Any, documents: Any) -> None:
        # What an engine does when the answer to a commit is lost: the entries are there, the caller does not know.
        await written(self, documents)
        if away:
            raise StoreUnavailableError

    monkeypatch.setattr(type(collection), "insert_many", insert_many)
    trace.record(entry(clock, "received"))
    assert not await trace.flush()
    trace.record(entry(clock, "accepted"))
    away = False
    assert await trace.flush()
    assert [held.event for held in await trace.find("01abc")] == ["received", "accepted"]
    assert trace.dropped == 0
