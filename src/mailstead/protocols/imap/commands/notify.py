"""NOTIFY (RFC 5465).

notify = "NOTIFY" SP ("SET" [SP "STATUS"] SP event-group *(SP event-group) / "NONE")
event-group = "(" filter-mailboxes SP ("(" event *(SP event) ")" / "NONE") ")"
filter-mailboxes = "SELECTED" / "SELECTED-DELAYED" / "INBOXES" / "PERSONAL" / "SUBSCRIBED" /
                   ("SUBTREE" / "MAILBOXES") SP (mailbox / "(" mailbox *(SP mailbox) ")")
event = "MessageNew" [SP "(" fetch-att *(SP fetch-att) ")"] / "MessageExpunge" / "FlagChange" / "MailboxName" /
        "SubscriptionChange" / "MailboxMetadataChange" / "ServerMetadataChange"
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.fetch import FetchItems, fetch_items
from mailstead.protocols.imap.grammar.names import mailbox
from mailstead.protocols.imap.notifications import EventGroup, Notifications
from mailstead.protocols.imap.responses import Ok

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_SELECTED = frozenset({"SELECTED", "SELECTED-DELAYED"})
_NAMED = frozenset({"SUBTREE", "MAILBOXES"})
_FILTERS = _SELECTED | _NAMED | {"INBOXES", "PERSONAL", "SUBSCRIBED"}
_MESSAGE_EVENTS = frozenset({"MESSAGENEW", "MESSAGEEXPUNGE", "FLAGCHANGE"})
_EVENTS = {
    name.upper(): name
    for name in (
        "MessageNew",
        "MessageExpunge",
        "FlagChange",
        "MailboxName",
        "SubscriptionChange",
        "MailboxMetadataChange",
        "ServerMetadataChange",
    )
}
_NAMES_LIMIT = 1000


class Notify(msgspec.Struct, frozen=True):
    """Groups of events, none to switch it off; `status`: tell STATUS of all mailboxes at once."""

    groups: tuple[EventGroup, ...]
    status: bool = False


def parse(cursor: Cursor) -> Notify:
    """notify"""
    cursor.space()
    match cursor.word():
        case "NONE":
            return Notify(())
        case "SET":
            pass
        case _:
            raise CommandError("SET or NONE is wanted")
    cursor.space()
    status = cursor.peek_word() == "STATUS"
    if status:
        cursor.word()
        cursor.space()
    groups = [_group(cursor)]
    while cursor.take(b" "):
        groups.append(_group(cursor))
    if sum(group.filter in _SELECTED for group in groups) > 1:
        raise CommandError("The selected mailbox stands in one group")
    return Notify(tuple(groups), status)


def _group(cursor: Cursor) -> EventGroup:
    """event-group"""
    cursor.expect(b"(")
    word = cursor.word()
    if word not in _FILTERS:
        raise CommandError("Mailbox filter not known")
    names: list[str] = []
    if word in _NAMED:
        cursor.space()
        if cursor.take(b"("):
            while not cursor.take(b")"):
                if names:
                    cursor.space()
                names.append(mailbox(cursor))
                if len(names) > _NAMES_LIMIT:
                    raise CommandError("Too many mailboxes")
        else:
            names.append(mailbox(cursor))
    cursor.space()
    events, fetch = _events(cursor)
    cursor.expect(b")")
    _check(word, events, fetch)
    return EventGroup(word, tuple(names), events, fetch)


def _events(cursor: Cursor) -> tuple[frozenset[str], FetchItems | None]:
    """events, and the fetch-atts of MessageNew"""
    if cursor.peek_word() == "NONE":
        cursor.word()
        return frozenset(), None
    cursor.expect(b"(")
    events: set[str] = set()
    fetch: FetchItems | None = None
    while not cursor.take(b")"):
        if events:
            cursor.space()
        word = cursor.word()
        if word not in _EVENTS:
            raise NoError("Event not known", f"BADEVENT ({' '.join(_EVENTS.values())})")
        events.add(word)
        if word == "MESSAGENEW" and cursor.take(b" ("):
            cursor.place -= 1
            fetch = fetch_items(cursor)
    return frozenset(events), fetch


def _check(word: str, events: frozenset[str], fetch: FetchItems | None) -> None:
    """The rules of RFC 5465 §8 on what goes together."""
    if word in _SELECTED and not events <= _MESSAGE_EVENTS:
        raise CommandError("The selected mailbox has message events only")
    if word not in _SELECTED and fetch is not None:
        raise CommandError("Only the selected mailbox's messages are fetched")
    if ("MESSAGENEW" in events) != ("MESSAGEEXPUNGE" in events):
        raise CommandError("MessageNew and MessageExpunge go together")
    if "FLAGCHANGE" in events and "MESSAGENEW" not in events:
        raise CommandError("FlagChange goes with MessageNew and MessageExpunge")


async def run(session: "Session", command: Notify) -> Ok:
    """Replace what is told unasked."""
    session.stop_notifications()
    if command.groups:
        session.notifications = await Notifications.begin(session, command.groups)
        if command.status:
            session.write(session.notifications.status())
    return Ok()
