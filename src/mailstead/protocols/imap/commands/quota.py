"""GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208): one quota root of the whole account, "", in units of 1024 octets.

getquota = "GETQUOTA" SP astring;  getquotaroot = "GETQUOTAROOT" SP mailbox
"""

from typing import TYPE_CHECKING

from mailstead.foundation.errors import PermissionDeniedError
from mailstead.protocols.imap.errors import NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import mailbox, shown
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


def parse_root(cursor: Cursor) -> str:
    """getquota: the root's name"""
    cursor.space()
    return cursor.text_string()


def parse_mailbox(cursor: Cursor) -> str:
    """getquotaroot: the mailbox's name"""
    cursor.space()
    return mailbox(cursor)


def parse_set(cursor: Cursor) -> str:
    """setquota = "SETQUOTA" SP astring SP setquota-list"""
    cursor.space()
    name = cursor.text_string()
    cursor.space()
    cursor.expect(b"(")
    while not cursor.take(b")"):
        cursor.word()
        cursor.space()
        cursor.number64()
        cursor.take(b" ")
    return name


def _quota(session: "Session") -> bytes:
    used = session.opened.usage().size
    return b'* QUOTA "" (STORAGE %d %d)\r\n' % ((used + 1023) // 1024, session.quota // 1024)


async def run_root(session: "Session", root: str) -> Ok:
    """Usage and limit of the root."""
    if root:
        raise NoError("No such quota root", "NONEXISTENT")
    session.write(_quota(session))
    return Ok()


async def run_mailbox(session: "Session", name: str) -> Ok:
    """The root of a mailbox, with its usage and limit."""
    folder = session.opened.folder(name)
    session.write(b'* QUOTAROOT %b ""\r\n' % shown(folder.name, session.enabled.utf8) + _quota(session))
    return Ok()


async def run_set(_: "Session", __: str) -> Ok:
    """Quotas are set by those who run the server."""
    raise PermissionDeniedError
