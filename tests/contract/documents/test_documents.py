"""Documents in and out: what is stored, what is refused, versions, uniqueness."""

import asyncio
from typing import Any

import pytest

from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.stores.documents.interface import (
    Collection,
    CollectionSpec,
    ConflictError,
    Documents,
    DuplicateError,
    Index,
)

SPEC = CollectionSpec(
    "things",
    (
        Index(("name",), unique=True),
        Index(("domain", "local"), unique=True),
        Index(("state", "due")),
        Index(("tags",), many=True),
        Index(("tokens",), many=True, unique=True),
    ),
)


@pytest.fixture
async def things(documents: Documents) -> Collection:
    return await documents.collection(SPEC)


async def test_comes_out_as_it_went_in(things: Collection) -> None:
    document = {
        "id": "ключ/1",
        "text": "häßlich \x00 \U0001f600",
        "bytes": b"\x00\xff",
        "numbers": [0, -1, 2**63 - 1, -(2**63), 1.5, 1e300],
        "none": None,
        "yes": True,
        "tree": {"list": [{"deep": [b"x", None, False]}], "": 1},
    }
    await things.insert(document)
    assert await things.get("ключ/1") == document | {"version": 1}


async def test_field_names_are_only_names(things: Collection) -> None:
    hostile = {"$set": {"$where": "1"}, "a.b": 1, "_id": 2, "%24": 3, "": 4, "\x00": 5, "$": 6, "_ID": 7}
    await things.insert({"id": "a", **hostile, "nested": hostile})
    assert await things.get("a") == {"id": "a", "version": 1, **hostile, "nested": hostile}
    assert await things.count({"a.b": 1, "_id": 2, "$": 6, "": 4}) == 1
    changed = await things.update("a", {"x.y": {"$inc": 1}, "$set": 1}, unset=["a.b", "_id", ""])
    assert changed["x.y"] == {"$inc": 1}
    assert changed["$set"] == 1
    assert not {"a.b", "_id", ""} & changed.keys()


