"""One collection's documents, read and written on a given connection; what is written is inside a transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from typing import Any

import apsw
import msgspec

from mailstead.foundation.errors import InvalidError
from mailstead.stores.documents.document import has_ended
from mailstead.stores.documents.interface import Document, DuplicateError
from mailstead.stores.documents.sqlite.encoding import column_name, from_column
from mailstead.stores.documents.sqlite.query import Query, build_query
from mailstead.stores.documents.sqlite.schema import Layout, ListTable, list_rows
from mailstead.stores.documents.value import sort_key
from mailstead.stores.documents.where import Condition, matches

_ROWS_PER_STATEMENT = 64
_pack = msgspec.msgpack.Encoder().encode
_unpack: Callable[[bytes], Document] = msgspec.msgpack.Decoder().decode


class Table:
    """The rows of one collection as `layout` says; `ends` are its fields that end documents."""

    def __init__(self, layout: Layout, ends: Mapping[str, float], size_limit: int) -> None:
        self.layout = layout
        self._ends = ends
        self._size_limit = size_limit
        columns = [column_name(field) for field in layout.columns]
        self._row = f"({', '.join('?' * (3 + len(columns)))})"
        self._insert = f"INSERT INTO {layout.table} ({', '.join(['key', 'id', 'document', *columns])}) VALUES "
        self._get = f"SELECT document FROM {layout.table} WHERE id = ?"
        self._locate = f"SELECT key, document FROM {layout.table} WHERE id = ?"
        self._delete = f"DELETE FROM {layout.table} WHERE key = ?"
        self._next_key = f"SELECT ifnull(max(key), 0) + 1 FROM {layout.table}"

    # Reading

    def get(self, connection: apsw.Connection, identifier: str, now: float) -> Document | None:
        """The document of that id, unless it has ended."""
        row = connection.execute(self._get, (identifier,)).fetchone()
        if row is None:
            return None
        document = _unpack(row[0])
        return None if self._ends and has_ended(self._ends, document, now) else document

    def query(
        self,
        tests: Sequence[Condition],
        now: float | None,
        order: Sequence[tuple[str, int]] = (),
        after: Mapping[str, Any] | None = None,
    ) -> Query:
        """The SQL of `tests`; ended documents count as there when `now` is None."""
        live = {} if now is None else {field: now - seconds for field, seconds in self._ends.items()}
        return build_query(self.layout, tests, live, order, after)

    def select(
        self, connection: apsw.Connection, query: Query, limit: int | None = None
    ) -> Iterator[tuple[int, Document]]:
        """Keys and documents that match, in order."""
        statement = f"SELECT d.key, d.document FROM {query.source} WHERE {query.test}"
        if query.order:
            statement += f" ORDER BY {query.order}"
        values = query.values
        if limit is not None and not query.residual:
            statement += " LIMIT ?"
            values = (*values, limit)
        rows: Iterable[tuple[int, bytes]] = connection.execute(statement, values)
        found = ((key, _unpack(packed)) for key, packed in rows)
        if not query.residual:
            return found
        return islice(((key, document) for key, document in found if matches(document, query.residual)), limit)

    def count(self, connection: apsw.Connection, query: Query) -> int:
        """How many documents match."""
        if query.residual:
            return sum(1 for _ in self.select(connection, query))
        statement = f"SELECT count(*) FROM {query.source} WHERE {query.test}"
        return int(connection.execute(statement, query.values).get)

    def distinct(self, connection: apsw.Connection, field: str, query: Query) -> list[Any]:
        """The values of `field` in documents that match, sorted."""
        table = next((table for table in self.layout.lists if table.field == field), None)
        if query.residual:
            documents = [document for _, document in self.select(connection, query)]
            held = [document.get(field) for document in documents]
            values = [item for value in held for item in (value if isinstance(value, list) else [value])]
            by_key = {sort_key(value): value for value in values}
            return [by_key[key] for key in sorted(by_key) if by_key[key] is not None]
        if table is None:
            column, source = f"d.{column_name(field)}", query.source
        else:
            column, source = "l.value", f"{query.source} JOIN {table.name} l ON l.key = d.key"
        statement = f"SELECT DISTINCT {column} FROM {source} WHERE {query.test} ORDER BY 1"
        found = [from_column(row[0]) for row in connection.execute(statement, query.values)]
        return [value for value in found if value is not None]

    # Writing

    def insert(self, connection: apsw.Connection, document: Document, now: float) -> None:
        """Add `document`, or change nothing and raise DuplicateError or InvalidError."""
        values = (None, document["id"], self._packed(document), *self.layout.column_values(document))
        while True:
            try:
                with self._whole(connection):
                    connection.execute(self._insert + self._row, values)
                    self._write_list_rows(connection, [(connection.last_insert_rowid(), document)])
            except apsw.ConstraintError:
                if not self._make_room(connection, document, None, now):
                    raise
            else:
                return

    def insert_many(self, connection: apsw.Connection, documents: Sequence[Document], now: float) -> None:
        """Add all `documents`, or change nothing and raise DuplicateError or InvalidError."""
        try:
            with connection:
                for start in range(0, len(documents), _ROWS_PER_STATEMENT):
                    self._insert_chunk(connection, documents[start : start + _ROWS_PER_STATEMENT])
        except apsw.ConstraintError:
            # One by one, to name the index, or to put an ended document out of the way.
            with connection:
                for document in documents:
                    self.insert(connection, document, now)

    def _insert_chunk(self, connection: apsw.Connection, chunk: Sequence[Document]) -> None:
        # Many rows to a statement: each statement gives the interpreter's lock away and waits to have it back.
        first = int(connection.execute(self._next_key).get)
        values: list[Any] = []
        for key, document in enumerate(chunk, first):
            values += (key, document["id"], self._packed(document), *self.layout.column_values(document))
        connection.execute(self._insert + ", ".join([self._row] * len(chunk)), values)
        self._write_list_rows(connection, list(enumerate(chunk, first)))

    def locate(self, connection: apsw.Connection, identifier: str, now: float) -> tuple[int, Document] | None:
        """The key and the document of that id, unless it has ended."""
        row = connection.execute(self._locate, (identifier,)).fetchone()
        if row is None:
            return None
        document = _unpack(row[1])
        return None if has_ended(self._ends, document, now) else (row[0], document)

    def replace(self, connection: apsw.Connection, key: int, old: Document, new: Document, now: float) -> None:
        """Put `new` in the place of `old`, or change nothing and raise DuplicateError or InvalidError."""
        assignments, values = ["document = ?"], [self._packed(new)]
        befores, afters = self.layout.column_values(old), self.layout.column_values(new)
        for field, before, after in zip(self.layout.columns, befores, afters, strict=True):
            if before != after or type(before) is not type(after):
                assignments.append(f"{column_name(field)} = ?")
                values.append(after)
        statement = f"UPDATE {self.layout.table} SET {', '.join(assignments)} WHERE key = ?"
        touched = [table for table in self.layout.lists if list_rows(table, old) != list_rows(table, new)]
        while True:
            try:
                with self._whole(connection):
                    connection.execute(statement, (*values, key))
                    self._delete_list_rows(connection, touched, key, old)
                    self._write_list_rows(connection, [(key, new)], touched)
            except apsw.ConstraintError:
                if not self._make_room(connection, new, key, now):
                    raise
            else:
                return

    def remove(self, connection: apsw.Connection, key: int, document: Document) -> None:
        """Delete one document."""
        self._delete_list_rows(connection, self.layout.lists, key, document)
        connection.execute(self._delete, (key,))

    def _whole(self, connection: apsw.Connection) -> AbstractContextManager[Any]:
        """All or nothing (a savepoint); one statement alone is so by itself."""
        return connection if self.layout.lists else nullcontext()

    def _packed(self, document: Document) -> bytes:
        packed = _pack(document)
        if len(packed) > self._size_limit:
            raise InvalidError(detail=f"{self.layout.name}: document of {len(packed)} bytes")
        return packed

    def _write_list_rows(
        self,
        connection: apsw.Connection,
        entries: Sequence[tuple[int, Document]],
        tables: Sequence[ListTable] | None = None,
    ) -> None:
        for table in self.layout.lists if tables is None else tables:
            rows = [(*row, key) for key, document in entries for row in list_rows(table, document)]
            mark = f"({', '.join('?' * (2 + len(table.following)))})"
            for start in range(0, len(rows), _ROWS_PER_STATEMENT):
                chunk = rows[start : start + _ROWS_PER_STATEMENT]
                statement = f"INSERT INTO {table.name} VALUES {', '.join([mark] * len(chunk))}"
                connection.execute(statement, [value for row in chunk for value in row])

    def _delete_list_rows(
        self, connection: apsw.Connection, tables: Sequence[ListTable], key: int, document: Document
    ) -> None:
        for table in tables:
            tests = " AND ".join(f"{column} = ?" for column in table.columns)
            statement = f"DELETE FROM {table.name} WHERE {tests} AND key = ?"
            for row in list_rows(table, document):
                connection.execute(statement, (*row, key))

    def _make_room(self, connection: apsw.Connection, document: Document, own: int | None, now: float) -> bool:
        """Delete an ended document whose place `document` (of the key `own`, when it has one) takes.

        Raises DuplicateError when the holder has not ended; False when no index explains the conflict.
        """
        for fields, query in self._conflicts(document):
            for key, holder in self.select(connection, query, 2):
                if key == own:
                    continue
                if not has_ended(self._ends, holder, now):
                    raise DuplicateError(self.layout.name, fields)
                self.remove(connection, key, holder)
                return True
        return False

    def _conflicts(self, document: Document) -> Iterator[tuple[tuple[str, ...], Query]]:
        """The unique indexes that compare `document`, each with what finds those equal to it."""
        for fields in (("id",), *self.layout.uniques):
            if all(document.get(field) is not None for field in fields):
                yield fields, self.query([Condition(field, "$eq", document[field]) for field in fields], None)
        for table in self.layout.lists:
            if not table.unique or any(document.get(field) is None for field in table.following):
                continue
            following = [Condition(field, "$eq", document[field]) for field in table.following]
            for element in document.get(table.field) or ():
                tests = [Condition(table.field, "$eq", element), *following]
                yield (table.field, *table.following), self.query(tests, None)
