"""Each engine beside a dict: any sequence of calls has the same outcome."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.foundation.errors import NotFoundError
from mailstead.stores.documents.interface import (
    CollectionSpec,
    ConflictError,
    Documents,
    DuplicateError,
    Index,
)
from mailstead.stores.documents.open import open_documents

T = TypeVar("T")
Document = dict[str, Any]
INDEXES = (
    Index(("n",)),
    Index(("s", "n")),
    Index(("code",), unique=True),
    Index(("s", "code"), unique=True),
    Index(("tags", "n"), many=True),
    Index(("keys",), many=True, unique=True),
    Index(("ends",), expire_after=10.0),
)

IDENTIFIERS = st.sampled_from(["a", "b", "c", "d", "é"])
SCALARS = st.sampled_from([None, 0, 1, 1.5, -3, "", "a", "ab", "b", b"", b"a", True, False])
LISTS = st.none() | st.lists(st.sampled_from([0, 1, "a", "b", b"a", True]), max_size=3)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "n": SCALARS,
    "s": SCALARS,
    "code": SCALARS,
    "tags": LISTS,
    "keys": st.none() | st.lists(st.integers(0, 9), max_size=2),
    "plain": SCALARS | LISTS,
    "odd.$name": SCALARS,
    "ends": st.none() | st.integers(0, 40),
}
CHANGES = st.fixed_dictionaries({}, optional=FIELDS)
BOUNDS = st.sampled_from([0, 1, 1.5, "", "a", b"", b"a"])
CONDITIONS = (
    SCALARS
    | st.fixed_dictionaries({}, optional={"$gt": BOUNDS, "$lte": BOUNDS, "$ne": SCALARS}).filter(bool)
    | st.fixed_dictionaries({}, optional={"$gte": BOUNDS, "$lt": BOUNDS, "$exists": st.booleans()}).filter(bool)
    | st.fixed_dictionaries({"$in": st.lists(SCALARS, max_size=3)})
    | st.fixed_dictionaries({"$nin": st.lists(SCALARS, max_size=3)})
    | st.fixed_dictionaries({"$prefix": st.sampled_from(["", "a"])})
)
WHERES = st.dictionaries(st.sampled_from([*FIELDS, "id"]), CONDITIONS, max_size=2)
DIRECTIONS = st.sampled_from([1, -1])
ORDERS = st.lists(
    st.tuples(st.sampled_from(["n", "s", "code", "id"]), DIRECTIONS), max_size=2, unique_by=lambda o: o[0]
)


def place(value: Any) -> tuple[int, Any]:
    """Where a value stands in the order of values."""
    match value:
        case None:
            return 0, 0
        case bool():
            return 4, value
        case int() | float():
            return 1, value
        case str():
            return 2, value
        case _:
            return 3, (len(value), value)


def meets(value: Any, operator: str, operand: Any) -> bool:
    """Whether a field's value meets one operator, said as plainly as can be."""
    elements = [place(element) for element in (value if isinstance(value, list) else [value])]
    if operator == "$ne":
        return place(operand) not in elements
    if operator == "$exists":
        return (place(None) not in elements) is operand
    if operator == "$nin":
        return not any(place(choice) in elements for choice in operand)
    if operator == "$in":
        return any(place(choice) in elements for choice in operand)
    if operator == "$prefix":
        return any(kind == 2 and text.startswith(operand) for kind, text in elements)
    kind, bound = place(operand)
    same = [content for element_kind, content in elements if element_kind == kind]
    compare: dict[str, Callable[[Any], bool]] = {
        "$eq": lambda content: bool(content == bound),
        "$lt": lambda content: bool(content < bound),
        "$lte": lambda content: bool(content <= bound),
        "$gt": lambda content: bool(content > bound),
        "$gte": lambda content: bool(content >= bound),
    }
    return any(compare[operator](content) for content in same)


