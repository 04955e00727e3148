"""Documents that end by themselves."""

import pytest

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, DuplicateError, Index

SPEC = CollectionSpec(
    "sessions",
    (
        Index(("at",), expire_after=60.0),
        Index(("token",), unique=True),
        Index(("tags",), many=True),
        Index(("marks",), many=True, unique=True),
    ),
)


@pytest.fixture
async def sessions(documents: Documents, clock: ManualClock) -> Collection:
    sessions = await documents.collection(SPEC)
    await sessions.insert({"id": "a", "at": clock.now(), "token": "x", "tags": ["t"], "marks": ["m"]})
    await sessions.insert({"id": "b", "at": clock.now() + 10, "tags": ["t"]})
    await sessions.insert({"id": "for ever", "tags": ["t"]})
    return sessions


async def test_what_has_ended_is_not_read(sessions: Collection, clock: ManualClock) -> None:
    clock.advance(59)
    assert await sessions.count({"tags": "t"}) == 3
    clock.advance(1)
    assert await sessions.get("a") is None
    assert [document["id"] for document in await sessions.find({"tags": "t"})] == ["b", "for ever"]
    assert await sessions.find_one({"token": "x"}) is None
    assert await sessions.count({}) == 2
    assert await sessions.distinct("token", {}) == []
    assert await sessions.claim({"token": "x"}, {"y": 1}) is None
    with pytest.raises(NotFoundError):
        await sessions.update("a", {"at": clock.now()})
    assert not await sessions.delete("a")
    assert await sessions.delete_many({"token": "x"}) == 0


async def test_its_place_is_free(sessions: Collection, clock: ManualClock) -> None:
    with pytest.raises(DuplicateError):
        await sessions.insert({"id": "c", "token": "x"})
    clock.advance(60)
    await sessions.insert({"id": "c", "token": "x", "marks": ["m", "n"]})
    await sessions.insert({"id": "a"})
    clock.advance(10)
    await sessions.insert_many([{"id": "b", "at": clock.now()}, {"id": "d"}])
    assert await sessions.count({}) == 5
    assert await sessions.count({"tags": "t"}) == 1


async def test_an_update_may_take_its_place(sessions: Collection, clock: ManualClock) -> None:
    clock.advance(60)
    await sessions.update("b", {"token": "x", "marks": ["m"]})
    assert await sessions.count({"token": "x"}) == 1


async def test_a_later_time_keeps_it(sessions: Collection, clock: ManualClock) -> None:
    await sessions.update("a", {"at": clock.now() + 100})
    clock.advance(150)
    assert await sessions.get("a") is not None
    clock.advance(10)
    assert await sessions.get("a") is None


async def test_removal(documents: Documents, sessions: Collection, clock: ManualClock) -> None:
    assert await documents.expire() == 0
    clock.advance(60)
    assert await documents.expire() == 1
    clock.advance(1000)
    assert await documents.expire() == 1
    assert [document["id"] for document in await sessions.find({})] == ["for ever"]


async def test_times_are_numbers(sessions: Collection) -> None:
    for time in ("tomorrow", True, b""):
        with pytest.raises(InvalidError):
            await sessions.insert({"id": "c", "at": time})
