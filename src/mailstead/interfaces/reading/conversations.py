"""Conversations: a window of a folder where one row stands for a thread, and all that a thread holds."""

from array import array
from collections.abc import Collection, Sequence

import msgspec

from mailstead.interfaces.reading.listing import MessageRow, message_rows
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.threads import ThreadHead

_CHUNK = 100
THREAD_LIMIT = 50


class Conversation(msgspec.Struct, frozen=True):
    """A thread's newest message in the folder, with how many it has there; `unseen` of them were not read."""

    row: MessageRow
    messages: int = 1
    unseen: int = 0


class Window(msgspec.Struct, frozen=True):
    """Conversations of a folder of `total` messages. Offsets count messages from the newest; None where it ends."""

    rows: tuple[Conversation, ...]
    total: int
    offset: int
    newer: int | None
    older: int | None


def conversations(mailbox: Mailbox, folder_id: int, *, offset: int, limit: int) -> Window:
    """The window from `offset` on, newest first. Runs on a thread."""
    uids = array("I", mailbox.snapshot(folder_id).uids)
    total = len(uids)
    offset = min(offset, total)
    heads, past = _walk(mailbox, folder_id, uids, total - offset, limit, -1)
    rows = {row.uid: row for row in message_rows(mailbox, folder_id, sorted(head.uid for head in heads))}
    newer = None
    if offset:
        _, above = _walk(mailbox, folder_id, uids, total - offset, limit, 1)
        newer = max(total - above, 0)
    shown = [Conversation(rows[head.uid], head.messages, head.unseen) for head in heads if head.uid in rows]
    return Window(tuple(shown), total, offset, newer, total - past if past > 0 else None)


def flat(rows: Sequence[MessageRow], total: int, offset: int, limit: int) -> Window:
    """A window in which each message stands for itself."""
    newer = max(offset - limit, 0) if offset else None
    older = offset + limit if offset + limit < total else None
    return Window(tuple(Conversation(row, 1, not row.is_seen) for row in rows), total, offset, newer, older)


def _walk(
    mailbox: Mailbox, folder_id: int, uids: Sequence[int], border: int, limit: int, step: int
) -> tuple[list[ThreadHead], int]:
    """At most `limit` heads below (`step` -1) or above `border`, an index into `uids`; and the border past them."""
    found: list[ThreadHead] = []
    while border > 0 if step < 0 else border < len(uids):
        start, end = (max(border - _CHUNK, 0), border) if step < 0 else (border, min(border + _CHUNK, len(uids)))
        heads = {head.uid: head for head in mailbox.thread_heads(folder_id, uids[start], uids[end - 1])}
        for place in range(end - 1, start - 1, -1) if step < 0 else range(start, end):
            border = place if step < 0 else place + 1
            head = heads.get(uids[place])
            if head is not None:
                found.append(head)
                if len(found) == limit:
                    return found, border
    return found, border


def thread_places(mailbox: Mailbox, folder_id: int, thread_id: int, but: Collection[int]) -> list[tuple[int, int]]:
    """Folder and uid of each message of a thread, the oldest first, in no folder of `but`; a message that lies in
    several is named where `folder_id` has it. Runs on a thread."""
    places: dict[int, tuple[int, int]] = {}
    for folder, uid, message_id in mailbox.thread_entries(thread_id, THREAD_LIMIT):
        if folder not in but and (message_id not in places or folder == folder_id):
            places[message_id] = (folder, uid)
    return list(places.values())
