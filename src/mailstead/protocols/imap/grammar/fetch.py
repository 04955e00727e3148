"""What a FETCH asks for (RFC 9051 §6.4.5, §9; RFC 7162 §3.1.4; RFC 8474 §5.3; RFC 8514 §4.2; RFC 8970 §3; RFC 9394 §3.3).

fetch     = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
            [SP "(" fetch-modifier *(SP fetch-modifier) ")"]
fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822.SIZE" / "BODY" ["STRUCTURE"] / "UID" / "MODSEQ" / "EMAILID" /
            "THREADID" / "SAVEDATE" / "PREVIEW" [SP "(" "LAZY" ")"] / "RFC822" [".HEADER" / ".TEXT"] /
            "BODY" [".PEEK"] section [partial] / "BINARY" [".PEEK"] section-binary [partial] / "BINARY.SIZE" section-binary
section   = "[" [section-msgtext / (section-part ["." (section-msgtext / "MIME")])] "]"
section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
partial   = "<" number64 "." nz-number64 ">"
fetch-modifier = "CHANGEDSINCE" SP mod-sequence-value / "VANISHED" / "PARTIAL" SP partial-range
"""

import re
from typing import Literal

import msgspec

from mailstead.formats.message.imap_string import string
from mailstead.formats.message.section import SectionKind
from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.cursor import NUMBER64_MOST, Cursor
from mailstead.protocols.imap.grammar.sequence import PartialRange, partial_range

PLAIN = frozenset(
    {
        "UID",
        "FLAGS",
        "INTERNALDATE",
        "RFC822.SIZE",
        "ENVELOPE",
        "BODY",
        "BODYSTRUCTURE",
        "MODSEQ",
        "EMAILID",
        "THREADID",
        "SAVEDATE",
        "PREVIEW",
    }
)
_MACROS = {
    "ALL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"),
    "FAST": ("FLAGS", "INTERNALDATE", "RFC822.SIZE"),
    "FULL": ("FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"),
}
_NAME = re.compile(rb"[A-Za-z0-9.]+")
_PATH = re.compile(rb"[1-9]\d{0,9}(?:\.[1-9]\d{0,9}){0,99}")
_KIND = re.compile(rb"HEADER\.FIELDS\.NOT|HEADER\.FIELDS|HEADER|TEXT|MIME", re.IGNORECASE)
_PARTIAL = re.compile(rb"<(\d{1,19})\.(\d{1,19})>")
_ATOM = re.compile(rb'[^\x00-\x20(){%*"\\\]\[\x7f-\xff]+')
_ITEMS_LIMIT = 200
_FIELDS_LIMIT = 500


class Section(msgspec.Struct, frozen=True):
    """Octets of a message; `label` is what the response calls them, `size` None without a partial."""

    label: bytes
    path: str = ""
    kind: SectionKind = ""
    fields: frozenset[bytes] | None = None
    negate: bool = False
    start: int = 0
    size: int | None = None
    peek: bool = True
    content: Literal["raw", "decoded", "length"] = "raw"


class FetchItems(msgspec.Struct, frozen=True):
    """Plain items, each once and in order, and sections."""

    plain: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def sets_seen(self) -> bool:
        """Whether reading marks as read."""
        return any(not section.peek for section in self.sections)


def fetch_items(cursor: Cursor) -> FetchItems:
    """The items of a FETCH: a macro, one item, or a list of them"""
    plain: dict[str, None] = {}
    sections: list[Section] = []
    if not cursor.is_at(b"("):
        for name in _MACROS.get(cursor.peek_word(), ()):
            plain[name] = None
        if plain:
            cursor.word()
        else:
            _item(cursor, plain, sections)
        return FetchItems(tuple(plain), tuple(sections))
    cursor.expect(b"(")
    count = 0
    while not cursor.take(b")"):
        if count:
            cursor.space()
        count += 1
        if count > _ITEMS_LIMIT:
            raise CommandError("Too many items")
        _item(cursor, plain, sections)
    if not count:
        raise CommandError("Nothing to fetch")
    return FetchItems(tuple(plain), tuple(sections))


class FetchModifiers(msgspec.Struct, frozen=True):
    """`changed_since` and `partial` are None without the modifier."""

    changed_since: int | None = None
    vanished: bool = False
    partial: PartialRange | None = None


