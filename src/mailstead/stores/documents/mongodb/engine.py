"""The MongoDB engine: one database of a replica set."""

from collections.abc import Sequence
from typing import Any

from pymongo import timeout
from pymongo.asynchronous.mongo_client import AsyncMongoClient
from pymongo.errors import ConfigurationError, InvalidURI
from pymongo.read_concern import ReadConcern
from pymongo.uri_parser import parse_uri
from pymongo.write_concern import WriteConcern

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.foundation.errors import InvalidError
from mailstead.stores.documents.document import check_spec
from mailstead.stores.documents.expiry import ExpiryTask
from mailstead.stores.documents.interface import CollectionSpec, Document, StoreUnavailableError, Take
from mailstead.stores.documents.mongodb.collection import MongoCollection, Stored
from mailstead.stores.documents.mongodb.errors import database_errors
from mailstead.stores.documents.mongodb.indexes import index_models
from mailstead.stores.documents.mongodb.names import from_stored, to_stored
from mailstead.stores.documents.mongodb.replica_set import settle

DEFAULT_DATABASE = "mailstead"
_DUMPED_AT_ONCE = 500


class MongoDocuments:
    """Documents in the database that `url` names; `mailstead` when it names none. Raises InvalidError for bad URLs."""

    def __init__(self, url: str, settings: DocumentsSettings, clock: Clock) -> None:
        try:
            parsed = parse_uri(url, validate=False)
            self._name = parsed["database"] or DEFAULT_DATABASE
            self._has_several = len(parsed["nodelist"]) > 1
        except (InvalidURI, ConfigurationError, ValueError) as error:
            raise InvalidError(f"MAILSTEAD_DOCUMENTS_URL is no MongoDB URL: {error}") from error
        self._url = url
        self._settings = settings
        self._clock = clock
        self._client: AsyncMongoClient[Stored] | None = None
        self._collections: dict[str, tuple[CollectionSpec, MongoCollection]] = {}
        self._expiry = ExpiryTask(self.expire, settings.expire_interval)

    async def open(self) -> None:
        """Connect and look whether transactions are to be had; a server that waits to be made a replica set is made one.

        Raises StoreUnavailableError.
        """
        with database_errors():
            await settle(self._url, self._settings)
        milliseconds = int(self._settings.connect_timeout * 1000)
        patience = int(self._settings.operation_timeout * 1000)
        self._client = AsyncMongoClient(
            self._url,
            appname="mailstead",
            maxPoolSize=self._settings.pool_size,
            # several servers may be electing a new primary: that is waited for as long as an operation may take
            serverSelectionTimeoutMS=patience if self._has_several else milliseconds,
            connectTimeoutMS=milliseconds,
            timeoutMS=patience,
        )
        with database_errors(), timeout(self._settings.connect_timeout):
            hello: dict[str, Any] = await self._client.admin.command("hello")
        if "setName" not in hello and hello.get("msg") != "isdbgrid":
            raise StoreUnavailableError(detail="MongoDB must run as a replica set; one member will do")
        self._expiry.start()

    async def close(self) -> None:
        """Disconnect."""
        await self._expiry.stop()
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def collection(self, spec: CollectionSpec) -> MongoCollection:
        """The collection of that name. Raises DuplicateError when its documents forbid a new unique index."""
        check_spec(spec)
        known = self._collections.get(spec.name)
        if known is not None and known[0] == spec:
            return known[1]
        held = self._connected[self._name].get_collection(
            spec.name,
            write_concern=WriteConcern(w="majority", j=True),
            read_concern=ReadConcern("majority"),
        )
        models = index_models(spec)
        if models:
            with database_errors(spec):
                await held.create_indexes(models)
        collection = MongoCollection(spec, self._connected, held, self._settings.size_limit, self._clock)
        self._collections[spec.name] = (spec, collection)
        return collection

    async def expire(self) -> int:
        """Remove the documents of opened collections that have ended."""
        removed = 0
        for _, collection in list(self._collections.values()):
            removed += await collection.expire()
        return removed

    async def dump(self, take: Take) -> None:
        """Every document as they all were at one moment: a snapshot session, which the server keeps for five minutes."""
        client = self._connected
        database = client[self._name]
        with database_errors():
            names = sorted(await database.list_collection_names(filter={"type": "collection"}))
            async with client.start_session(snapshot=True) as session:
                for name in names:
                    cursor = database[name].find({}, session=session, batch_size=_DUMPED_AT_ONCE)
                    while batch := await cursor.to_list(_DUMPED_AT_ONCE):
                        take(name, [from_stored(stored) for stored in batch])

    async def clear(self) -> None:
        """Remove every document of every collection."""
        database = self._connected.get_database(self._name, write_concern=WriteConcern(w="majority", j=True))
        with database_errors():
            for name in await database.list_collection_names(filter={"type": "collection"}):
                await database[name].delete_many({})

    async def load(self, name: str, documents: Sequence[Document]) -> None:
        """Put documents that were dumped into a collection."""
        database = self._connected.get_database(self._name, write_concern=WriteConcern(w="majority", j=True))
        with database_errors(CollectionSpec(name)):
            await database[name].insert_many([to_stored(document) for document in documents])

    @property
    def _connected(self) -> AsyncMongoClient[Stored]:
        assert self._client is not None, "opened before it is used"
        return self._client
