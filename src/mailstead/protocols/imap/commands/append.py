"""APPEND, of several messages too (RFC 9051 §6.3.12, RFC 3502, RFC 3516 §4.4, RFC 6855 §4).

append = "APPEND" SP mailbox 1*append-message
append-message = [SP flag-list] [SP date-time] SP (literal / literal8 / "UTF8" SP "(" literal8 ")")
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.foundation.spool import Spool
from mailstead.protocols.imap.commands.copy import target_folder
from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.dates import date_time
from mailstead.protocols.imap.grammar.flags import Flags, flag_list
from mailstead.protocols.imap.grammar.names import mailbox
from mailstead.protocols.imap.grammar.reader import Literal
from mailstead.protocols.imap.grammar.sequence import format_sequence
from mailstead.protocols.imap.responses import Ok
from mailstead.stores.mailbox.flags import keyword_text
from mailstead.stores.mailbox.records import NewMessage

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_NO_FLAGS = Flags()


class Message(msgspec.Struct, frozen=True):
    """One message; `moment` in seconds since the epoch, None for now."""

    flags: Flags
    moment: int | None
    literal: Literal


class Append(msgspec.Struct, frozen=True):
    """A mailbox and messages."""

    name: str
    messages: tuple[Message, ...]


def message(cursor: Cursor) -> Message:
    """append-message, its first space passed"""
    flags, moment = _NO_FLAGS, None
    if cursor.is_at(b"("):
        flags = flag_list(cursor)
        cursor.space()
    if cursor.is_at(b'"'):
        moment = date_time(cursor)
        cursor.space()
    if cursor.peek_word() != "UTF8":
        return Message(flags, moment, cursor.literal())
    cursor.word()
    cursor.space()
    cursor.expect(b"(")
    literal = cursor.literal()
    cursor.expect(b")")
    if not literal.binary:
        raise CommandError("A literal8 is wanted")
    return Message(flags, moment, literal)


def parse(cursor: Cursor) -> Append:
    """append"""
    cursor.space()
    name = mailbox(cursor)
    cursor.space()
    messages = [message(cursor)]
    while cursor.take(b" "):
        messages.append(message(cursor))
    return Append(name, tuple(messages))


def new_message(session: "Session", made: Message) -> NewMessage:
    """What the store takes. Raises NoError for an empty message, by which a client takes back (RFC 3502 §3)."""
    data = made.literal.data
    raw = data.octets() if isinstance(data, Spool) else data
    if not len(raw):
        raise NoError("An empty message is not kept")
    moment = int(session.services.clock.now()) if made.moment is None else made.moment
    return NewMessage(raw, made.flags.bits, keyword_text(made.flags.keywords), moment)


async def run(session: "Session", command: Append) -> Ok:
    """Put all messages in, or none; APPENDUID tells where they are."""
    folder = target_folder(session, command.name)
    messages = [new_message(session, made) for made in command.messages]
    appended = await session.run(session.opened.append, folder.id, messages, session.quota)
    uids = format_sequence(one.uid for one in appended)
    return Ok("Done", b"APPENDUID %d %b" % (appended[0].uidvalidity, uids))
