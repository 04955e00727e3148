"""ENABLE (RFC 9051 §6.3.1).

enable = "ENABLE" 1*(SP capability);  enable-data = "ENABLED" *(SP capability)
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.enabled import Enabled
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


_SWITCHES: dict[str, tuple[str, str]] = {}


def switch_on(enabled: Enabled, name: str) -> str:
    """Switch a capability on: its name when that changed anything, else ""."""
    switch = _SWITCHES.get(name)
    if switch is None or getattr(enabled, switch[0]):
        return ""
    setattr(enabled, switch[0], True)
    return switch[1]


async def run(session: "Session", command: Enable) -> Ok:
    """Switch on what is known, pass over the rest."""
    done = [text for name in command.names if (text := switch_on(session.enabled, name))]
    session.write(b"* ENABLED%b\r\n" % "".join(f" {name}" for name in done).encode())
    return Ok()
