"""FETCH: what is asked for, and its response lines from stored bytes (RFC 9051 §6.4.5, §7.5.2)."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from mailstead.formats.message.date import format_date
from mailstead.formats.message.section import SectionKind, header_fields, section_range
from mailstead.protocols.imap.parser import CommandError, Value
from mailstead.protocols.imap.view import View, flags_text
from mailstead.stores.mailbox.mailbox import MessageContent
from mailstead.stores.mailbox.records import Ranges

_SECTION = re.compile(
    r"BODY(\.PEEK)?\[(?:(\d+(?:\.\d+)*)(?:\.(?=[A-Z]))?)?(HEADER\.FIELDS(?:\.NOT)?|HEADER|TEXT|MIME)?(?: \(([^()]*)\))?\]"
    r"(?:<(\d{1,10})(?:\.(\d{1,10}))?>)?",
    re.IGNORECASE,
)
_MACROS = {
    "ALL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"],
    "FAST": ["FLAGS", "INTERNALDATE", "RFC822.SIZE"],
    "FULL": ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"],
}
_COLUMNS: dict[str, tuple[str, ...]] = {
    "UID": (),
    "FLAGS": ("flags", "keywords"),
    "INTERNALDATE": ("internal_date",),
    "RFC822.SIZE": ("size",),
    "ENVELOPE": ("envelope",),
    "BODY": ("body",),
    "BODYSTRUCTURE": ("bodystructure",),
    "MODSEQ": ("modseq",),
}


class Section(msgspec.Struct, frozen=True):
    """BODY[...]: `label` is how it is called in the response."""

    label: str
    path: str
    kind: str
    fields: frozenset[bytes]
    start: int
    size: int | None
    peek: bool


class FetchRequest(msgspec.Struct, frozen=True):
    """Plain items in order, and sections."""

    items: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def sets_seen(self) -> bool:
        """Whether reading marks as read."""
        return any(not section.peek for section in self.sections)


_OLD = {
    "RFC822": ("RFC822", "", False),
    "RFC822.HEADER": ("RFC822.HEADER", "HEADER", True),
    "RFC822.TEXT": ("RFC822.TEXT", "TEXT", False),
}


def parse_fetch(values: list[Value], *, by_uid: bool) -> FetchRequest:
    """The items of a FETCH. Raises CommandError."""
    names: list[str] = []
    for value in values[0] if len(values) == 1 and isinstance(values[0], list) else values:
        if isinstance(value, list):
            raise CommandError("Not a FETCH item")
        text = value.decode("ascii", "replace")
        names += _MACROS.get(text.upper(), [text])
    items: dict[str, None] = {"UID": None} if by_uid else {}
    sections: list[Section] = []
    for name in names:
        upper = name.upper()
        if upper in _COLUMNS:
            items[upper] = None
        elif upper in _OLD:
            label, kind, peek = _OLD[upper]
            sections.append(Section(label, "", kind, frozenset(), 0, None, peek))
        else:
            sections.append(_section(name))
    if not items and not sections:
        raise CommandError("Nothing to fetch")
    return FetchRequest(tuple(items), tuple(sections))


def _section(name: str) -> Section:
    found = _SECTION.fullmatch(name)
    if found is None:
        raise CommandError("Not a FETCH item")
    peek, path, kind, fields, start, size = found.groups()
    kind = (kind or "").upper()
    names = [word.strip('"') for word in (fields or "").split()]
    if kind.startswith("HEADER.FIELDS") != bool(names) or (kind == "MIME" and not path):
        raise CommandError("Bad section")
    inner = f"{path or ''}{'.' if path and kind else ''}{kind}" + (f" ({' '.join(names)})" if names else "")
    label = f"BODY[{inner}]" + (f"<{start}>" if start is not None else "")
    if start is not None and size is None:
        raise CommandError("A partial has a start and a size")
    wanted = frozenset(word.lower().encode() for word in names)
    return Section(label, path or "", kind, wanted, int(start or 0), int(size) if size else None, peek is not None)


def _section_bytes(content: MessageContent, section: Section) -> bytes | None:
    if section.kind.startswith("HEADER.FIELDS"):
        place = section_range(content.parts, section.path, "HEADER")
        if place is None:
            return None
        data = header_fields(content.read(*place), section.fields, section.kind.endswith("NOT"))
        end = len(data) if section.size is None else section.start + section.size
        return data[section.start : end]
    kinds: dict[str, SectionKind] = {"": "", "HEADER": "HEADER", "TEXT": "TEXT", "MIME": "MIME"}
    place = section_range(content.parts, section.path, kinds[section.kind])
    if place is None:
        return None
    start = min(place[0] + section.start, place[1])
    end = place[1] if section.size is None else min(start + section.size, place[1])
    return content.read(start, end)


def internal_date(moment: int) -> str:
    """`23-Nov-2026 20:33:00 +0000` (RFC 9051 §9, date-time)."""
    _, day, month, year, time, zone = format_date(moment).split()
    return f"{day}-{month}-{year} {time} {zone}"


_Item = Callable[[dict[str, Any], bool], bytes]
_ITEMS: dict[str, _Item] = {
    "UID": lambda row, _: b"UID %d" % row["uid"],
    "FLAGS": lambda row, recent: f"FLAGS ({flags_text(row['flags'], row['keywords'], recent)})".encode(),
    "INTERNALDATE": lambda row, _: f'INTERNALDATE "{internal_date(row["internal_date"])}"'.encode(),
    "RFC822.SIZE": lambda row, _: b"RFC822.SIZE %d" % row["size"],
    "ENVELOPE": lambda row, _: b"ENVELOPE " + row["envelope"],
    "BODY": lambda row, _: b"BODY " + row["body"],
    "BODYSTRUCTURE": lambda row, _: b"BODYSTRUCTURE " + row["bodystructure"],
    "MODSEQ": lambda row, _: b"MODSEQ (%d)" % row["modseq"],
}


def fetch(view: View, request: FetchRequest, uids: Ranges, seen: set[int]) -> Iterator[bytes]:
    """Response lines in blocks; `seen` are uids just marked as read, whose flags are told."""
    columns = ["uid"]
    items = list(request.items)
    if seen and "FLAGS" not in items:
        items.append("FLAGS")
    for item in items:
        columns += [column for column in _COLUMNS[item] if column not in columns]
    if request.sections:
        columns += [column for column in ("message_id", "size", "parts", "recipe") if column not in columns]
    chunk = 20 if request.sections else 500
    for rows in view.mailbox.rows(view.folder.id, uids, tuple(columns), chunk):
        lines: list[bytes] = []
        for values in rows:
            row = dict(zip(columns, values, strict=True))
            number = view.number(row["uid"])
            if not number:
                continue
            recent = row["uid"] >= view.recent_from
            pieces = [
                _ITEMS[item](row, recent)
                for item in items
                if item != "FLAGS" or item in request.items or row["uid"] in seen
            ]
            if request.sections:
                content = view.mailbox.content_of_row(row["message_id"], row["size"], row["parts"], row["recipe"])
                for section in request.sections:
                    data = _section_bytes(content, section)
                    shown = b"NIL" if data is None else b"{%d}\r\n%b" % (len(data), data)
                    pieces.append(b"%b %b" % (section.label.encode(), shown))
            lines.append(b"* %d FETCH (%b)\r\n" % (number, b" ".join(pieces)))
        yield b"".join(lines)
