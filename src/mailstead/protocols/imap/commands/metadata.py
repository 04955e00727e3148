"""GETMETADATA and SETMETADATA (RFC 5464): notes of a client's own on a mailbox, or on the account with the name "".

getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP (entry / "(" entry *(SP entry) ")")
getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"
getmetadata-option = "MAXSIZE" SP number / "DEPTH" SP ("0" / "1" / "infinity")
setmetadata = "SETMETADATA" SP mailbox SP "(" entry SP value *(SP entry SP value) ")";  value = nstring / literal8
"""

import re
from typing import TYPE_CHECKING

import msgspec

from mailstead.formats.message.imap_string import string
from mailstead.foundation.spool import Spool
from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import mailbox, shown
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_ENTRY = re.compile(r"/(?:private|shared)(?:/[^/*%\x00-\x1f\x7f-\uffff]{1,100}){0,16}")
_ENTRIES_LIMIT = 200
_DEPTHS = {"0": 0, "1": 1, "INFINITY": 16}


class GetMetadata(msgspec.Struct, frozen=True):
    """Entries of a mailbox; `depth` levels below them too, values of at most `size_most` octets."""

    name: str
    entries: tuple[str, ...]
    depth: int = 0
    size_most: int | None = None


class SetMetadata(msgspec.Struct, frozen=True):
    """Entries of a mailbox with their values, None to remove one."""

    name: str
    values: tuple[tuple[str, bytes | None], ...]


def _entry(cursor: Cursor) -> str:
    """entry = astring, a path that begins with /private/ or /shared/, case ignored"""
    name = cursor.text_string().lower()
    if not _ENTRY.fullmatch(name):
        raise CommandError("Bad entry name")
    return name


def parse_get(cursor: Cursor) -> GetMetadata:
    """getmetadata"""
    cursor.space()
    depth, size_most = 0, None
    if cursor.take(b"("):
        first = True
        while not cursor.take(b")"):
            if not first:
                cursor.space()
            first = False
            match cursor.word():
                case "MAXSIZE":
                    cursor.space()
                    size_most = cursor.number()
                case "DEPTH":
                    cursor.space()
                    word = cursor.word()
                    if word not in _DEPTHS:
                        raise CommandError("Bad DEPTH")
                    depth = _DEPTHS[word]
                case _:
                    raise CommandError("Option not known")
        cursor.space()
    name = mailbox(cursor)
    cursor.space()
    entries: list[str] = []
    if cursor.take(b"("):
        while not cursor.take(b")"):
            if entries:
                cursor.space()
            entries.append(_entry(cursor))
            if len(entries) > _ENTRIES_LIMIT:
                raise CommandError("Too many entries")
    else:
        entries.append(_entry(cursor))
    if not entries:
        raise CommandError("An entry is wanted")
    return GetMetadata(name, tuple(entries), depth, size_most)


def parse_set(cursor: Cursor) -> SetMetadata:
    """setmetadata"""
    cursor.space()
    name = mailbox(cursor)
    cursor.space()
    cursor.expect(b"(")
    values: list[tuple[str, bytes | None]] = []
    while not cursor.take(b")"):
        if values:
            cursor.space()
        entry = _entry(cursor)
        if entry.count("/") < 2:
            raise CommandError("Bad entry name")
        cursor.space()
        values.append((entry, _value(cursor)))
        if len(values) > _ENTRIES_LIMIT:
            raise CommandError("Too many entries")
    if not values:
        raise CommandError("An entry is wanted")
    return SetMetadata(name, tuple(values))


def _value(cursor: Cursor) -> bytes | None:
    """value"""
    if not cursor.is_at(b"\0"):
        return cursor.nstring()
    data = cursor.literal().data
    if isinstance(data, Spool):
        raise CommandError("A message where a value belongs")
    return data


def _folder_id(session: "Session", name: str) -> int:
    return session.opened.folder(name).id if name else 0


def _shown_value(value: bytes | None) -> bytes:
    if value is None:
        return b"NIL"
    return b"~{%d}\r\n%b" % (len(value), value) if b"\0" in value else string(value)


async def run_get(session: "Session", command: GetMetadata) -> Ok:
    """Tell the entries; those that are too long are left out and the longest length told."""
    held = session.opened.metadata(_folder_id(session, command.name))
    told: dict[str, bytes | None] = {}
    longest = 0
    for entry in command.entries:
        below = [
            name
            for name in held
            if name.startswith(entry + "/") and name.count("/") - entry.count("/") <= command.depth
        ]
        for name in [entry, *below]:
            value = held.get(name)
            if value is None and (command.depth or name != entry):
                continue
            if value is not None and command.size_most is not None and len(value) > command.size_most:
                longest = max(longest, len(value))
                continue
            told[name] = value
    if told:
        items = b" ".join(b"%b %b" % (name.encode(), _shown_value(value)) for name, value in told.items())
        session.write(b"* METADATA %b (%b)\r\n" % (shown(command.name, session.enabled.utf8), items))
    return Ok("Done", b"METADATA LONGENTRIES %d" % longest if longest else b"")


async def run_set(session: "Session", command: SetMetadata) -> Ok:
    """Keep all values, or none."""
    settings = session.services.settings.imap
    if any(value is not None and len(value) > settings.metadata_size for _, value in command.values):
        raise NoError("A value is too long", f"METADATA MAXSIZE {settings.metadata_size}")
    folder_id = _folder_id(session, command.name)
    if not await session.run(session.opened.set_metadata, folder_id, command.values, settings.metadata_entries):
        raise NoError("Too many entries", "METADATA TOOMANY")
    return Ok()
