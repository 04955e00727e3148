"""The contract of a document store; both engines keep it and one suite tests them (tests/contract/documents).

A document is a dict of JSON values and bytes. `id` (str) names it, `version` (int, 1 after the insert) counts its
changes and is written by the store alone. Field names may hold any characters but lone surrogates.

`where` maps top-level field names to a value, or to a dict of operators: `$in` (a list), `$nin` (a list), `$lt`,
`$lte`, `$gt`, `$gte` (number, str or bytes; only values of the same kind match), `$ne`, `$exists` (bool), `$prefix`
(str). Values are scalars. Null and a missing field are the same to `where`, to orders and to unique indexes. A list
matches when one of its elements does; `$ne` and `$nin` are the opposites of equality and of `$in` in that sense.

Order of values: null, numbers, strings by code point, bytes by length and then content, false, true. `order` and
`distinct` take fields of an index, or `id`; ties are broken by `id` in the direction of the last order field, so that
`after` (the last document of the page before) goes on exactly where a page ended.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeAlias

import msgspec

from mailstead.foundation.errors import AlreadyExistsError, PermanentError, TemporaryError

Document: TypeAlias = dict[str, Any]
Where: TypeAlias = Mapping[str, Any]
Order: TypeAlias = Sequence[tuple[str, Literal[1, -1]]]


class Index(msgspec.Struct, frozen=True):
    """An index over one or more top-level fields, which hold scalars.

    `unique`: no two documents have the same values; documents that lack one of the fields are not compared.
    `many`: the first field holds a list of scalars, each of which is indexed (uniqueness is then per element).
    `expire_after`: the single field holds seconds since the epoch; the document ends that many seconds later.
    """

    fields: tuple[str, ...]
    unique: bool = False
    many: bool = False
    expire_after: float | None = None


Take: TypeAlias = Callable[[str, Sequence[Document]], None]


class CollectionSpec(msgspec.Struct, frozen=True):
    """What a collection is called (`[a-z][a-z0-9_]*`) and how it is indexed; indexes may be added later."""

    name: str
    indexes: tuple[Index, ...] = ()


class DuplicateError(AlreadyExistsError):
    """Another document has the same values in the fields of a unique index; `fields` names them."""

    def __init__(self, collection: str, fields: tuple[str, ...]) -> None:
        super().__init__(detail=f"{collection}: {', '.join(fields)}")
        self.collection = collection
        self.fields = fields


class ConflictError(PermanentError):
    """The document was changed by somebody else since it was read."""

    http_status = 409
    imap_code = "INUSE"
    public_text = "Changed in the meantime"


class StoreUnavailableError(TemporaryError):
    """The database does not answer, or cannot write."""

    smtp_code = 451
    enhanced_code = "4.3.0"


class Collection(Protocol):
    """Documents of one kind. Every write is durable when it returns; every method may raise StoreUnavailableError.

    InvalidError is raised for documents, conditions and orders that the contract does not allow.
    """

    async def insert(self, document: Mapping[str, Any]) -> None:
        """Add `document`, which has an `id`; its `version` becomes 1. Raises DuplicateError."""
        ...

    async def insert_many(self, documents: Sequence[Mapping[str, Any]]) -> None:
        """Add all of `documents`, or none. Raises DuplicateError."""
        ...

    async def get(self, identifier: str) -> Document | None:
        """The document of that id."""
        ...

    async def find(
        self, where: Where, *, order: Order = (), limit: int | None = None, after: Mapping[str, Any] | None = None
    ) -> list[Document]:
        """Matching documents by `order` (by id when left out), at most `limit`, those past `after` only."""
        ...

    async def find_one(self, where: Where, *, order: Order = ()) -> Document | None:
        """The first matching document by `order`; any one when no order is given."""
        ...

    async def count(self, where: Where) -> int:
        """How many documents match."""
        ...

    async def distinct(self, field: str, where: Where) -> list[Any]:
        """The values of an indexed `field` in matching documents (elements of lists), once each, sorted, no null."""
        ...

    async def update(
        self, identifier: str, changes: Mapping[str, Any], *, version: int | None = None, unset: Sequence[str] = ()
    ) -> Document:
        """Set the top-level fields of `changes`, remove those of `unset`, and return the document after that.

        Raises NotFoundError, ConflictError when its version is not `version`, and DuplicateError.
        """
        ...

    async def claim(
        self, where: Where, changes: Mapping[str, Any], *, order: Order = (), unset: Sequence[str] = ()
    ) -> Document | None:
        """Find the first matching document and update it in one step; no two claimants get the same state of it.

        Returns the document after the update, or None when none matches. Raises DuplicateError.
        """
        ...

    async def delete(self, identifier: str, *, version: int | None = None) -> bool:
        """Remove the document; False when there is none. Raises ConflictError when its version is not `version`."""
        ...

    async def delete_many(self, where: Where) -> int:
        """Remove the matching documents; returns how many they were."""
        ...


class Documents(Protocol):
    """A database of collections."""

    async def open(self) -> None:
        """Connect, make or migrate the database. Raises StoreUnavailableError."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go."""
        ...

    async def collection(self, spec: CollectionSpec) -> Collection:
        """The collection of that name, its indexes made when they lack. Raises DuplicateError when data forbid it."""
        ...

    async def expire(self) -> int:
        """Remove the documents of opened collections that have ended; returns how many. Runs by itself now and then."""
        ...

    async def dump(self, take: Take) -> None:
        """Give `take` every document of every collection as they all were at one moment, `version` included.

        `take(collection, documents)` gets some at a time, on any thread; those that have ended may be among them.
        """
        ...

    async def clear(self) -> None:
        """Remove every document of every collection. Nobody else may be using the database."""
        ...

    async def load(self, name: str, documents: Sequence[Document]) -> None:
        """Put documents that were dumped into a collection that has none of their ids, versions as they were.

        Indexes are made when the collection is opened with its spec. Raises DuplicateError.
        """
        ...
