"""COMPRESS (RFC 4978).

compress = "COMPRESS" SP "DEFLATE"
"""

from typing import TYPE_CHECKING

from mailstead.protocols.imap.compression import Compression
from mailstead.protocols.imap.errors import ClosedError, NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.responses import status

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


def parse(cursor: Cursor) -> str:
    """compress: the algorithm"""
    cursor.space()
    return cursor.atom().decode().upper()


async def run(session: "Session", algorithm: str) -> None:
    """Answer, then compress; what came before the answer was sent in the clear and cannot be told apart."""
    if algorithm != "DEFLATE":
        raise NoError("Algorithm not known", "CANNOT")
    if session.compression is not None:
        raise NoError("Compression is active", "COMPRESSIONACTIVE")
    if session.reader.has_input() or session.connection.has_buffered_input():
        raise ClosedError("Commands after COMPRESS must wait for its answer")
    session.write(status(session.tag, "OK", "DEFLATE active"))
    session.compression = Compression()
