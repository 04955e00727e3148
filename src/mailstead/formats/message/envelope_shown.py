"""An ENVELOPE as stored (RFC 9051 §7.5.2), read back into names and addresses for display."""

import re
from collections.abc import Iterator
from email.headerregistry import Address as DisplayAddress
from functools import lru_cache
from typing import TypeAlias

import msgspec

from mailstead.formats.message.encoded_word import decode_header_value

_TOKEN = re.compile(rb'(\(|\)|NIL)|"((?:[^"\\]|\\.)*)"|\{(\d+)\+?\}\r\n', re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]+")
_KEPT_OCTETS = 200
_Value: TypeAlias = "bytes | list[_Value] | None"


class Person(msgspec.Struct, frozen=True):
    """Somebody's name and address; control and direction characters are taken out of the name."""

    name: str
    address: str

    @property
    def shown(self) -> str:
        """The name, or the address where there is none."""
        return self.name or self.address

    def __str__(self) -> str:
        return str(DisplayAddress(self.name, addr_spec=self.address)) if self.name else self.address


class EnvelopeShown(msgspec.Struct, frozen=True):
    """The envelope's fields, decoded."""

    subject: str
    sent: str
    senders: tuple[Person, ...]
    reply_to: tuple[Person, ...]
    to: tuple[Person, ...]
    cc: tuple[Person, ...]
    bcc: tuple[Person, ...]
    in_reply_to: str
    message_id: str


def clean(text: str) -> str:
    """One line without control and direction characters, which could make text look like other text."""
    return text.strip() if text.isprintable() else _CONTROL.sub(" ", text).strip()


def read_envelope(stored: bytes) -> EnvelopeShown:
    """The envelope of ready response bytes; what lacks is empty."""
    fields = _parse(stored)
    fields += [None] * (10 - len(fields))

    def text(place: int) -> str:
        value = fields[place]
        return clean(decode_header_value(value)) if isinstance(value, bytes) else ""

    return EnvelopeShown(
        subject=text(1),
        sent=text(0),
        senders=_people(fields[2]),
        reply_to=_people(fields[4]),
        to=_people(fields[5]),
        cc=_people(fields[6]),
        bcc=_people(fields[7]),
        in_reply_to=text(8),
        message_id=text(9).strip("<>"),
    )


def _parse(stored: bytes) -> "list[_Value]":
    stack: list[list[_Value]] = [[]]
    for mark, quoted, literal in _with_literals(stored) if b"{" in stored else _TOKEN.findall(stored):
        if not mark:
            if literal:
                stack[-1].append(literal)
            else:
                stack[-1].append(_ESCAPE.sub(rb"\1", quoted) if b"\\" in quoted else quoted)
        elif mark == b"(":
            stack.append([])
        elif mark == b"NIL":
            stack[-1].append(None)
        elif len(stack) < 2:
            break
        else:
            done = stack.pop()
            stack[-1].append(done)
    outer = stack[0][0] if stack[0] else None
    return outer if isinstance(outer, list) else []


def _with_literals(stored: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """A parenthesis or NIL, the inside of what is quoted, or the octets of a literal: one of the three."""
    position = 0
    while found := _TOKEN.search(stored, position):
        position = found.end()
        if found[3] is None:
            yield found[1] or b"", found[2] or b"", b""
            continue
        end = position + int(found[3])
        yield b"", b"", stored[position:end]
        position = end


def _people(value: "_Value") -> tuple[Person, ...]:
    if not isinstance(value, list):
        return ()
    people = []
    for one in value:
        if not isinstance(one, list) or len(one) != 4:
            continue
        name, _, local, domain = (part if isinstance(part, bytes) else b"" for part in one)
        if not domain:  # begin and end of a group
            continue
        is_short = len(name) + len(local) + len(domain) <= _KEPT_OCTETS
        people.append((_known_person if is_short else _person)(name, local, domain))
    return tuple(people)


def _person(name: bytes, local: bytes, domain: bytes) -> Person:
    address = clean(f"{local.decode('utf-8', 'replace')}@{domain.decode('utf-8', 'replace')}")
    return Person(clean(decode_header_value(name)).strip('"'), address)


_known_person = lru_cache(maxsize=4096)(_person)  # the same few people are in all messages of a list
