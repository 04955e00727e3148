"""ENABLE (RFC 9051 §6.3.1; what it switches on: RFC 7162 §3.2.3, RFC 6855 §3, RFC 9586 §3).

enable = "ENABLE" 1*(SP capability);  enable-data = "ENABLED" *(SP capability)
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


class Enable(msgspec.Struct, frozen=True):
    """Names of capabilities, in capitals."""

    names: tuple[str, ...]


def parse(cursor: Cursor) -> Enable:
    """enable"""
    names: list[str] = []
    cursor.space()
    names.append(cursor.atom().decode().upper())
    while cursor.take(b" "):
        names.append(cursor.atom().decode().upper())
    return Enable(tuple(names))


def _rev2(session: "Session") -> bool:
    changed = not session.enabled.rev2
    session.enabled.rev2 = True
    return changed


def _condstore(session: "Session") -> bool:
    changed = not session.enabled.condstore
    session.enable_condstore()
    return changed


def _qresync(session: "Session") -> bool:
    """QRESYNC brings CONDSTORE with it (RFC 7162 §3.2.3)."""
    changed = not session.enabled.qresync
    session.enabled.qresync = True
    session.enable_condstore()
    return changed


def _uidonly(session: "Session") -> bool:
    changed = not session.enabled.uidonly
    session.enabled.uidonly = True
    return changed


def _utf8(session: "Session") -> bool:
    changed = not session.enabled.utf8_accept
    session.enabled.utf8_accept = True
    return changed


_SWITCHES: "dict[str, tuple[str, Callable[[Session], bool]]]" = {
    "CONDSTORE": ("CONDSTORE", _condstore),
    "IMAP4REV2": ("IMAP4rev2", _rev2),
    "QRESYNC": ("QRESYNC", _qresync),
    "UIDONLY": ("UIDONLY", _uidonly),
    "UTF8=ACCEPT": ("UTF8=ACCEPT", _utf8),
}


async def run(session: "Session", command: Enable) -> Ok:
    """Switch on what is known, pass over the rest."""
    done = []
    for name in command.names:
        if name in _SWITCHES:
            shown, switch_on = _SWITCHES[name]
            if switch_on(session):
                done.append(shown)
    session.write(b"* ENABLED%b\r\n" % "".join(f" {name}" for name in done).encode())
    return Ok()
