"""Conditions, orders, pages, distinct values: the same answers from every engine."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest

from mailstead.foundation.errors import InvalidError
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, Index
from mailstead.stores.documents.scan import scan

SPEC = CollectionSpec(
    "things",
    (
        Index(("value",)),
        Index(("group", "value")),
        Index(("tags", "value"), many=True),
        Index(("code",), unique=True),
    ),
)
# In the order of values; what has no value at all is first, with null.
VALUES: list[Any] = [
    None, -1e300, -(2**63), -5, -0.5, 0, 1, 1.5, 2**53, 2**53 + 1, 2**63 - 1, 1e300,
    "", "\x00", "A", "Z", "a", "a\x00", "aa", "z", "é", "\ud7ff", "\ue000", "\uffff", "\U00010000", "\U0010ffff",
    b"", b"\x00", b"\xff", b"\x00\x00", b"aa", b"\xff\xff", b"abc", False, True,
]  # fmt: skip


@pytest.fixture
async def things(documents: Documents) -> Collection:
    things = await documents.collection(SPEC)
    await things.insert_many(
        [{"id": f"{number:03}", "value": value, "plain": value} for number, value in enumerate(VALUES)]
    )
    return things


async def ids(things: Collection, where: Mapping[str, Any]) -> list[int]:
    return [int(document["id"]) for document in await things.find(where)]


async def test_values_are_in_one_order(things: Collection) -> None:
    for direction in (1, -1):
        found = await things.find({}, order=[("value", 1 if direction > 0 else -1)])
        assert [document["value"] for document in found] == VALUES[::direction]


@pytest.mark.parametrize("field", ["value", "plain"])
async def test_comparisons_stay_within_a_kind(things: Collection, field: str) -> None:
    for position, bound in enumerate(VALUES):
        if bound is None or isinstance(bound, bool):
            continue
        kind = (int, float) if isinstance(bound, (int, float)) else (type(bound),)
        same = {
            number for number, value in enumerate(VALUES) if isinstance(value, kind) and not isinstance(value, bool)
        }
        below, above = set(range(position)), set(range(position + 1, len(VALUES)))
        assert set(await ids(things, {field: {"$lt": bound}})) == same & below
        assert set(await ids(things, {field: {"$lte": bound}})) == same & (below | {position})
        assert set(await ids(things, {field: {"$gt": bound}})) == same & above
        assert set(await ids(things, {field: {"$gte": bound}})) == same & (above | {position})
        assert await ids(things, {field: bound}) == [position]
        assert set(await ids(things, {field: {"$ne": bound}})) == below | above


@pytest.mark.parametrize("field", ["value", "plain"])
async def test_other_operators(things: Collection, field: str) -> None:
    everything = list(range(len(VALUES)))
    assert await ids(things, {field: None}) == [0]
    assert await ids(things, {field: {"$exists": True}}) == everything[1:]
    assert await ids(things, {field: {"$exists": False}}) == [0]
    assert await ids(things, {field: {"$in": []}}) == []
    assert await ids(things, {field: {"$nin": []}}) == everything
    assert await ids(things, {field: {"$nin": [None, 1, "a"]}}) == [
        number for number, value in enumerate(VALUES) if value is True or value not in (None, 1, "a")
    ]
    assert 0 in await ids(things, {field: {"$nin": [1, "a"]}})
    choices = [VALUES.index(value) for value in (None, 1, "a", b"")] + [len(VALUES) - 1]
    assert await ids(things, {field: {"$in": [True, None, 1, b"", "a"]}}) == choices
    expected = [number for number, value in enumerate(VALUES) if isinstance(value, str) and value.startswith("a")]
    assert await ids(things, {field: {"$prefix": "a"}}) == expected
    text = [number for number, value in enumerate(VALUES) if isinstance(value, str)]
    assert await ids(things, {field: {"$prefix": ""}}) == text
    assert await ids(things, {field: {"$prefix": "\U0010ffff"}}) == [VALUES.index("\U0010ffff")]
    assert await ids(things, {field: {"$prefix": "\ud7ff"}}) == [VALUES.index("\ud7ff")]
    assert await ids(things, {field: {"$gt": "A", "$lt": "aa"}}) == [
        VALUES.index(value) for value in ("Z", "a", "a\x00")
    ]
    assert await things.count({field: {"$gt": 0}, "id": {"$lt": "008"}}) == 2


async def test_missing_is_null(documents: Documents) -> None:
    things = await documents.collection(SPEC)
    await things.insert_many([{"id": "missing"}, {"id": "null", "value": None, "plain": None}])
    for field in ("value", "plain"):
        assert await things.count({field: None}) == 2
        assert await things.count({field: {"$exists": True}}) == 0
        assert await things.count({field: {"$ne": 1}}) == 2
        assert await things.count({field: {"$in": [None, 5]}}) == 2
    assert [document["id"] for document in await things.find({}, order=[("value", -1)])] == ["null", "missing"]


@pytest.mark.parametrize("field", ["tags", "plain"])
async def test_lists_match_by_an_element(documents: Documents, field: str) -> None:
    things = await documents.collection(SPEC)
    await things.insert_many(
        [
            {"id": "a", field: ["x", "y", 3]},
            {"id": "b", field: ["y", True, b"x"]},
            {"id": "c", field: []},
            {"id": "d"},
            {"id": "e", field: None},
        ]
    )

    async def found(condition: Any) -> str:
        return "".join(document["id"] for document in await things.find({field: condition}))

    assert await found("y") == "ab"
    assert await found(True) == "b"
    assert await found(1) == ""
    assert await found(None) == "de"
    assert await found({"$ne": "x"}) == "bcde"
    assert await found({"$in": ["x", b"x", None]}) == "abde"
    assert await found({"$nin": ["x", True]}) == "cde"
    assert await found({"$nin": [None, 3]}) == "bc"
    assert await found({"$gt": 2}) == "a"
    assert await found({"$prefix": "x"}) == "a"
    assert await found({"$exists": True}) == "abc"
    # Each condition may be met by another element.
    assert await found({"$gt": "x", "$lt": "y"}) == "a"


@pytest.mark.parametrize("order", [[("value", 1)], [("value", -1)], [], [("id", -1)], [("group", -1), ("value", 1)]])
@pytest.mark.parametrize("size", [1, 7])
async def test_pages_have_everything_once(
    things: Collection, order: Sequence[tuple[str, Literal[1, -1]]], size: int
) -> None:
    await things.insert_many(
        [
            {"id": f"x{number}", "group": group, "value": value}
            for number, (group, value) in enumerate(
                (g, v) for g in (None, "g", 5, True) for v in (None, 1, "x", b"x", False)
            )
        ]
    )
    whole = await things.find({}, order=order)
    pages: list[dict[str, Any]] = []
    after = None
    while page := await things.find({}, order=order, limit=size, after=after):
        assert len(page) <= size
        pages += page
        after = page[-1]
    assert pages == whole
    assert len({document["id"] for document in pages}) == len(VALUES) + 20


async def test_pages_of_an_element(documents: Documents) -> None:
    things = await documents.collection(SPEC)
    times = [5, None, 3, 3, 9, "x", None, 1]
    await things.insert_many(
        [{"id": str(number), "tags": ["t", "u"], "value": time} for number, time in enumerate(times)]
        + [{"id": "other", "tags": ["u"], "value": 4}]
    )
    whole = await things.find({"tags": "t"}, order=[("value", -1)])
    assert [document["id"] for document in whole] == ["5", "4", "0", "3", "2", "7", "6", "1"]
    pages = [whole[0]]
    while page := await things.find({"tags": "t"}, order=[("value", -1)], limit=1, after=pages[-1]):
        pages += page
    assert pages == whole
    late = await things.find({"tags": "t", "value": {"$gte": 3}}, order=[("value", 1)], limit=2)
    assert [document["id"] for document in late] == ["2", "3"]


async def test_scan_reads_page_after_page(things: Collection) -> None:
    found = [document["id"] async for document in scan(things, {"value": {"$exists": True}}, page=4)]
    assert found == [f"{number:03}" for number in range(1, len(VALUES))]


async def test_distinct(documents: Documents) -> None:
    things = await documents.collection(SPEC)
    await things.insert_many(
        [
            {"id": str(number), "value": value, "tags": [value, "t"] if value is not None else None, "plain": number}
            for number, value in enumerate(["b", 2, None, "a", 2.0, True, b"x", 2**40])
        ]
    )
    assert await things.distinct("value", {}) == [2, 2**40, "a", "b", b"x", True]
    assert await things.distinct("value", {"plain": {"$lt": 3}}) == [2, "b"]
    assert await things.distinct("tags", {"tags": "t", "value": {"$prefix": ""}}) == ["a", "b", "t"]
    assert await things.distinct("tags", {"plain": 0}) == ["b", "t"]
    assert await things.distinct("id", {"value": 2}) == ["1", "4"]
    with pytest.raises(InvalidError):
        await things.distinct("plain", {})


async def test_find_one(things: Collection) -> None:
    assert (await things.find_one({"value": {"$prefix": ""}}, order=[("value", -1)]) or {})["value"] == "\U0010ffff"
    assert (await things.find_one({"plain": 1.5}) or {})["value"] == 1.5
    assert await things.find_one({"plain": "nowhere"}) is None


async def test_delete_many(things: Collection) -> None:
    await things.insert_many([{"id": f"more {number}", "plain": "more"} for number in range(1200)])
    assert await things.delete_many({"plain": "more"}) == 1200
    assert await things.delete_many({"value": {"$gte": 0}}) == 7
    assert await things.count({}) == len(VALUES) - 7


@pytest.mark.parametrize(
    "where",
    [
        {"value": {"$where": "sleep(1000)"}},
        {"value": {"$regex": ".*"}},
        {"value": {"$gt": ""  , "$expr": {}}},
        {"value": {}},
        {"value": {"x": 1}},
        {"value": ["x"]},
        {"value": {"$in": "abc"}},
        {"value": {"$in": [{"$gt": ""}]}},
        {"value": {"$in": [["x"]]}},
        {"value": {"$gt": None}},
        {"value": {"$gt": True}},
        {"value": {"$eq": {"$gt": ""}}},
        {"value": {"$exists": 1}},
        {"value": {"$prefix": b"x"}},
        {"value": {"$ne": {}}},
        {"value": object()},
        {"value": float("nan")},
        {"value": "\ud800"},
        {"\ud800": 1},
    ],
)  # fmt: skip
async def test_refuses_other_conditions(things: Collection, where: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        await things.find(where)
    with pytest.raises(InvalidError):
        await things.delete_many(where)
    with pytest.raises(InvalidError):
        await things.claim(where, {"x": 1})


async def test_names_of_operators_are_fields_at_the_top(things: Collection) -> None:
    assert await things.count({"$where": "1"}) == 0
    assert await things.count({"$or": "1", "$expr": 1}) == 0


@pytest.mark.parametrize("order", [[("plain", 1)], [("tags", 1)], [("version", 1)], [("value", 2)], [("$natural", 1)]])
async def test_refuses_orders_without_an_index(things: Collection, order: Any) -> None:
    with pytest.raises(InvalidError):
        await things.find({}, order=order)


@pytest.mark.parametrize("after", [{}, {"id": 5}, {"id": "x", "value": {"$gt": ""}}])
async def test_refuses_other_places_to_go_on(things: Collection, after: Any) -> None:
    with pytest.raises(InvalidError):
        await things.find({}, order=[("value", 1)], after=after)


async def test_a_limit_is_positive(things: Collection) -> None:
    with pytest.raises(InvalidError):
        await things.find({}, limit=0)
