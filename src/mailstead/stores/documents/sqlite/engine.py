"""The SQLite engine: one file, its collections and their layouts."""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import apsw

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.stores.documents.document import check_spec, lifetimes
from mailstead.stores.documents.expiry import ExpiryTask
from mailstead.stores.documents.interface import CollectionSpec, Document, Take
from mailstead.stores.documents.sqlite.collection import SqliteCollection
from mailstead.stores.documents.sqlite.connection import make_file, open_connection, storage_errors, whole_read
from mailstead.stores.documents.sqlite.readers import Readers
from mailstead.stores.documents.sqlite.schema import (
    all_documents,
    collection_names,
    has_table,
    load_layout,
    make_collection,
    migrate,
    missing_indexes,
    remove_all,
)
from mailstead.stores.documents.sqlite.table import Table
from mailstead.stores.documents.sqlite.writer import Writer

_DUMPED_AT_ONCE = 500


class SqliteDocuments:
    """Documents in the file `path`; used by one event loop, shared with other processes of the host."""

    def __init__(self, path: Path, settings: DocumentsSettings, clock: Clock) -> None:
        self._path = path
        self._settings = settings
        self._clock = clock
        self._specs: dict[str, CollectionSpec] = {}
        self._collections: dict[str, SqliteCollection] = {}
        self._tables: dict[str, Table] = {}
        self._schema_cookie = -1
        self._expiry = ExpiryTask(self.expire, settings.expire_interval)

    async def open(self) -> None:
        """Make or migrate the file and start removing what has ended. Raises StoreUnavailableError."""
        make_file(self._path)
        connection, _ = open_connection(self._path, self._settings)
        try:
            with storage_errors():
                migrate(connection)
        finally:
            connection.close()
        self._readers = Readers(self._path, self._settings)
        self._writer = Writer(self._path, self._settings, self._notice_schema)
        self._expiry.start()

    async def close(self) -> None:
        """Commit what waits and close the connections."""
        await self._expiry.stop()
        await self._writer.close()
        await self._readers.close()

    async def collection(self, spec: CollectionSpec) -> SqliteCollection:
        """The collection of that name. Raises DuplicateError when its documents forbid a new unique index."""
        check_spec(spec)
        known = self._collections.get(spec.name)
        if known is not None and self._specs[spec.name] == spec:
            return known

        def complete(connection: apsw.Connection) -> bool:
            return has_table(connection, spec.name) and not missing_indexes(connection, spec)

        if not await self._readers.run(complete, short=True):
            await self._writer.run(lambda connection: make_collection(connection, spec), heavy=True)
        self._specs[spec.name] = spec
        self._tables[spec.name] = await self._readers.run(
            lambda connection: self._load_table(connection, spec), short=True
        )
        collection = SqliteCollection(spec, self._table_of(spec.name), self._readers, self._writer, self._clock)
        self._collections[spec.name] = collection
        return collection

    async def expire(self) -> int:
        """Remove the documents of opened collections that have ended."""
        removed = 0
        for name, collection in list(self._collections.items()):
            removed += await collection.expire(lifetimes(self._specs[name]))
        return removed

    async def dump(self, take: Take) -> None:
        """Every document as they all were at one moment: one read transaction."""

        def read(connection: apsw.Connection) -> None:
            with whole_read(connection):
                for name in collection_names(connection):
                    documents = all_documents(connection, f"documents_{name}")
                    while batch := [document for _, document in islice(documents, _DUMPED_AT_ONCE)]:
                        take(name, batch)

        await self._readers.run(read, short=False)

    async def clear(self) -> None:
        """Remove every document of every collection."""
        await self._writer.run(remove_all, heavy=True)

    async def load(self, name: str, documents: Sequence[Document]) -> None:
        """Put documents that were dumped into a collection."""
        await self.collection(CollectionSpec(name))
        await self._writer.run(
            lambda connection: self._tables[name].insert_many(connection, documents, self._clock.now()), heavy=True
        )

    def _load_table(self, connection: apsw.Connection, spec: CollectionSpec) -> Table:
        return Table(load_layout(connection, spec.name), lifetimes(spec), self._settings.size_limit)

    def _table_of(self, name: str) -> Callable[[], Table]:
        return lambda: self._tables[name]

    def _notice_schema(self, connection: apsw.Connection) -> None:
        """Learn of columns and indexes that another process added, so that writes fill them."""
        cookie = int(connection.execute("PRAGMA schema_version").get)
        if cookie != self._schema_cookie:
            self._schema_cookie = cookie
            for name, spec in list(self._specs.items()):  # the loop opens collections meanwhile
                self._tables[name] = self._load_table(connection, spec)
