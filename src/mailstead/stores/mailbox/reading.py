"""What sessions read of a mailbox: counts, entries, rows, octets. Every method is one consistent view, on any thread."""

from collections.abc import Iterator, Sequence
from typing import Any

from mailstead.formats.message.part import Bounds
from mailstead.stores.mailbox import entries, folders, metadata
from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.content import MessageContent
from mailstead.stores.mailbox.errors import NoSuchFolderError
from mailstead.stores.mailbox.handle import Handle
from mailstead.stores.mailbox.recipe import read_messages
from mailstead.stores.mailbox.records import Changes, EntryRow, Folder, FolderStatus, Ranges, Snapshot
from mailstead.stores.mailbox.search.order import SortKey, in_order
from mailstead.stores.mailbox.threads import ThreadHead, thread_entries, thread_heads, whole_threads


class MailboxReading:
    """The reading half of `Mailbox`."""

    def __init__(self, handle: Handle, bounds: Bounds, undelete_days: int, tombstone_days: int) -> None:
        self._handle = handle
        self._bounds = bounds
        self._undelete_days = undelete_days
        self._tombstone_days = tombstone_days

    @property
    def id(self) -> str:
        """The mailbox's id."""
        return self._handle.mailbox_id

    @property
    def is_at_hand(self) -> bool:
        """Whether a read would begin at once, without a file to open."""
        return self._handle.is_free

    def overview(self) -> list[tuple[Folder, int]]:
        """All folders, each with its number of messages."""
        with self._handle.read() as connection:
            counts = dict(select(connection, "SELECT id, messages FROM folder"))
            return [(folder, counts[folder.id]) for folder in folders.list_folders(connection)]

    def status(self, folder_id: int) -> FolderStatus:
        """Counts of a folder. Raises NoSuchFolderError."""
        with self._handle.read() as connection:
            return folders.folder_status(connection, folder_id)

    def entries(self, folder_id: int, after_uid: int = 0) -> list[EntryRow]:
        """uid, flags, keywords, modseq of every entry past `after_uid`."""
        with self._handle.read() as connection:
            return entries.all_entries(connection, folder_id, after_uid)

    def changes(self, folder_id: int, since_modseq: int) -> Changes:
        """What changed since. Raises NoSuchFolderError when the folder is gone."""
        with self._handle.read() as connection:
            return entries.changes_since(connection, folder_id, since_modseq)

    def snapshot(self, folder_id: int) -> Snapshot:
        """All entries of a folder at one moment. Raises NoSuchFolderError."""
        with self._handle.read() as connection:
            return self._handle.snapshots.read(connection, folder_id)

    def has_snapshot(self, folder_id: int) -> bool:
        """Whether `snapshot` would read little."""
        return self._handle.snapshots.has(folder_id)

    def highestmodseq(self, folder_id: int) -> int:
        """The folder's last modseq. Raises NoSuchFolderError."""
        with self._handle.plain() as connection:
            rows = select(connection, "SELECT highestmodseq FROM folder WHERE id = ?", (folder_id,))
        if not rows:
            raise NoSuchFolderError
        return int(rows[0][0])

    def expunged(self, folder_id: int, since_modseq: int) -> list[int]:
        """Uids that left a folder since, ascending; see `pruned_modseq`."""
        with self._handle.plain() as connection:
            return entries.expunged_since(connection, folder_id, since_modseq)

    def highest_of(self, folder_id: int, uids: Sequence[int]) -> int:
        """The highest modseq among ascending uids, 0 when none of them is there."""
        wanted = set(uids)
        rows = self.page(folder_id, uids[0], uids[-1], ("uid", "modseq"))
        return max((modseq for uid, modseq in rows if uid in wanted), default=0)

    def page(self, folder_id: int, first: int, last: int, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """Rows of `columns` of the entries from uid `first` to `last`, by uid. See entries.COLUMNS."""
        with self._handle.plain() as connection:
            return select(connection, entries.page_statement(tuple(columns)), (folder_id, first, last))

    def pruned_modseq(self, folder_id: int) -> int:
        """Up to which modseq the log of expunged uids was pruned."""
        with self._handle.read() as connection:
            rows = select(connection, "SELECT pruned_modseq FROM folder WHERE id = ?", (folder_id,))
            return int(rows[0][0]) if rows else 0

    def rows(
        self, folder_id: int, ranges: Ranges, columns: Sequence[str], chunk: int = 500
    ) -> Iterator[list[tuple[Any, ...]]]:
        """Rows of entries in lists of at most about `chunk`; `columns` begin with uid. See entries.COLUMNS."""
        with self._handle.stream() as connection:
            yield from entries.read_rows(connection, folder_id, ranges, columns, chunk)

    def thread_heads(self, folder_id: int, first: int, last: int) -> list[ThreadHead]:
        """The threads of the entries from uid `first` to `last`, as the whole folder has them."""
        with self._handle.plain() as connection:
            return thread_heads(connection, folder_id, first, last)

    def thread_entries(self, thread_id: int, most: int) -> list[tuple[int, int, int]]:
        """Folder, uid and message id of a thread's latest `most` entries, the oldest first."""
        with self._handle.plain() as connection:
            return thread_entries(connection, thread_id, most)

    def whole_threads(self, folder_id: int, uids: Sequence[int]) -> list[int]:
        """Ascending uids of all messages of a folder that share a thread with one of `uids`."""
        with self._handle.read() as connection:
            return whole_threads(connection, folder_id, list(uids))

    def content(self, message_id: int) -> MessageContent:
        """The octets of a message. Raises NoSuchFolderError when it is gone."""
        with self._handle.read() as connection:
            rows = select(
                connection,
                "SELECT m.size, c.parts, c.recipe FROM message m JOIN content c ON c.message_id = m.id WHERE m.id = ?",
                (message_id,),
            )
        if not rows:
            raise NoSuchFolderError("The message is gone")
        return MessageContent(self._handle, message_id, *rows[0])

    def read_many(self, wanted: Sequence[tuple[bytes, int, int]]) -> list[bytes]:
        """The octets from `start` to `end` of many messages, given as (recipe, start, end), in order.

        `recipe` is the column of that name. All is in memory at once: ask for a few megabytes at a time.
        """
        with self._handle.plain() as connection:
            return read_messages(connection, connection.codec, wanted)

    def content_of_row(
        self, message_id: int, size: int, parts: bytes, recipe: bytes, octets: bytes | None = None
    ) -> MessageContent:
        """The octets of a message whose columns size, parts and recipe were read with `rows`.

        `octets` are the message when it was read already, with `read_many`.
        """
        return MessageContent(self._handle, message_id, size, parts, recipe, octets)

    def recent(self, folder_id: int) -> tuple[int, int]:
        """The first and the last uid that no session was told of; the last is less when there is none."""
        status = self.status(folder_id)
        return status.recent_from, status.uidnext - 1

    def recent_count(self, folder_id: int, recent_from: int) -> int:
        """How many messages have a uid from `recent_from` on."""
        with self._handle.plain() as connection:
            statement = "SELECT count(*) FROM entry WHERE folder_id = ? AND uid >= ?"
            return int(select(connection, statement, (folder_id, recent_from))[0][0])

    def deleted_size(self, folder_id: int) -> int:
        """Octets of the messages with \\Deleted."""
        with self._handle.plain() as connection:
            return entries.deleted_size(connection, folder_id)

    def all_metadata(self) -> dict[tuple[int, str], bytes]:
        """All entries of all folders, by folder id and name."""
        with self._handle.read() as connection:
            return metadata.read_all(connection)

    def in_order(self, folder_id: int, uids: Sequence[int], keys: Sequence[SortKey]) -> list[int]:
        """Ascending uids, sorted by the keys."""
        with self._handle.read() as connection:
            return in_order(connection, folder_id, uids, keys)