def fetch_modifiers(cursor: Cursor) -> FetchModifiers:
    """ "(" fetch-modifier *(SP fetch-modifier) ")" """
    cursor.expect(b"(")
    changed_since, vanished, partial = None, False, None
    first = True
    while not cursor.take(b")"):
        if not first:
            cursor.space()
        first = False
        match cursor.word():
            case "CHANGEDSINCE":
                cursor.space()
                changed_since = cursor.number64(1)
            case "VANISHED":
                vanished = True
            case "PARTIAL":
                cursor.space()
                partial = partial_range(cursor)
            case _:
                raise CommandError("FETCH modifier not known")
    return FetchModifiers(changed_since, vanished, partial)


_OLD = {
    "RFC822": Section(b"RFC822", peek=False),
    "RFC822.HEADER": Section(b"RFC822.HEADER", kind="HEADER"),
    "RFC822.TEXT": Section(b"RFC822.TEXT", kind="TEXT", peek=False),
}
_SECTIONED = {"BODY", "BODY.PEEK", "BINARY", "BINARY.PEEK", "BINARY.SIZE"}


def _item(cursor: Cursor, plain: dict[str, None], sections: list[Section]) -> None:
    found = _NAME.match(cursor.text, cursor.place)
    if found is None:
        raise CommandError("Not a FETCH item")
    cursor.place = found.end()
    name = found[0].decode().upper()
    if name in _SECTIONED and cursor.take(b"["):
        sections.append(_binary(cursor, name) if name.startswith("BINARY") else _body(cursor, name))
    elif name in PLAIN:
        plain[name] = None
        if name == "PREVIEW" and cursor.take(b" ("):  # previews are stored: what is lazy and what is not is one
            if cursor.word() != "LAZY":
                raise CommandError("PREVIEW modifier not known")
            cursor.expect(b")")
    elif name in _OLD:
        sections.append(_OLD[name])
    else:
        raise CommandError("FETCH item not known")


def _path(cursor: Cursor) -> str:
    found = _PATH.match(cursor.text, cursor.place)
    if found is None:
        return ""
    cursor.place = found.end()
    return found[0].decode()


def _partial(cursor: Cursor) -> tuple[int, int | None]:
    """partial, when there is one"""
    if not cursor.is_at(b"<"):
        return 0, None
    found = _PARTIAL.match(cursor.text, cursor.place)
    if found is None or int(found[2]) < 1 or max(int(found[1]), int(found[2])) > NUMBER64_MOST:
        raise CommandError("A partial has a start and a size")
    cursor.place = found.end()
    return int(found[1]), int(found[2])


def _body(cursor: Cursor, name: str) -> Section:
    """section and partial of BODY and BODY.PEEK"""
    path = _path(cursor)
    kind, fields, shown = "", None, path.encode()
    if not path or cursor.take(b"."):
        found = _KIND.match(cursor.text, cursor.place)
        if found is not None:
            cursor.place = found.end()
            kind = found[0].decode().upper()
            shown += (b"." if path else b"") + kind.encode()
        elif path:
            raise CommandError("Bad section")
    negate = kind == "HEADER.FIELDS.NOT"
    if kind.startswith("HEADER.FIELDS"):
        cursor.space()
        names = _header_list(cursor)
        shown += b" (%b)" % b" ".join(name if _ATOM.fullmatch(name) else string(name) for name in names)
        fields = frozenset(name.lower() for name in names)
        kind = "HEADER"
    if kind == "MIME" and not path:
        raise CommandError("MIME is of a part")
    cursor.expect(b"]")
    start, size = _partial(cursor)
    label = b"BODY[%b]" % shown + (b"<%d>" % start if size is not None else b"")
    return Section(label, path, _KINDS[kind], fields, negate, start, size, name.endswith(".PEEK"))


_KINDS: dict[str, SectionKind] = {"": "", "HEADER": "HEADER", "TEXT": "TEXT", "MIME": "MIME"}


def _header_list(cursor: Cursor) -> list[bytes]:
    """header-list = "(" header-fld-name *(SP header-fld-name) ")" """
    cursor.expect(b"(")
    names = [cursor.astring()]
    while not cursor.take(b")"):
        cursor.space()
        names.append(cursor.astring())
        if len(names) > _FIELDS_LIMIT:
            raise CommandError("Too many header fields")
    return names


def _binary(cursor: Cursor, name: str) -> Section:
    """section-binary = "[" [section-part] "]", and partial"""
    path = _path(cursor)
    cursor.expect(b"]")
    if name == "BINARY.SIZE":
        return Section(b"BINARY.SIZE[%b]" % path.encode(), path, content="length")
    start, size = _partial(cursor)
    label = b"BINARY[%b]" % path.encode() + (b"<%d>" % start if size is not None else b"")
    return Section(label, path, "", None, False, start, size, name.endswith(".PEEK"), "decoded")
