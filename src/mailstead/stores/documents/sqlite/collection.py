"""The contract's collection over a SQLite table."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import apsw

from mailstead.foundation.clock import Clock
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.stores.documents.document import checked_changes, checked_document
from mailstead.stores.documents.interface import CollectionSpec, ConflictError, Document, Order, Where
from mailstead.stores.documents.sqlite.readers import Readers
from mailstead.stores.documents.sqlite.table import Table
from mailstead.stores.documents.sqlite.writer import Writer
from mailstead.stores.documents.value import checked_identifier
from mailstead.stores.documents.where import (
    Condition,
    checked_after,
    complete_order,
    conditions,
    many_fields,
    ordered_fields,
)

_SHORT_RESULT = 200
_SHORT_INSERT = 32
_REMOVED_AT_ONCE = 500


class SqliteCollection:
    """Checks what it is given on the caller's side, so that a batch holds only writes that make sense."""

    def __init__(
        self, spec: CollectionSpec, table: Callable[[], Table], readers: Readers, writer: Writer, clock: Clock
    ) -> None:
        self._spec = spec
        self._table = table
        self._readers = readers
        self._writer = writer
        self._clock = clock

    async def insert(self, document: Mapping[str, Any]) -> None:
        """Add one document."""
        checked = checked_document(self._spec, document)
        await self._writer.run(lambda connection: self._table().insert(connection, checked, self._clock.now()))

    async def insert_many(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Add all documents or none."""
        checked = [checked_document(self._spec, document) for document in documents]
        if checked:
            await self._writer.run(
                lambda connection: self._table().insert_many(connection, checked, self._clock.now()),
                heavy=len(checked) > _SHORT_INSERT,
            )

    async def get(self, identifier: str) -> Document | None:
        """The document of that id."""
        checked_identifier(identifier)
        now = self._clock.now()
        return await self._readers.run(lambda connection: self._table().get(connection, identifier, now), short=True)

    async def find(
        self, where: Where, *, order: Order = (), limit: int | None = None, after: Mapping[str, Any] | None = None
    ) -> list[Document]:
        """Matching documents in order."""
        if limit is not None and limit < 1:
            raise InvalidError(detail="a limit is at least 1")
        table = self._table()
        complete = complete_order(self._spec, order)
        query = table.query(conditions(where), self._clock.now(), complete, checked_after(after, complete))
        return await self._readers.run(
            lambda connection: [document for _, document in table.select(connection, query, limit)],
            short=limit is not None and limit <= _SHORT_RESULT,
        )

    async def find_one(self, where: Where, *, order: Order = ()) -> Document | None:
        """The first matching document."""
        table = self._table()
        complete = complete_order(self._spec, order) if order else []
        query = table.query(conditions(where), self._clock.now(), complete)
        found = await self._readers.run(lambda connection: list(table.select(connection, query, 1)), short=True)
        return found[0][1] if found else None

    async def count(self, where: Where) -> int:
        """How many documents match."""
        table = self._table()
        query = table.query(conditions(where), self._clock.now())
        return await self._readers.run(lambda connection: table.count(connection, query), short=True)

    async def distinct(self, field: str, where: Where) -> list[Any]:
        """The values of an indexed field."""
        if field not in ordered_fields(self._spec) | many_fields(self._spec):
            raise InvalidError(detail=f"{self._spec.name}: {field!r} is not indexed")
        table = self._table()
        query = table.query(conditions(where), self._clock.now())
        return await self._readers.run(lambda connection: table.distinct(connection, field, query), short=True)

    async def update(
        self, identifier: str, changes: Mapping[str, Any], *, version: int | None = None, unset: Sequence[str] = ()
    ) -> Document:
        """Set and remove fields of one document."""
        checked_identifier(identifier)
        checked = checked_changes(self._spec, changes, unset)

        def write(connection: apsw.Connection) -> Document:
            table, now = self._table(), self._clock.now()
            found = table.locate(connection, identifier, now)
            if found is None:
                raise NotFoundError(detail=f"{self._spec.name}: {identifier}")
            key, old = found
            self._check_version(old, version)
            new = _changed(old, checked, unset)
            table.replace(connection, key, old, new, now)
            return new

        return await self._writer.run(write)

    async def claim(
        self, where: Where, changes: Mapping[str, Any], *, order: Order = (), unset: Sequence[str] = ()
    ) -> Document | None:
        """Find one document and update it in the same transaction."""
        tests = conditions(where)
        complete = complete_order(self._spec, order) if order else []
        checked = checked_changes(self._spec, changes, unset)
        alone = False  # the second time, when the search was too long for the loop, it runs in the thread

        def write(connection: apsw.Connection) -> Document | None:
            nonlocal alone
            table, now = self._table(), self._clock.now()

            def search() -> list[tuple[int, Document]]:
                return list(table.select(connection, table.query(tests, now, complete), 1))

            if alone:
                found = search()
            else:
                alone = True
                found = self._writer.short_search(search)
            if not found:
                return None
            key, old = found[0]
            new = _changed(old, checked, unset)
            table.replace(connection, key, old, new, now)
            return new

        return await self._writer.run(write)

    async def delete(self, identifier: str, *, version: int | None = None) -> bool:
        """Remove one document."""
        checked_identifier(identifier)

        def write(connection: apsw.Connection) -> bool:
            table = self._table()
            found = table.locate(connection, identifier, self._clock.now())
            if found is None:
                return False
            self._check_version(found[1], version)
            table.remove(connection, *found)
            return True

        return await self._writer.run(write)

    async def delete_many(self, where: Where) -> int:
        """Remove matching documents in transactions of a few hundred."""
        return await self._remove(conditions(where), self._clock.now())

    async def expire(self, ends: Mapping[str, float]) -> int:
        """Remove the documents that have ended by one of the fields of `ends`."""
        now = self._clock.now()
        removed = 0
        for field, seconds in ends.items():
            removed += await self._remove((Condition(field, "$lte", now - seconds),), None)
        return removed

    async def _remove(self, tests: tuple[Condition, ...], now: float | None) -> int:
        def write(connection: apsw.Connection) -> int:
            table = self._table()
            found = list(table.select(connection, table.query(tests, now), _REMOVED_AT_ONCE))
            for key, document in found:
                table.remove(connection, key, document)
            return len(found)

        removed = 0
        while True:
            count = await self._writer.run(write, heavy=True)
            removed += count
            if count < _REMOVED_AT_ONCE:
                return removed

    def _check_version(self, document: Document, version: int | None) -> None:
        if version is not None and document["version"] != version:
            raise ConflictError(detail=f"{self._spec.name}: {document['id']}")


def _changed(old: Document, changes: Document, unset: Sequence[str]) -> Document:
    new = {field: value for field, value in old.items() if field not in unset} | changes
    new["version"] = old["version"] + 1
    return new
