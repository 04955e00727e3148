"""A message as scripts see it: header fields that can be edited, parts that can be walked through."""

from collections.abc import Iterator
from functools import cached_property

from mailstead.formats.message.encoded_word import decode_header_value
from mailstead.formats.message.header import header_end, iter_field_ranges, unfold
from mailstead.formats.message.part import Bounds, Octets, Part
from mailstead.formats.message.structure import Structure

_FIELDS_LIMIT = 10_000


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
    """One message during one run; edits are seen by all that comes after them (RFC 5293 §3)."""

    def __init__(self, raw: Octets, bounds: Bounds) -> None:
        self.raw = raw
        self._bounds = bounds
        self._body_start = header_end(raw, 0, len(raw))
        self._header: list[Field] | None = None
        self._edited: bytes | None = None
        self._is_edited = False
        self._part_fields: dict[int, list[Field]] = {}

    @property
    def size(self) -> int:
        """Octets of the message as it came."""
        return len(self.raw)

    def body(self, limit: int) -> bytes:
        """The first octets of what follows the header."""
        return self.raw[self._body_start : self._body_start + limit]

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The part table of the message as it came."""
        return tuple(Structure(self.raw, self._bounds).parts)

    def children(self, index: int) -> Iterator[int]:
        """All parts below a part, in order."""
        inside = {index}
        for number in range(index + 1, len(self.parts)):
            if self.parts[number].parent in inside:
                inside.add(number)
                yield number

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
            found = self.parts[part]
            self._part_fields[part] = _fields(self.raw[found.header_start : found.body_start])
        return self._part_fields[part]

    def named(self, name: str, part: int = 0) -> list[Field]:
        """Fields of that name, in order."""
        name = name.lower()
        return [field for field in self.fields(part) if field.name == name]

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

    @property
    def edited_header(self) -> bytes | None:
        """The header with its empty line as it is now; None while nothing was edited."""
        if not self._is_edited:
            return None
        if self._edited is None:
            self._edited = b"".join(field.octets for field in self._own)
        return self._edited