class Model:
    """Documents in a dict."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.held: dict[str, Document] = {}

    def living(self) -> list[Document]:
        now = self.clock.now()
        return [held for held in self.held.values() if held.get("ends") is None or held["ends"] + 10 > now]

    def get(self, identifier: str) -> Document | None:
        return next((held for held in self.living() if held["id"] == identifier), None)

    def find(self, where: Document, order: list[tuple[str, int]]) -> list[Document]:
        found = []
        for held in self.living():
            tests = [
                (held.get(field), operator, operand)
                for field, condition in where.items()
                for operator, operand in (condition if isinstance(condition, dict) else {"$eq": condition}).items()
            ]
            if all(meets(*test) for test in tests):
                found.append(held)
        last = order[-1][1] if order else 1
        for field, direction in reversed([*order, ("id", last)]):
            found.sort(key=lambda held: place(held.get(field)), reverse=direction < 0)
        return found

    def conflict(self, document: Document) -> bool:
        for other in self.living():
            if other["id"] == document["id"]:
                continue
            for fields in (("code",), ("s", "code")):
                values = [place(document.get(field)) for field in fields]
                if (0, 0) not in values and values == [place(other.get(field)) for field in fields]:
                    return True
            if set(document.get("keys") or ()) & set(other.get("keys") or ()):
                return True
        return False

    def put(self, document: Document) -> bool:
        if self.conflict(document):
            return False
        # What has ended makes room.
        self.held = {held["id"]: held for held in self.living()}
        self.held[document["id"]] = document
        return True


class Store:
    """An opened store on a loop of its own, for calls from a synchronous machine."""

    def __init__(self, runner: asyncio.Runner, documents: Documents, clock: ManualClock) -> None:
        self._runner = runner
        self.documents = documents
        self.clock = clock
        self.numbers = count()

    def __call__(self, call: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(call)


class Comparison(RuleBasedStateMachine):
    """The rules; `store` is set by the test."""

    store: Store

    @initialize()
    def begin(self) -> None:
        self.clock = self.store.clock
        self.clock.advance(-self.clock.now())
        self.model = Model(self.clock)
        spec = CollectionSpec(f"model_{next(self.store.numbers)}", INDEXES)
        self.things = self.store(self.store.documents.collection(spec))
        for number, (identifier, scalar) in enumerate(zip("abcdé", (1.5, "a", b"a", True, None), strict=True)):
            document = {"id": identifier, "n": scalar, "plain": scalar, "s": "a", "tags": ["b", scalar or 0]}
            self.insert(identifier, document | {"code": number})

    @rule(identifier=IDENTIFIERS, fields=CHANGES)
    def insert(self, identifier: str, fields: Document) -> None:
        document = {"id": identifier, **fields}
        expected = self.model.get(identifier) is None and self.model.put(document | {"version": 1})
        try:
            self.store(self.things.insert(document))
            assert expected
        except DuplicateError:
            assert not expected

    @rule(documents=st.dictionaries(IDENTIFIERS, CHANGES, max_size=3))
    def insert_many(self, documents: dict[str, Document]) -> None:
        before = dict(self.model.held)
        expected = True
        for identifier, fields in documents.items():
            document = {"id": identifier, **fields, "version": 1}
            expected = expected and self.model.get(identifier) is None and self.model.put(document)
        if not expected:
            self.model.held = before
        try:
            self.store(self.things.insert_many([{"id": name, **fields} for name, fields in documents.items()]))
            assert expected
        except DuplicateError:
            assert not expected

    @rule(
        identifier=IDENTIFIERS,
        changes=CHANGES,
        version=st.none() | st.integers(1, 3),
        unset=st.sets(st.sampled_from(sorted(FIELDS)), max_size=2),
    )
    def update(self, identifier: str, changes: Document, version: int | None, unset: set[str]) -> None:
        unset = unset - changes.keys()
        held = self.model.get(identifier)
        expected: Document | type[Exception]
        if held is None:
            expected = NotFoundError
        elif version is not None and held["version"] != version:
            expected = ConflictError
        else:
            expected = {field: value for field, value in held.items() if field not in unset} | changes
            expected["version"] += 1
            if not self.model.put(expected):
                expected = DuplicateError
        self.compare(self.things.update(identifier, changes, version=version, unset=sorted(unset)), expected)

    @rule(where=WHERES, changes=CHANGES, order=ORDERS)
    def claim(self, where: Document, changes: Document, order: list[tuple[str, Literal[1, -1]]]) -> None:
        complete: list[tuple[str, Literal[1, -1]]] = order or [("id", 1)]
        found = self.model.find(where, list(complete))
        expected: Document | type[Exception] | None = None
        if found:
            expected = found[0] | changes
            expected["version"] += 1
            if not self.model.put(expected):
                expected = DuplicateError
        self.compare(self.things.claim(where, changes, order=complete), expected)

    @rule(identifier=IDENTIFIERS, version=st.none() | st.integers(1, 2))
    def delete(self, identifier: str, version: int | None) -> None:
        held = self.model.get(identifier)
        expected: bool | type[Exception] = held is not None
        if held is not None and version is not None and held["version"] != version:
            expected = ConflictError
        elif held is not None:
            del self.model.held[identifier]
        self.compare(self.things.delete(identifier, version=version), expected)

    @rule(where=WHERES)
    def delete_many(self, where: Document) -> None:
        found = self.model.find(where, [])
        for held in found:
            del self.model.held[held["id"]]
        assert self.store(self.things.delete_many(where)) == len(found)

    @rule(wheres=st.lists(WHERES, min_size=1, max_size=5), order=ORDERS, limit=st.none() | st.integers(1, 3))
    def find(self, wheres: list[Document], order: list[tuple[str, Literal[1, -1]]], limit: int | None) -> None:
        for where in wheres:
            whole = self.model.find(where, list(order))
            found = self.store(self.things.find(where, order=order, limit=limit))
            assert found == whole[:limit]
            if found:
                rest = self.store(self.things.find(where, order=order, after=found[-1]))
                assert found + rest == whole
            assert self.store(self.things.count(where)) == len(whole)

    @rule(where=WHERES, field=st.sampled_from(["n", "tags", "keys", "code"]))
    def distinct(self, where: Document, field: str) -> None:
        held = [document.get(field) for document in self.model.find(where, [])]
        elements = [element for value in held for element in (value if isinstance(value, list) else [value])]
        expected = sorted({place(element) for element in elements} - {(0, 0)})
        assert [place(value) for value in self.store(self.things.distinct(field, where))] == expected

    @rule(seconds=st.integers(1, 12))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule()
    def expire(self) -> None:
        self.model.held = {held["id"]: held for held in self.model.living()}
        self.store(self.store.documents.expire())

    @invariant()
    def same_documents(self) -> None:
        assert self.store(self.things.find({})) == self.model.find({}, [])

    def compare(self, call: Coroutine[Any, Any, Any], expected: Any) -> None:
        if isinstance(expected, type):
            with pytest.raises(expected):
                self.store(call)
        else:
            assert self.store(call) == expected

    def teardown(self) -> None:
        self.store(self.things.delete_many({}))


@pytest.fixture
def store(documents_url: str, tmp_path: Path) -> Iterator[Store]:
    clock = ManualClock(0.0)
    with asyncio.Runner() as runner:
        documents = open_documents(documents_url, tmp_path, DocumentsSettings(expire_interval=0), clock)
        runner.run(documents.open())
        yield Store(runner, documents, clock)
        runner.run(documents.close())


def test_engine_and_dict_agree(store: Store) -> None:
    machine = type("Machine", (Comparison,), {"store": store})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
