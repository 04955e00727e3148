"""The part of DNS messages that a stub resolver writes and reads (RFC 1035 §4.1).

Names are kept as they travel: length and octets of each label, lower case, without compression. Records are only
located here; their data is read when an answer is made of them. Every length and pointer is checked: a pointer must
point before the name it stands in, so none can loop.
"""

import struct
from typing import NamedTuple

A, CNAME, SOA, TXT, AAAA, OPT = 1, 5, 6, 16, 28, 41
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED, BADVERS = 0, 1, 2, 3, 4, 5, 16
EDNS_PAYLOAD = 1232
_IN = 1
_HEADER = struct.Struct("!6H")
_QUESTION = struct.Struct("!HH")
_RECORD = struct.Struct("!HHIH")
_OPTION = struct.pack("!BHHIH", 0, OPT, EDNS_PAYLOAD, 0, 0)
_RESPONSE, _OPCODE, _TRUNCATED, _RECURSION_DESIRED, _AUTHENTICATED, _RCODE = 0x8000, 0x7800, 0x0200, 0x0100, 0x0020, 0xF
_NAME_LIMIT = 255
_WITHOUT_QUESTION = frozenset({FORMERR, SERVFAIL, NOTIMP, REFUSED})


class MalformedError(Exception):
    """The octets are no DNS message, or none that hangs together."""


class Question(NamedTuple):
    """A name as it travels, and a type's number."""

    name: bytes
    kind: int


class Record(NamedTuple):
    """Where a record's data stands in its message."""

    name: bytes
    kind: int
    ttl: int
    start: int
    size: int


class Reply(NamedTuple):
    """A message that answers a question."""

    wire: bytes
    rcode: int
    truncated: bool
    authenticated: bool
    answers: list[Record]
    authorities: list[Record]

    def find(self, name: bytes, kind: int) -> list[Record]:
        """The answer's records of one name and type."""
        return [record for record in self.answers if record.kind == kind and record.name == name]


def encode_name(name: str) -> bytes:
    """A name that `names.ascii_name` returned, as it travels."""
    return b"".join(bytes([len(label)]) + label for label in name.encode("ascii").split(b".")) + b"\x00"


def encode_query(identifier: int, question: Question, *, edns: bool) -> bytes:
    """A query with recursion desired that asks for AD in the answer, without the signatures (RFC 6840 §5.7)."""
    flags = _RECURSION_DESIRED | _AUTHENTICATED
    header = _HEADER.pack(identifier, flags, 1, 0, 0, int(edns))
    return header + question.name + _QUESTION.pack(question.kind, _IN) + (_OPTION if edns else b"")


def read_reply(wire: bytes, identifier: int, question: Question) -> Reply | None:
    """What `wire` answers; None when it is no answer to this question (RFC 5452 §9.1). Raises MalformedError."""
    if len(wire) < _HEADER.size:
        return None
    found, flags, questions, answers, authorities, additionals = _HEADER.unpack_from(wire)
    if found != identifier or flags & (_RESPONSE | _OPCODE) != _RESPONSE:
        return None
    rcode = flags & _RCODE
    position = _HEADER.size
    if questions == 1:
        end = position + len(question.name)
        if wire[position:end].lower() != question.name or wire[end : end + 4] != _QUESTION.pack(question.kind, _IN):
            return None
        position = end + 4
    elif questions or rcode not in _WITHOUT_QUESTION:
        return None
    truncated, authenticated = bool(flags & _TRUNCATED), bool(flags & _AUTHENTICATED)
    if truncated:  # the rest may be cut anywhere, and is asked for again
        return Reply(wire, rcode, truncated, authenticated, [], [])
    try:
        answer_records, position = _records(wire, position, answers)
        authority_records, position = _records(wire, position, authorities)
        others, _ = _records(wire, position, additionals)
    except (IndexError, struct.error) as error:
        raise MalformedError("cut short") from error
    for record in others:
        if record.kind == OPT:
            rcode |= record.ttl >> 24 << 4  # RFC 6891 §6.1.3
    return Reply(wire, rcode, truncated, authenticated, answer_records, authority_records)


def _records(wire: bytes, position: int, count: int) -> tuple[list[Record], int]:
    records = []
    for _ in range(count):
        name, position = read_name(wire, position)
        kind, record_class, ttl, size = _RECORD.unpack_from(wire, position)
        position += _RECORD.size
        if position + size > len(wire):
            raise MalformedError("record cut short")
        if record_class == _IN or kind == OPT:
            records.append(Record(name, kind, ttl, position, size))
        position += size
    return records, position


def read_name(wire: bytes, position: int) -> tuple[bytes, int]:
    """The name at `position` and the position behind it. Raises MalformedError, IndexError past the message's end."""
    labels: list[bytes] = []
    size = 1
    behind = 0
    start = position
    while length := wire[position]:
        if length >= 0xC0:
            target = (length & 0x3F) << 8 | wire[position + 1]
            if target >= start:
                raise MalformedError("compression pointer does not point back")
            behind = behind or position + 2
            position = start = target
            continue
        if length > 0x3F:
            raise MalformedError("label of unknown kind")
        size += 1 + length
        if size > _NAME_LIMIT:
            raise MalformedError("name too long")
        labels.append(wire[position : position + 1 + length])
        position += 1 + length
    return b"".join(labels).lower() + b"\x00", behind or position + 1
