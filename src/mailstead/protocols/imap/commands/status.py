"""STATUS (RFC 9051 §6.3.11, RFC 7162 §3.1.7, RFC 8474 §4.3, RFC 9208 §4.1.4, RFC 7889 §4).

status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
status-att = "MESSAGES" / "UIDNEXT" / "UIDVALIDITY" / "UNSEEN" / "DELETED" / "SIZE" / "RECENT" / "HIGHESTMODSEQ" /
             "MAILBOXID" / "APPENDLIMIT" / "DELETED-STORAGE"
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.names import mailbox, shown
from mailstead.protocols.imap.responses import Ok
from mailstead.stores.mailbox.records import Folder, FolderStatus

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_Show = Callable[["Session", Folder, FolderStatus], bytes]


def _deleted_storage(session: "Session", folder: Folder, _: FolderStatus) -> bytes:
    return b"%d" % session.opened.deleted_size(folder.id)


ITEMS: dict[str, _Show] = {
    "MESSAGES": lambda _, __, status: b"%d" % status.messages,
    "UIDNEXT": lambda _, __, status: b"%d" % status.uidnext,
    "UIDVALIDITY": lambda _, __, status: b"%d" % status.uidvalidity,
    "UNSEEN": lambda _, __, status: b"%d" % status.unseen,
    "DELETED": lambda _, __, status: b"%d" % status.deleted,
    "SIZE": lambda _, __, status: b"%d" % status.size,
    "RECENT": lambda session, folder, status: b"%d" % session.opened.recent_count(folder.id, status.recent_from),
    "HIGHESTMODSEQ": lambda _, __, status: b"%d" % status.highestmodseq,
    "MAILBOXID": lambda _, folder, __: b"(%b)" % folder.object_id.encode(),
    "APPENDLIMIT": lambda session, _, __: b"%d" % session.services.settings.message.size_limit,
    "DELETED-STORAGE": _deleted_storage,
}


class Status(msgspec.Struct, frozen=True):
    """A name and items."""

    name: str
    items: tuple[str, ...]


def status_items(cursor: Cursor) -> tuple[str, ...]:
    """ "(" status-att *(SP status-att) ")" """
    cursor.expect(b"(")
    items: dict[str, None] = {}
    while not cursor.take(b")"):
        if items:
            cursor.space()
        name = cursor.word()
        if name not in ITEMS:
            raise CommandError("STATUS item not known")
        items[name] = None
    if not items:
        raise CommandError("A STATUS item is wanted")
    return tuple(items)


def parse(cursor: Cursor) -> Status:
    """status"""
    cursor.space()
    name = mailbox(cursor)
    cursor.space()
    return Status(name, status_items(cursor))


def status_line(session: "Session", folder: Folder, items: tuple[str, ...]) -> bytes:
    """The STATUS response of a folder. Raises NoSuchFolderError."""
    status = session.opened.status(folder.id)
    shown_items = b" ".join(b"%b %b" % (item.encode(), ITEMS[item](session, folder, status)) for item in items)
    return b"* STATUS %b (%b)\r\n" % (shown(folder.name, session.enabled.utf8), shown_items)


async def run(session: "Session", command: Status) -> Ok:
    """Counts of a mailbox that need not be selected."""
    if "HIGHESTMODSEQ" in command.items:
        session.enable_condstore()
    session.write(status_line(session, session.opened.folder(command.name), command.items))
    return Ok()
