"""AUTHENTICATE (RFC 9051 §6.2.2), with an initial response where the client sends one.

authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp] *(CRLF base64);  initial-resp = base64 / "="
"""

import base64
import re
from typing import TYPE_CHECKING

import msgspec

from mailstead.foundation.errors import AuthenticationError
from mailstead.foundation.sasl.mechanism import MECHANISMS, Challenge, Failed, decode_response
from mailstead.protocols.imap.errors import ClosedError, CommandError, NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_BASE64 = re.compile(rb"[A-Za-z0-9+/=]+")


class Authenticate(msgspec.Struct, frozen=True):
    """A mechanism, and the initial response as it came."""

    mechanism: str
    initial: bytes | None

    def __repr__(self) -> str:
        return f"Authenticate({self.mechanism!r}, ...)"


def parse(cursor: Cursor) -> Authenticate:
    """authenticate, its first line"""
    cursor.space()
    mechanism = cursor.atom().decode().upper()
    if not cursor.take(b" "):
        return Authenticate(mechanism, None)
    found = _BASE64.match(cursor.text, cursor.place)
    if found is None:
        raise CommandError("A response in base64 is wanted")
    cursor.place = found.end()
    return Authenticate(mechanism, found[0])


async def run(session: "Session", command: Authenticate) -> Ok:
    """Challenges and responses until there are credentials."""
    make = MECHANISMS.get(command.mechanism)
    if make is None:
        raise NoError("Mechanism not offered", "CANNOT")
    if not session.may_login:
        raise NoError("Encryption is needed first", "PRIVACYREQUIRED")
    mechanism = make()
    step = mechanism.step(None if command.initial is None else _decoded(command.initial))
    while isinstance(step, Challenge):
        session.write(b"+ %b\r\n" % base64.b64encode(step.data))
        line = await _line(session)
        if line == b"*":
            raise CommandError("Cancelled")
        step = mechanism.step(_decoded(line))
    if isinstance(step, Failed):
        raise AuthenticationError(f"Authentication failed: {step.why}")
    return await session.login(step.login, step.password, step.authorize_as)


def _decoded(line: bytes) -> bytes:
    response = decode_response(line)
    if response is None:
        raise CommandError("Not base64")
    return response


async def _line(session: "Session") -> bytes:
    while (line := session.reader.take_line()) is None:
        await session.flush()
        data = await session.read(session.patience)
        if not data:
            raise ClosedError("The exchange was cut off")
        session.reader.receive(data)
    return line
