"""A message as scripts see it: header fields that can be edited, parts that can be walked through."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from mailstead.formats.message.encoded_word import decode_header_value
from mailstead.formats.message.header import header_end, iter_field_ranges, unfold
from mailstead.formats.message.part import Bounds, Octets, Part
from mailstead.formats.message.structure import Structure
from mailstead.mail.filtering.actions import Edited

_FIELDS_LIMIT = 10_000
Place: TypeAlias = tuple[int, int, str]  # where a part's header and body start, and its type


class Field:
    """One header field: lower-case name, its octets with the last line break, its value decoded once."""

    __slots__ = ("_value", "name", "octets")

    def __init__(self, name: str, octets: bytes) -> None:
        self.name = name
        self.octets = octets
        self._value: str | None = None

    @property
    def raw_value(self) -> bytes:
        """The value unfolded."""
        return unfold(self.octets.partition(b":")[2])

    @property
    def value(self) -> str:
        """The value decoded (RFC 5228 §2.7.2)."""
        if self._value is None:
            self._value = decode_header_value(self.raw_value).strip()
        return self._value


def _fields(block: bytes) -> list[Field]:
    """All of a header's lines as fields; lines that are none have the name ""."""
    found: list[Field] = []
    position = 0
    for name, start, end in iter_field_ranges(block):
        if start > position:
            found.append(Field("", block[position:start]))
        found.append(Field(name.decode("utf-8", "replace").lower(), block[start:end]))
        position = end
        if len(found) >= _FIELDS_LIMIT:
            break
    if position < len(block):
        found.append(Field("", block[position:]))
    return found


