"""The contract's collection over one of MongoDB's."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.mongo_client import AsyncMongoClient

from mailstead.foundation.clock import Clock
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.stores.documents.document import checked_changes, checked_document, has_ended, lifetimes
from mailstead.stores.documents.interface import (
    CollectionSpec,
    ConflictError,
    Document,
    DuplicateError,
    Order,
    Where,
)
from mailstead.stores.documents.mongodb.errors import database_errors
from mailstead.stores.documents.mongodb.filter import Filter, build_filter
from mailstead.stores.documents.mongodb.names import from_stored, to_field, to_stored
from mailstead.stores.documents.value import checked_identifier, sort_key
from mailstead.stores.documents.where import (
    Condition,
    checked_after,
    complete_order,
    conditions,
    many_fields,
    ordered_fields,
)

Stored = dict[str, Any]
T = TypeVar("T")
_pack = msgspec.msgpack.Encoder().encode


class MongoCollection:
    """Every method is one command to the server, `insert_many` a transaction."""

    def __init__(
        self,
        spec: CollectionSpec,
        client: AsyncMongoClient[Stored],
        collection: AsyncCollection[Stored],
        size_limit: int,
        clock: Clock,
    ) -> None:
        self._spec = spec
        self._client = client
        self._collection = collection
        self._size_limit = size_limit
        self._clock = clock
        self._ends = lifetimes(spec)

    async def insert(self, document: Mapping[str, Any]) -> None:
        """Add one document."""
        stored = self._checked(document)

        async def write() -> None:
            with database_errors(self._spec):
                await self._collection.insert_one(stored)

        await self._making_room(write)

    async def insert_many(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Add all documents or none."""
        stored = [self._checked(document) for document in documents]

        async def write(session: AsyncClientSession) -> None:
            await self._collection.insert_many(stored, session=session)

        async def write_all() -> None:
            with database_errors(self._spec):
                async with self._client.start_session() as session:
                    await session.with_transaction(write)

        if stored:
            await self._making_room(write_all)

    async def get(self, identifier: str) -> Document | None:
        """The document of that id."""
        checked_identifier(identifier)
        with database_errors():
            stored = await self._collection.find_one({"_id": {"$eq": identifier}})
        document = None if stored is None else from_stored(stored)
        return None if document is None or has_ended(self._ends, document, self._clock.now()) else document

    async def find(
        self, where: Where, *, order: Order = (), limit: int | None = None, after: Mapping[str, Any] | None = None
    ) -> list[Document]:
        """Matching documents in order."""
        if limit is not None and limit < 1:
            raise InvalidError(detail="a limit is at least 1")
        complete = complete_order(self._spec, order)
        tests = build_filter(self._spec, conditions(where), self._live(), complete, checked_after(after, complete))
        with database_errors():
            cursor = self._collection.find(tests, sort=_sort(complete), limit=limit or 0)
            return [from_stored(stored) for stored in await cursor.to_list(None)]

    async def find_one(self, where: Where, *, order: Order = ()) -> Document | None:
        """The first matching document."""
        complete = complete_order(self._spec, order) if order else []
        with database_errors():
            stored = await self._collection.find_one(self._filter(where), sort=_sort(complete))
        return None if stored is None else from_stored(stored)

    async def count(self, where: Where) -> int:
        """How many documents match."""
        with database_errors():
            return await self._collection.count_documents(self._filter(where))

    async def distinct(self, field: str, where: Where) -> list[Any]:
        """The values of an indexed field."""
        if field not in ordered_fields(self._spec) | many_fields(self._spec):
            raise InvalidError(detail=f"{self._spec.name}: {field!r} is not indexed")
        with database_errors():
            held = await self._collection.distinct(to_field(field), self._filter(where))
        values = [int(value) if type(value) not in (bool, int) and isinstance(value, int) else value for value in held]
        return sorted((value for value in values if value is not None), key=sort_key)

    async def update(
        self, identifier: str, changes: Mapping[str, Any], *, version: int | None = None, unset: Sequence[str] = ()
    ) -> Document:
        """Set and remove fields of one document."""
        checked_identifier(identifier)
        change = self._change(changes, unset)
        tests: Filter = {"_id": {"$eq": identifier}}
        if version is not None:
            tests["version"] = {"$eq": version}
        document = await self._find_and_change(self._alive(tests), change, [])
        if document is None:
            if await self.get(identifier) is None:
                raise NotFoundError(detail=f"{self._spec.name}: {identifier}")
            raise ConflictError(detail=f"{self._spec.name}: {identifier}")
        return document

    async def claim(
        self, where: Where, changes: Mapping[str, Any], *, order: Order = (), unset: Sequence[str] = ()
    ) -> Document | None:
        """Find one document and update it in one command."""
        complete = complete_order(self._spec, order) if order else []
        return await self._find_and_change(self._filter(where), self._change(changes, unset), complete)

    async def delete(self, identifier: str, *, version: int | None = None) -> bool:
        """Remove one document."""
        checked_identifier(identifier)
        tests: Filter = {"_id": {"$eq": identifier}}
        if version is not None:
            tests["version"] = {"$eq": version}
        with database_errors():
            result = await self._collection.delete_one(self._alive(tests))
        if result.deleted_count == 0 and version is not None and await self.get(identifier) is not None:
            raise ConflictError(detail=f"{self._spec.name}: {identifier}")
        return result.deleted_count == 1

    async def delete_many(self, where: Where) -> int:
        """Remove matching documents."""
        with database_errors():
            return (await self._collection.delete_many(self._filter(where))).deleted_count

    async def expire(self) -> int:
        """Remove the documents that have ended."""
        removed = 0
        for field, past in self._live().items():
            with database_errors():
                tests = build_filter(self._spec, [Condition(field, "$lte", past)], {})
                removed += (await self._collection.delete_many(tests)).deleted_count
        return removed

    def _checked(self, document: Mapping[str, Any]) -> Stored:
        checked = checked_document(self._spec, document)
        self._check_size(checked)
        return to_stored(checked)

    def _check_size(self, part: Document) -> None:
        size = len(_pack(part))
        if size > self._size_limit:
            raise InvalidError(detail=f"{self._spec.name}: document of {size} bytes")

    def _change(self, changes: Mapping[str, Any], unset: Sequence[str]) -> Filter:
        checked = checked_changes(self._spec, changes, unset)
        self._check_size(checked)
        change: Filter = {"$inc": {"version": 1}}
        if checked:
            change["$set"] = to_stored(checked)
        if unset:
            change["$unset"] = {to_field(name): "" for name in unset}
        return change

    async def _find_and_change(
        self, tests: Filter, change: Filter, order: Sequence[tuple[str, int]]
    ) -> Document | None:
        async def write() -> Stored | None:
            with database_errors(self._spec):
                return await self._collection.find_one_and_update(
                    tests, change, sort=_sort(order), return_document=ReturnDocument.AFTER
                )

        stored = await self._making_room(write)
        return None if stored is None else from_stored(stored)

    async def _making_room(self, write: Callable[[], Awaitable[T]]) -> T:
        """The result of `write`, tried again when ended documents may have been in its way."""
        try:
            return await write()
        except DuplicateError:
            if not self._ends or not await self.expire():
                raise
        return await write()

    def _live(self) -> dict[str, float]:
        now = self._clock.now()
        return {field: now - seconds for field, seconds in self._ends.items()}

    def _alive(self, tests: Filter) -> Filter:
        live = build_filter(self._spec, (), self._live())
        return {"$and": [tests, live]} if live else tests

    def _filter(self, where: Where) -> Filter:
        return build_filter(self._spec, conditions(where), self._live())


def _sort(order: Sequence[tuple[str, int]]) -> list[tuple[str, int]] | None:
    return [(to_field(field), direction) for field, direction in order] or None
