"""LOGIN (RFC 9051 §6.2.3).

login = "LOGIN" SP userid SP password;  userid = astring;  password = astring
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.errors import NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


class Login(msgspec.Struct, frozen=True):
    """A name and a password."""

    name: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.name!r}, ...)"


def parse(cursor: Cursor) -> Login:
    """login"""
    cursor.space()
    name = cursor.text_string()
    cursor.space()
    return Login(name, cursor.text_string())


async def run(session: "Session", command: Login) -> Ok:
    """Log in, under TLS only."""
    if not session.may_login:
        raise NoError("Encryption is needed first", "PRIVACYREQUIRED")
    return await session.login(command.name, command.password)
