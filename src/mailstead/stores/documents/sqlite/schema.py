"""The file's schema: numbered migrations forward only, and a catalog of which fields are indexed.

Columns and indexes of a collection are the union of what every version of the program asked for: a process that knows
fewer still keeps all of them when it writes.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import apsw
import msgspec

from mailstead.stores.documents.interface import CollectionSpec, DuplicateError, Index, StoreUnavailableError
from mailstead.stores.documents.sqlite.connection import transaction
from mailstead.stores.documents.sqlite.encoding import column_name, to_column, to_list_column

_TABLE = "documents_"
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE catalog (
        number INTEGER PRIMARY KEY, collection TEXT NOT NULL, fields TEXT NOT NULL, is_unique INTEGER NOT NULL,
        is_many INTEGER NOT NULL, UNIQUE (collection, fields, is_unique, is_many)
    ) STRICT;
    """,
)


class ListTable(NamedTuple):
    """A table with one row for each element of a list: value, the `following` fields, the document's key."""

    name: str
    field: str
    following: tuple[str, ...]
    unique: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns but the key."""
        return ("value", *(f"f_{field}" for field in self.following))


class Layout(NamedTuple):
    """Where a collection's documents are and what is kept beside them."""

    name: str
    table: str
    columns: tuple[str, ...]  # fields with a column in the table, the id excepted
    uniques: tuple[tuple[str, ...], ...]
    lists: tuple[ListTable, ...]

    def column_values(self, document: dict[str, Any]) -> list[Any]:
        """What stands in `columns` for `document`."""
        return [to_column(document.get(field)) for field in self.columns]


def list_rows(table: ListTable, document: dict[str, Any]) -> set[tuple[Any, ...]]:
    """The rows of `document` in `table` without its key: one for each distinct element, one null when there is none."""
    elements = document.get(table.field)
    values = {to_list_column(element) for element in ([None] if elements is None else elements)}
    following = tuple(to_list_column(document.get(field)) for field in table.following)
    return {(value, *following) for value in values}


def migrate(connection: apsw.Connection) -> None:
    """Bring the file to this program's schema in one transaction.

    Raises StoreUnavailableError when a newer program wrote it.
    """
    if _schema_number(connection) == len(MIGRATIONS):
        return
    with transaction(connection):
        number = _schema_number(connection)
        if number > len(MIGRATIONS):
            raise StoreUnavailableError(detail=f"the documents have schema {number}, newer than {len(MIGRATIONS)}")
        for statements in MIGRATIONS[number:]:
            connection.execute(statements)
        connection.execute(f"PRAGMA user_version={len(MIGRATIONS)}")


def _schema_number(connection: apsw.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").get)


def load_layout(connection: apsw.Connection, collection: str) -> Layout:
    """The layout that the catalog says."""
    columns: dict[str, None] = {}
    uniques: list[tuple[str, ...]] = []
    lists: list[ListTable] = []
    for number, names, unique, many in connection.execute(
        "SELECT number, fields, is_unique, is_many FROM catalog WHERE collection = ? ORDER BY number", (collection,)
    ):
        fields = tuple(names.split(","))
        columns |= dict.fromkeys(field for field in (fields[1:] if many else fields) if field != "id")
        if many:
            lists.append(ListTable(f"list_{number}", fields[0], fields[1:], bool(unique)))
        elif unique:
            uniques.append(fields)
    return Layout(collection, f"documents_{collection}", tuple(columns), tuple(uniques), tuple(lists))


def missing_indexes(connection: apsw.Connection, spec: CollectionSpec) -> list[Index]:
    """The indexes of `spec` that the catalog does not have."""
    known = set(connection.execute("SELECT fields, is_unique, is_many FROM catalog WHERE collection = ?", (spec.name,)))
    return [index for index in spec.indexes if _catalog_row(index) not in known]


def has_table(connection: apsw.Connection, collection: str) -> bool:
    """Whether the collection was made."""
    found = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (f"documents_{collection}",)).fetchone()
    return found is not None


def _catalog_row(index: Index) -> tuple[str, int, int]:
    return ",".join(index.fields), int(index.unique), int(index.many)


def make_collection(connection: apsw.Connection, spec: CollectionSpec) -> None:
    """Make the collection's table and the indexes it lacks; in a transaction of the caller. Raises DuplicateError."""
    table = f"documents_{spec.name}"
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {table} (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, document BLOB NOT NULL)"
    )
    for index in missing_indexes(connection, spec):
        connection.execute(
            "INSERT INTO catalog (collection, fields, is_unique, is_many) VALUES (?, ?, ?, ?)",
            (spec.name, *_catalog_row(index)),
        )
        number = connection.last_insert_rowid()
        _add_columns(connection, table, index.fields[1:] if index.many else index.fields)
        try:
            if index.many:
                _make_list(connection, table, number, index)
            else:
                _make_index(connection, table, number, index)
        except apsw.ConstraintError as error:
            raise DuplicateError(spec.name, index.fields) from error


def _add_columns(connection: apsw.Connection, table: str, fields: Sequence[str]) -> None:
    known = {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
    for field in fields:
        column = column_name(field)
        if column in known:
            continue
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {column}")
        for key, document in list(all_documents(connection, table)):
            if field in document:
                connection.execute(
                    f"UPDATE {table} SET {column} = ? WHERE key = ?",
                    (to_column(document[field]), key),
                )


def all_documents(connection: apsw.Connection, table: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Keys and documents of a collection's table."""
    for key, packed in connection.execute(f"SELECT key, document FROM {table} ORDER BY key"):
        yield key, msgspec.msgpack.decode(packed)


def collection_names(connection: apsw.Connection) -> list[str]:
    """The names of all collections that were made."""
    rows = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND substr(name, 1, ?) = ? ORDER BY name",
        (len(_TABLE), _TABLE),
    )
    return [name[len(_TABLE) :] for (name,) in rows]


def remove_all(connection: apsw.Connection) -> None:
    """Remove every document of every collection."""
    lists = connection.execute("SELECT number FROM catalog WHERE is_many").fetchall()
    for (number,) in lists:
        connection.execute(f"DELETE FROM list_{number}")
    for name in collection_names(connection):
        connection.execute(f"DELETE FROM {_TABLE}{name}")


def _make_index(connection: apsw.Connection, table: str, number: int, index: Index) -> None:
    columns = [column_name(field) for field in index.fields]
    if not index.unique and "id" not in columns:
        columns.append("id")  # ties are ordered by the id: a page is then read straight from the index
    kind = "UNIQUE INDEX" if index.unique else "INDEX"
    connection.execute(f"CREATE {kind} index_{number} ON {table} ({', '.join(columns)})")


def _make_list(connection: apsw.Connection, table: str, number: int, index: Index) -> None:
    name = f"list_{number}"
    layout = ListTable(name, index.fields[0], index.fields[1:], index.unique)
    names = ", ".join(layout.columns)
    connection.execute(f"CREATE TABLE {name} ({names}, key INTEGER, PRIMARY KEY ({names}, key)) WITHOUT ROWID")
    if index.unique:
        present = " AND ".join(f"{column} > -9e999" for column in layout.columns)
        connection.execute(f"CREATE UNIQUE INDEX index_{number} ON {name} ({names}) WHERE {present}")
    marks = ", ".join("?" * (len(layout.columns) + 1))
    for key, document in list(all_documents(connection, table)):
        for row in list_rows(layout, document):
            connection.execute(f"INSERT INTO {name} VALUES ({marks})", (*row, key))
