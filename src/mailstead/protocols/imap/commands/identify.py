"""ID (RFC 2971).

id = "ID" SP id-params-list;  id-params-list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil
"""

from typing import TYPE_CHECKING

import msgspec
import structlog

from mailstead.formats.message.imap_string import string
from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

log = structlog.get_logger("mailstead.imap")
_FIELDS, _FIELD_SIZE, _VALUE_SIZE = 30, 30, 1024  # RFC 2971 §3.3
_LOGGED = frozenset({b"name", b"version", b"os", b"vendor"})


class Identify(msgspec.Struct, frozen=True):
    """What a client says of itself."""

    fields: dict[bytes, bytes]


def parse(cursor: Cursor) -> Identify:
    """id-params-list"""
    cursor.space()
    fields: dict[bytes, bytes] = {}
    if not cursor.take(b"("):
        if cursor.word() != "NIL":
            raise CommandError("A list or NIL is wanted")
        return Identify(fields)
    count = 0
    while not cursor.take(b")"):
        if count:
            cursor.space()
        count += 1
        name = cursor.string()
        cursor.space()
        value = cursor.nstring()
        if count > _FIELDS or len(name) > _FIELD_SIZE or len(value or b"") > _VALUE_SIZE:
            raise CommandError("Too much of an ID")
        if value is not None:
            fields[name.lower()] = value
    return Identify(fields)


async def run(session: "Session", command: Identify) -> Ok:
    """Note the client, tell the server's name."""
    told = {name.decode(): command.fields[name].decode("utf-8", "replace") for name in _LOGGED & command.fields.keys()}
    log.info("client", connection=session.connection.id, client=told)
    session.write(b'* ID ("name" %b)\r\n' % string(b"Mailstead"))
    return Ok()