async def test_the_callers_document_stays_as_it_is(things: Collection) -> None:
    document: dict[str, Any] = {"id": "a", "tags": ["x"]}
    await things.insert(document)
    assert document == {"id": "a", "tags": ["x"]}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"id": ""},
        {"id": 1},
        {"id": "x" * 513},
        {"id": "a", "x": float("nan")},
        {"id": "a", "x": float("inf")},
        {"id": "a", "x": 2**63},
        {"id": "a", "x": object()},
        {"id": "a", "x": "\ud800"},
        {"id": "a", "\udfff": 1},
        {"id": "a", "x": {1: 2}},
        {"id": "a", "x": "y" * 2_000_000},
        {"id": "a", "name": ["x"]},
        {"id": "a", "name": {"$gt": ""}},
        {"id": "a", "tags": "x"},
        {"id": "a", "tags": [None]},
        {"id": "a", "tags": [["x"]]},
    ],
)
async def test_refuses_what_it_cannot_keep(things: Collection, document: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        await things.insert(document)
    assert await things.count({}) == 0


async def test_refuses_what_is_nested_too_deeply(things: Collection) -> None:
    value: Any = 1
    for _ in range(50):
        value = [value]
    await things.insert({"id": "a", "x": value})
    for _ in range(50):
        value = {"x": value}
    with pytest.raises(InvalidError):
        await things.insert({"id": "b", "x": value})


async def test_update_sets_removes_and_counts_versions(things: Collection) -> None:
    await things.insert({"id": "a", "x": 1, "y": 2, "tags": ["one"]})
    assert await things.update("a", {"x": None, "tags": ["two", "three"]}, unset=["y"]) == {
        "id": "a",
        "version": 2,
        "x": None,
        "tags": ["two", "three"],
    }
    assert await things.count({"tags": "one"}) == 0
    assert await things.count({"tags": "three"}) == 1
    assert (await things.update("a", {}))["version"] == 3


async def test_update_compares_the_version(things: Collection) -> None:
    await things.insert({"id": "a"})
    await things.update("a", {"x": 1}, version=1)
    with pytest.raises(ConflictError):
        await things.update("a", {"x": 2}, version=1)
    with pytest.raises(NotFoundError):
        await things.update("b", {"x": 2}, version=1)
    assert (await things.get("a") or {})["x"] == 1


@pytest.mark.parametrize(
    ("changes", "unset"), [({"id": "b"}, []), ({"version": 7}, []), ({}, ["id"]), ({"x": 1}, ["x"])]
)
async def test_update_leaves_id_and_version_alone(
    things: Collection, changes: dict[str, Any], unset: list[str]
) -> None:
    await things.insert({"id": "a"})
    with pytest.raises(InvalidError):
        await things.update("a", changes, unset=unset)


async def test_delete(things: Collection) -> None:
    await things.insert({"id": "a", "tags": ["x"]})
    with pytest.raises(ConflictError):
        await things.delete("a", version=2)
    assert await things.delete("a", version=1)
    assert not await things.delete("a", version=1)
    assert await things.get("a") is None
    assert await things.count({"tags": "x"}) == 0
    await things.insert({"id": "a"})


async def test_unique_fields(things: Collection) -> None:
    await things.insert({"id": "a", "name": "x", "domain": "d", "local": "l"})
    with pytest.raises(DuplicateError) as same_id:
        await things.insert({"id": "a"})
    assert same_id.value.fields == ("id",)
    with pytest.raises(DuplicateError) as same_name:
        await things.insert({"id": "b", "name": "x", "tags": ["left over"]})
    assert same_name.value.fields == ("name",)
    with pytest.raises(DuplicateError) as same_pair:
        await things.insert({"id": "b", "domain": "d", "local": "l"})
    assert same_pair.value.fields == ("domain", "local")
    assert await things.count({"tags": "left over"}) == 0
    await things.insert({"id": "b", "name": "y", "domain": "d", "local": "m"})
    with pytest.raises(DuplicateError):
        await things.update("b", {"name": "x", "tags": ["left over"]})
    with pytest.raises(DuplicateError):
        await things.claim({"id": "b"}, {"local": "l"})
    assert await things.get("b") == {"id": "b", "version": 1, "name": "y", "domain": "d", "local": "m"}
    assert await things.count({"tags": "left over"}) == 0


async def test_missing_fields_are_not_compared(things: Collection) -> None:
    for number in range(3):
        await things.insert({"id": f"missing {number}", "domain": "d"})
        await things.insert({"id": f"null {number}", "name": None, "domain": "d", "local": None, "tokens": []})


async def test_unique_elements(things: Collection) -> None:
    await things.insert({"id": "a", "tokens": ["x", "y", "x"]})
    with pytest.raises(DuplicateError) as found:
        await things.insert({"id": "b", "tokens": ["z", "y"]})
    assert found.value.fields == ("tokens",)
    assert await things.get("b") is None
    assert await things.count({"tokens": "z"}) == 0
    await things.insert({"id": "b", "tokens": ["z"]})
    with pytest.raises(DuplicateError):
        await things.update("b", {"tokens": ["x"]})
    await things.update("a", {"tokens": ["y"]})
    await things.update("b", {"tokens": ["x"]})


async def test_true_is_not_one(things: Collection) -> None:
    for number, value in enumerate([1, True, "1", b"1", 0, False, ""]):
        await things.insert({"id": str(number), "name": value})
    with pytest.raises(DuplicateError):
        await things.insert({"id": "float", "name": 1.0})
    assert [document["id"] for document in await things.find({"name": True})] == ["1"]
    assert [document["id"] for document in await things.find({"name": 1.0})] == ["0"]


async def test_insert_many_is_all_or_nothing(things: Collection) -> None:
    await things.insert_many([])
    await things.insert_many([{"id": f"{number:03}", "name": number, "tags": ["t", number]} for number in range(150)])
    assert await things.count({"tags": "t"}) == 150
    with pytest.raises(DuplicateError) as found:
        await things.insert_many([{"id": "x", "tags": ["new"]}, {"id": "y", "name": 149}])
    assert found.value.fields == ("name",)
    with pytest.raises(InvalidError):
        await things.insert_many([{"id": "x", "tags": ["new"]}, {"id": "y", "x": object()}])
    assert await things.get("x") is None
    assert await things.count({"tags": "new"}) == 0


async def test_failures_of_writes_at_the_same_time_are_apart(things: Collection) -> None:
    await things.insert({"id": "taken"})

    async def attempt(number: int) -> str:
        try:
            if number % 3 == 0:
                await things.insert({"id": "taken"})
            elif number % 3 == 1:
                await things.update("taken", {"x": 1}, version=99)
            else:
                await things.insert({"id": f"fresh {number}"})
        except (DuplicateError, ConflictError) as error:
            return type(error).__name__
        return "done"

    outcomes = await asyncio.gather(*(attempt(number) for number in range(60)))
    assert outcomes == ["DuplicateError", "ConflictError", "done"] * 20
    assert await things.count({}) == 21


async def test_indexes_may_come_later(documents: Documents) -> None:
    before = await documents.collection(CollectionSpec("grows"))
    await before.insert({"id": "a", "name": "x", "tags": ["t"]})
    await before.insert({"id": "b"})
    indexes = (Index(("name",), unique=True), Index(("tags",), many=True))
    after = await documents.collection(CollectionSpec("grows", indexes))
    assert [document["id"] for document in await after.find({"tags": "t"})] == ["a"]
    with pytest.raises(DuplicateError):
        await before.insert({"id": "c", "name": "x"})
    await before.insert({"id": "d", "name": "y", "tags": ["t"]})
    assert await after.count({"tags": "t"}) == 2


async def test_an_index_that_documents_forbid(documents: Documents) -> None:
    before = await documents.collection(CollectionSpec("grows"))
    await before.insert({"id": "a", "name": "x"})
    await before.insert({"id": "b", "name": "x"})
    with pytest.raises(DuplicateError):
        await documents.collection(CollectionSpec("grows", (Index(("name",), unique=True),)))
    await before.insert({"id": "c", "name": "x"})


@pytest.mark.parametrize(
    "spec",
    [
        CollectionSpec("Bad name"),
        CollectionSpec("x", (Index(()),)),
        CollectionSpec("x", (Index(("a.b",)),)),
        CollectionSpec("x", (Index(("a", "a")),)),
        CollectionSpec("x", (Index(("version",)),)),
        CollectionSpec("x", (Index(("a",)), Index(("a",), many=True))),
        CollectionSpec("x", (Index(("a", "b"), expire_after=1.0),)),
    ],
)
async def test_specs_that_no_engine_keeps(documents: Documents, spec: CollectionSpec) -> None:
    with pytest.raises(InvalidError):
        await documents.collection(spec)
