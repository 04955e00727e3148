"""What the mailbox takes and gives."""

from typing import Literal, TypeAlias

import msgspec

from mailstead.formats.message.part import Octets

Ranges: TypeAlias = list[tuple[int, int]]
EntryRow: TypeAlias = tuple[int, int, str, int]  # uid, flags, keywords, modseq
Operation: TypeAlias = Literal["add", "remove", "replace"]


class Folder(msgspec.Struct, frozen=True):
    """A folder; `name` has "/" between levels, `special_use` is like "\\Sent" or empty."""

    id: int
    name: str
    special_use: str
    uidvalidity: int
    uidnext: int
    highestmodseq: int
    object_id: str


class FolderStatus(msgspec.Struct, frozen=True):
    """Counts of a folder; `size` in octets."""

    messages: int
    unseen: int
    deleted: int
    size: int
    uidnext: int
    uidvalidity: int
    highestmodseq: int
    recent_from: int


class NewMessage(msgspec.Struct, frozen=True):
    """A message to be put in; `internal_date` in seconds since the epoch. A large one is better a mapped file.

    Of several with the same `delivery_id` (not empty) the first is taken: a delivery may be tried again.
    """

    raw: Octets
    flags: int = 0
    keywords: str = ""
    internal_date: int = 0
    delivery_id: str = ""


class Appended(msgspec.Struct, frozen=True):
    """Where a message went; `uid` is 0 when its delivery id was known: it had been taken before."""

    uidvalidity: int
    uid: int
    modseq: int
    object_id: str


class Changes(msgspec.Struct, frozen=True):
    """What changed in a folder since a modseq; `expunged` are uids."""

    entries: list[EntryRow]
    expunged: list[int]
    highestmodseq: int
    uidnext: int


class Snapshot(msgspec.Struct, frozen=True):
    """All entries of a folder at one moment: uids as 32-bit integers, flags as octets, keywords by uid."""

    uids: bytes
    flags: bytes
    keywords: dict[int, str]
    highestmodseq: int
    uidnext: int


class Stored(msgspec.Struct, frozen=True):
    """`changed` as they are now; `modified` are uids left alone because they changed meanwhile (RFC 7162 §3.1.3).

    `before` and `after` are the folder's highestmodseq around the change.
    """

    changed: list[EntryRow]
    modified: list[int]
    before: int
    after: int


class Copied(msgspec.Struct, frozen=True):
    """Pairs of source uid and target uid, in order; `teaches`: the move or copy says what is junk (lessons.py)."""

    uidvalidity: int
    pairs: list[tuple[int, int]]
    teaches: bool = False


class Usage(msgspec.Struct, frozen=True):
    """What a mailbox holds."""

    size: int
    messages: int


class Receipt(msgspec.Struct, frozen=True):
    """A delivery that is durable; `uid` is 0 when it waits sealed for the owner's key, or was taken before."""

    folder: str
    uid: int
    object_id: str
    sealed: bool
