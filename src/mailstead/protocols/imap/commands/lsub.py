"""LSUB, of IMAP4rev1 (RFC 3501 §6.3.9).

lsub = "LSUB" SP mailbox SP list-mailbox
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import decode_name, mailbox, shown
from mailstead.protocols.imap.grammar.patterns import SEPARATOR, Pattern
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


class Lsub(msgspec.Struct, frozen=True):
    """A pattern, its reference before it."""

    pattern: str


def parse(cursor: Cursor) -> Lsub:
    """lsub"""
    cursor.space()
    reference = mailbox(cursor)
    cursor.space()
    return Lsub(reference + decode_name(cursor.list_mailbox(), cursor.utf8))


async def run(session: "Session", command: Lsub) -> Ok:
    r"""Subscribed names; with %, also names above them as \Noselect."""
    pattern = Pattern(command.pattern)
    found: dict[str, bytes] = {}
    for name in sorted(session.opened.subscriptions()):
        if pattern.matches(name):
            found[name] = b""
        elif command.pattern.endswith("%"):
            levels = name.split(SEPARATOR)
            for depth in range(1, len(levels)):
                above = SEPARATOR.join(levels[:depth])
                if pattern.matches(above):
                    found.setdefault(above, b"\\Noselect")
    utf8 = session.enabled.utf8
    lines = [b'* LSUB (%b) "/" %b\r\n' % (attributes, shown(name, utf8)) for name, attributes in sorted(found.items())]
    session.write(b"".join(lines))
    return Ok()
