"""Dumps of a whole store: of one moment, and loaded as they were, into either engine."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mailstead.foundation.clock import ManualClock
from mailstead.stores.documents.interface import CollectionSpec, Document, Documents, DuplicateError, Index
from mailstead.stores.documents.open import open_documents

from .conftest import SETTINGS

PEOPLE = CollectionSpec("person", (Index(("name",), unique=True), Index(("tags",), many=True)))
PAIRS = CollectionSpec("pair")


async def dumped(documents: Documents) -> dict[str, dict[str, Document]]:
    found: dict[str, dict[str, Document]] = {}

    def take(name: str, batch: Sequence[Document]) -> None:
        found.setdefault(name, {}).update({document["id"]: document for document in batch})

    await documents.dump(take)
    return found


async def test_a_dump_is_loaded_as_it_was(documents: Documents, clock: ManualClock, tmp_path: Path) -> None:
    people = await documents.collection(PEOPLE)
    odd: dict[str, Any] = {"a.b": 1, "$x": [1, "\x00", b"\x00\xff", None, True, 2**40, 1.5], "": {"_id": 1, "%": 2}}
    await people.insert({"id": "1", "name": "Ann", "tags": ["x", "y"], "odd": odd})
    await people.insert_many([{"id": f"n{number:04}", "name": f"n{number}"} for number in range(1200)])
    await people.update("1", {"age": 3})
    await (await documents.collection(PAIRS)).insert({"id": "p"})
    before = await dumped(documents)
    assert len(before["person"]) == 1201
    assert before["person"]["1"]["version"] == 2

    other = open_documents("sqlite:", tmp_path / "other", SETTINGS, clock)
    await other.open()
    for name, held in before.items():
        await other.load(name, list(held.values()))
    assert await dumped(other) == before
    loaded = await other.collection(PEOPLE)
    assert [one["id"] for one in await loaded.find({"tags": "y"})] == ["1"]
    with pytest.raises(DuplicateError):
        await loaded.insert({"id": "2", "name": "Ann"})
    await other.close()

    await documents.clear()
    assert await people.count({}) == 0
    assert {name for name, held in (await dumped(documents)).items() if held} == set()
    for name, held in before.items():
        await documents.load(name, list(held.values()))
    assert await dumped(documents) == before
    assert [one["id"] for one in await people.find({"tags": "y"})] == ["1"]
    with pytest.raises(DuplicateError):
        await documents.load("person", [before["person"]["1"]])


async def test_a_dump_is_of_one_moment(documents: Documents) -> None:
    """A writer moves a token from document to document; each dump has it exactly once."""
    pairs = await documents.collection(PAIRS)
    await pairs.insert_many([{"id": f"{number:04}", "text": "x" * 500} for number in range(1000)])
    first, last = CollectionSpec("aaa"), CollectionSpec("zzz")
    a, z = await documents.collection(first), await documents.collection(last)
    await a.insert({"id": "counter", "value": 0})
    await z.insert({"id": "counter", "value": 0})
    ended = asyncio.Event()

    async def write() -> int:
        count = 0
        while not ended.is_set():
            count += 1
            await z.update("counter", {"value": count})  # always before the other, so it is never behind
            await a.update("counter", {"value": count})
        return count

    writer = asyncio.create_task(write())
    for _ in range(5):
        found = await dumped(documents)
        assert found["zzz"]["counter"]["value"] - found["aaa"]["counter"]["value"] in {0, 1}
    ended.set()
    assert await writer > 0
