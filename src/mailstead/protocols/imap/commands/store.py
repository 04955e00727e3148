"""STORE and UID STORE (RFC 9051 §6.4.6, RFC 7162 §3.1.3).

store = "STORE" SP sequence-set [SP "(" "UNCHANGEDSINCE" SP mod-sequence-valzer ")"] SP store-att-flags
store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))
"""

import re
from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.flags import Flags, store_flags
from mailstead.protocols.imap.grammar.sequence import SequenceSet, format_sequence, sequence_set
from mailstead.protocols.imap.responses import Ok
from mailstead.stores.mailbox.records import Operation

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_ACTION = re.compile(rb"([+-]?)FLAGS(\.SILENT)?(?= )", re.IGNORECASE)
_FEW = 100
_OPERATIONS: dict[bytes, Operation] = {b"+": "add", b"-": "remove", b"": "replace"}


class Store(msgspec.Struct, frozen=True):
    """Messages, what to do with which flags; `unchanged_since` None without the condition."""

    messages: SequenceSet
    operation: Operation
    flags: Flags
    silent: bool
    by_uid: bool
    unchanged_since: int | None = None


def parse(cursor: Cursor, *, by_uid: bool = False) -> Store:
    """store"""
    cursor.space()
    messages = sequence_set(cursor)
    cursor.space()
    unchanged_since = None
    if cursor.take(b"("):
        if cursor.word() != "UNCHANGEDSINCE":
            raise CommandError("STORE modifier not known")
        cursor.space()
        unchanged_since = cursor.number64()
        cursor.expect(b")")
        cursor.space()
    found = _ACTION.match(cursor.text, cursor.place)
    if found is None:
        raise CommandError("FLAGS, +FLAGS or -FLAGS is wanted")
    cursor.place = found.end()
    cursor.space()
    return Store(messages, _OPERATIONS[found[1]], store_flags(cursor), bool(found[2]), by_uid, unchanged_since)


async def run(session: "Session", command: Store) -> Ok:
    """Change flags and tell them, unless told to be silent."""
    view = session.writable
    if command.unchanged_since is not None:
        session.enable_condstore()
    slices = view.slices(command.messages, by_uid=command.by_uid)
    wanted = sum(high - low for low, high in slices)
    stored = await (session.run_write if wanted <= _FEW else session.run)(
        view.mailbox.store,
        view.folder.id,
        view.uid_ranges(slices),
        command.operation,
        command.flags.bits,
        command.flags.keywords,
        command.unchanged_since,
    )
    enabled = session.enabled
    # what others did to the same messages meanwhile is told however silent the command is (RFC 9051 §6.4.6)
    silent = view.apply(stored) and command.silent
    if not silent or enabled.condstore:
        tell = view.fetch_modseq if silent else view.fetch_flags  # RFC 7162 §3.1.3
        lines = [tell(place, row[3], enabled) for row in stored.changed if (place := view.index(row[0])) >= 0]
        session.write(b"".join(lines))
    modified = b""
    if stored.modified:
        numbers = stored.modified if command.by_uid else view.numbers_of(stored.modified)
        modified = b"MODIFIED %b" % format_sequence(numbers)
    if not command.by_uid and len(stored.changed) + len(stored.modified) < wanted:
        raise NoError("Some of these messages are gone", "EXPUNGEISSUED")
    return Ok("Done" if not modified else "Some were changed meanwhile", modified)
