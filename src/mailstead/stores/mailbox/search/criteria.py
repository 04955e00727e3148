"""What can be searched for (RFC 9051 §6.4.4); a tree of frozen structs. Texts match as substrings, case ignored."""

from typing import Literal, TypeAlias

import msgspec

from mailstead.stores.mailbox.records import Ranges

Which: TypeAlias = Literal["internal", "sent", "saved"]


class All(msgspec.Struct, frozen=True):
    """Every message."""


class And(msgspec.Struct, frozen=True):
    """All of them."""

    criteria: tuple["Criterion", ...]


class Or(msgspec.Struct, frozen=True):
    """One of two."""

    left: "Criterion"
    right: "Criterion"


class Not(msgspec.Struct, frozen=True):
    """The others."""

    criterion: "Criterion"


class FlagIs(msgspec.Struct, frozen=True):
    """Messages that have the system flag `flag`."""

    flag: int


class KeywordIs(msgspec.Struct, frozen=True):
    """Messages that have a keyword."""

    keyword: str


class UidIn(msgspec.Struct, frozen=True):
    """Messages of these uids."""

    ranges: Ranges


class Field(msgspec.Struct, frozen=True):
    """Text in a field that is kept decoded."""

    name: Literal["from", "to", "cc", "bcc", "subject"]
    text: str


class Header(msgspec.Struct, frozen=True):
    """Text in any header field; with empty text, messages that have the field."""

    name: str
    text: str


class Body(msgspec.Struct, frozen=True):
    """Text in the text parts."""

    text: str


class Text(msgspec.Struct, frozen=True):
    """Text in the header or the text parts."""

    text: str


class Date(msgspec.Struct, frozen=True):
    """`internal`, `sent` or `saved` date from `since` (included) to `before` (not included), in epoch seconds."""

    which: Which
    since: int | None = None
    before: int | None = None


class Size(msgspec.Struct, frozen=True):
    """Octets, more than `larger`, fewer than `smaller`."""

    larger: int | None = None
    smaller: int | None = None


class ModseqFrom(msgspec.Struct, frozen=True):
    """A modseq of at least `modseq` (RFC 7162 §3.1.5)."""

    modseq: int


class ObjectIdIs(msgspec.Struct, frozen=True):
    """EMAILID or THREADID (RFC 8474 §6)."""

    which: Literal["email", "thread"]
    value: str


Criterion: TypeAlias = (
    All
    | And
    | Or
    | Not
    | FlagIs
    | KeywordIs
    | UidIn
    | Field
    | Header
    | Body
    | Text
    | Date
    | Size
    | ModseqFrom
    | ObjectIdIs
)