class FilteredMessage:
    """One message during one run; edits are seen by all that comes after them (RFC 5293 §3, RFC 5703 §5).

    Parts go by numbers that stay theirs when the message is rewritten around them; 0 is always the message itself.
    """

    def __init__(self, raw: Octets, bounds: Bounds) -> None:
        self.raw = raw
        self.size = len(raw)  # of the message as it came
        self._bounds = bounds
        self._body_start = header_end(raw, 0, len(raw))
        self._header_size = self._body_start  # as it came
        self._header: list[Field] | None = None
        self._edited: Edited | None = None
        self._is_edited = False
        self._is_rewritten = False
        self._enclosed: tuple[Edited | None] | None = None
        self._part_fields: dict[int, list[Field]] = {}
        self._parts: Sequence[Part] = ()
        self._numbers: list[int] = []
        self._places: dict[int, int] = {}
        self._next_number = 0

    def body(self, limit: int) -> bytes:
        """The first octets of what follows the header."""
        return self.raw[self._body_start : self._body_start + limit]

    # parts

    def _split(self) -> None:
        if not self._parts:
            self._parts = Structure(self.raw, self._bounds).parts
            self._number({})

    def _number(self, known: Mapping[Place, int]) -> None:
        """Number the parts: those at a place that is known as before, others anew."""
        self._numbers = []
        for index, part in enumerate(self._parts):
            number = 0 if index == 0 else known.get((part.header_start, part.body_start, part.type), -1)
            if number < 0:
                self._next_number += 1
                number = self._next_number
            self._numbers.append(number)
        self._places = {number: index for index, number in enumerate(self._numbers)}

    def has(self, number: int) -> bool:
        """Whether the part is still there."""
        self._split()
        return number in self._places

    def part(self, number: int) -> Part:
        """A part; the message itself for one that is gone."""
        self._split()
        return self._parts[self._places.get(number, 0)]

    def children(self, number: int) -> Iterator[int]:
        """All parts below a part, in order."""
        self._split()
        inside = {self._places.get(number, 0)}
        for index in range(min(inside) + 1, len(self._parts)):
            if self._parts[index].parent in inside:
                inside.add(index)
                yield self._numbers[index]

    def nearest(self, number: int) -> list[int]:
        """The parts right below a part, in order."""
        self._split()
        place = self._places.get(number, 0)
        return [self._numbers[index] for index, part in enumerate(self._parts) if part.parent == place and index]

    # fields

    @property
    def _own(self) -> list[Field]:
        if self._header is None:
            self._header = _fields(self.raw[: self._body_start])
        return self._header

    def fields(self, part: int = 0) -> list[Field]:
        """The header fields of a part; those of the message itself with all edits."""
        if part == 0:
            return self._own
        if part not in self._part_fields:
            found = self.part(part)
            self._part_fields[part] = _fields(self.raw[found.header_start : found.body_start])
        return self._part_fields[part]

    def named(self, name: str, part: int = 0) -> list[Field]:
        """Fields of that name, in order."""
        name = name.lower()
        return [field for field in self.fields(part) if field.name == name]

    # edits

    def add(self, name: str, value: str, *, last: bool) -> None:
        """Add a field, first or last of the header; line breaks in `value` have been refused before."""
        line = f"{name}: {value}".encode("utf-8", "replace") + b"\r\n"
        field = Field(name.lower(), line)
        own = self._own
        place = 0
        if last:
            place = len(own)
            while place and not own[place - 1].name:
                place -= 1
        own.insert(place, field)
        self._is_edited, self._edited = True, None

    def delete(self, fields: list[Field]) -> None:
        """Remove fields."""
        if fields:
            gone = set(map(id, fields))
            self._header = [field for field in self._own if id(field) not in gone]
            self._is_edited, self._edited = True, None

    def replace(self, number: int, header: bytes, body: bytes) -> None:
        """Put an entity in the place of a part and all below it; `header` ends with its empty line."""
        part = self.part(number)
        own = b"" if number == 0 else self._header_octets()
        moved = len(own) - self._body_start
        entity = header + body
        behind = moved + len(entity) - (part.body_end - part.header_start)
        known: dict[Place, int] = {}
        below = set(self.children(number))
        for index, one in zip(self._numbers, self._parts, strict=True):
            if index and index != number and index not in below:
                shift = behind if one.header_start >= part.body_end else moved
                known[one.header_start + shift, one.body_start + shift, one.type] = index
        before = own + self.raw[self._body_start : part.header_start] if number else b""
        at = len(before)
        self._rewrite(before + entity + self.raw[part.body_end :])
        for one in self._parts:
            if number and (one.header_start, one.body_start) == (at, at + len(header)):
                known.setdefault((one.header_start, one.body_start, one.type), number)
                break
        self._number(known)

    def enclose(self, header: bytes, before: bytes, after: bytes) -> None:
        """Make the message a part of a new one: `header`, `before`, the message as it is now, `after` (RFC 5703 §6)."""
        self._split()
        if self._enclosed is None:
            self._enclosed = (self.edited,)
        own = self._header_octets()
        start = len(header) + len(before)
        shift = start + len(own) - self._body_start
        known = {
            (part.header_start + shift, part.body_start + shift, part.type): number
            for number, part in zip(self._numbers, self._parts, strict=True)
            if number
        }
        self._rewrite(b"".join((header, before, own, self.raw[self._body_start :], after)))
        self._number(known)

    def current(self) -> bytes:
        """The whole message as it is now."""
        return self._header_octets() + self.raw[self._body_start :]

    def _header_octets(self) -> bytes:
        return b"".join(field.octets for field in self._own) if self._is_edited else self.raw[: self._body_start]

    def _rewrite(self, raw: bytes) -> None:
        self.raw = raw
        self._body_start = header_end(raw, 0, len(raw))
        self._header, self._edited = None, None
        self._is_edited, self._is_rewritten = False, True
        self._part_fields.clear()
        self._parts = Structure(raw, self._bounds).parts

    @property
    def edited(self) -> Edited | None:
        """What was made of the message; None while it is as it came."""
        if not (self._is_edited or self._is_rewritten):
            return None
        if self._edited is None:
            if self._is_rewritten:
                self._edited = Edited(self.size, self.current())
            else:
                self._edited = Edited(self._header_size, self._header_octets())
        return self._edited

    @property
    def edited_before_enclosure(self) -> Edited | None:
        """The same without what `enclose` put around it and what came after (RFC 5703 §6: redirect)."""
        return self.edited if self._enclosed is None else self._enclosed[0]
