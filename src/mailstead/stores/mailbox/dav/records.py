"""What calendars and address books consist of."""

from typing import Literal

import msgspec

from mailstead.foundation.errors import (
    AlreadyExistsError,
    InvalidError,
    NotFoundError,
    PermanentError,
    PermissionDeniedError,
)

Kind = Literal["calendar", "addressbook", "files", "inbox", "outbox"]


class NoSuchCollectionError(NotFoundError):
    """There is no collection of that name."""

    public_text = "No such collection"


class NoSuchObjectError(NotFoundError):
    """There is no object of that name."""

    public_text = "No such object"


class CollectionExistsError(AlreadyExistsError):
    """There is a collection of that name."""

    public_text = "The collection exists"


class UidConflictError(AlreadyExistsError):
    """Another object of the collection has that UID; `name` is that object's (RFC 4791 §5.3.2.1)."""

    public_text = "The UID is another object's"

    def __init__(self, name: str) -> None:
        super().__init__(detail=name)
        self.name = name


class MadeByServerError(PermissionDeniedError):
    """The collection is filled by the server alone."""

    public_text = "This collection is filled by the server"


class PreconditionFailedError(PermanentError):
    """The object is not in the state that the change was for."""

    http_status = 412
    public_text = "The object changed meanwhile"


class InvalidTokenError(InvalidError):
    """The sync token is not of this collection, or older than its log (RFC 6578 §3.2)."""

    http_status = 403
    public_text = "The sync token is not valid"


class Lock(msgspec.Struct, frozen=True):
    """A write lock (RFC 4918 §6): `path` is the kind, then what is in it; `owner` the XML that its maker gave.

    `expires_at` in seconds since 1970; `principal` is the address that made it.
    """

    token: str
    path: str
    is_deep: bool
    is_exclusive: bool
    owner: bytes
    principal: str
    expires_at: int


class Collection(msgspec.Struct, frozen=True):
    """A calendar, address book or folder of files; `components` are the kinds of objects that a calendar takes.

    One that `is_made` by the server from what else there is can only be read.

    Folders of files may be in others: their names are paths, the outermost one's is empty.
    """

    id: int
    kind: Kind
    name: str
    components: tuple[str, ...]
    token: int
    size: int
    objects: int
    is_made: bool = False


class NewObject(msgspec.Struct, frozen=True):
    """An object to be stored; `starts_at` and `ends_at` in seconds since 1970 hold all of its instances, None: no end."""

    name: str
    uid: str
    component: str
    data: bytes
    starts_at: int | None = None
    ends_at: int | None = None
    schedule_tag: str = ""


class ObjectRow(msgspec.Struct, frozen=True):
    """What is known of a stored object; the ETag is quoted and strong (RFC 9110 §8.8.3)."""

    id: int
    name: str
    uid: str
    component: str
    etag: str
    size: int
    changed_at: int
    schedule_tag: str = ""


class CollectionChanges(msgspec.Struct, frozen=True):
    """What changed since a token; with `is_more` the rest follows after `token` (RFC 6578 §3.6)."""

    changed: list[ObjectRow]
    deleted: list[str]
    token: int
    is_more: bool
