"""THREAD and UID THREAD (RFC 5256 §3).

thread = "THREAD" SP ("ORDEREDSUBJECT" / "REFERENCES") SP search-criteria;  search-criteria = charset 1*(SP search-key)
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.commands.search import find
from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.search import Keys, Program
from mailstead.protocols.imap.responses import Ok
from mailstead.protocols.imap.threads import ALGORITHMS, thread_list
from mailstead.protocols.imap.view import View

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session


class Thread(msgspec.Struct, frozen=True):
    """What to find, and how threads are made."""

    algorithm: str
    program: Program
    by_uid: bool


def parse(cursor: Cursor, *, by_uid: bool = False) -> Thread:
    """thread"""
    cursor.space()
    algorithm = cursor.word()
    if algorithm not in ALGORITHMS:
        raise CommandError("Threading algorithm not known")
    cursor.space()
    charset = cursor.text_string()
    cursor.space()
    return Thread(algorithm, Keys(cursor).program(charset), by_uid)


def _threads(view: View, command: Thread, uids: list[int]) -> bytes:
    """The response's list; on a thread."""
    messages = view.mailbox.threaded(view.folder.id, uids)
    number = (lambda uid: uid) if command.by_uid else (lambda uid: view.index(uid) + 1)
    return thread_list(ALGORITHMS[command.algorithm](messages), number)


async def run(session: "Session", command: Thread) -> Ok:
    """Find messages and tell them as threads."""
    view = session.selected
    uids = await find(session, view, command.program)
    threads = await session.run(_threads, view, command, uids)
    session.write(b"* THREAD%b\r\n" % (b" " + threads if threads else b""))
    return Ok()
