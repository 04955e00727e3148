"""A mailbox as protocols use it. Every method is one consistent view or one durable transaction, on any thread."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import apsw
import msgspec

from mailstead.foundation.crypto.seal import KeyPair, open_stream
from mailstead.foundation.crypto.stream import SealError
from mailstead.foundation.errors import OverQuotaError
from mailstead.stores.mailbox import check, compaction, entries, folders, lessons, metadata, undelete
from mailstead.stores.mailbox.capture import capture_open
from mailstead.stores.mailbox.connection import select, transaction
from mailstead.stores.mailbox.dav import objects
from mailstead.stores.mailbox.dav.store import DavStore
from mailstead.stores.mailbox.filing import Filed, file_messages
from mailstead.stores.mailbox.handle import log
from mailstead.stores.mailbox.lessons import Known, Lesson
from mailstead.stores.mailbox.messages import (
    Prepared,
    add_messages,
    is_first,
    is_imported,
    note_imported,
    prepare,
)
from mailstead.stores.mailbox.reading import MailboxReading
from mailstead.stores.mailbox.records import (
    Appended,
    Copied,
    Folder,
    NewMessage,
    Operation,
    Ranges,
    Receipt,
    Stored,
    Usage,
)
from mailstead.stores.mailbox.sealed import FORMER_KEYS, SealedHeader, former_pairs, key_pair, read_sealed, waiting
from mailstead.stores.mailbox.search.ancestry import Threaded, keep, threaded
from mailstead.stores.mailbox.search.compile import Search
from mailstead.stores.mailbox.search.criteria import Criterion
from mailstead.stores.mailbox.search.fulltext import BATCH, index_batch, pending
from mailstead.stores.mailbox.snoozed import SnoozeStore
from mailstead.stores.mailbox.undelete import Expunged

_DAY = 86400


_PREPARED_OCTETS = 8 * 1024 * 1024


def _check_quota(connection: apsw.Connection, room: int) -> None:
    """Raises OverQuotaError when folders and collections hold more than `room` octets."""
    if folders.used(connection) > room:
        raise OverQuotaError


class Mailbox(MailboxReading):
    """One open mailbox."""

    @property
    def dav(self) -> DavStore:
        """Calendars and address books."""
        return DavStore(self._handle)

    @property
    def snoozed(self) -> SnoozeStore:
        """Messages that were put off."""
        return SnoozeStore(self._handle)

    def hold(self) -> None:
        """Count as a session: while this object lives, its file's key is kept at hand."""
        self._handle.users.add(self)

    def at_once(self) -> AbstractContextManager[None]:
        """Within it a write that would have to wait for another one raises MailboxBusyError instead."""
        return self._handle.at_once()

    # folders

    def folders(self) -> list[Folder]:
        """All folders by name, INBOX first."""
        with self._handle.read() as connection:
            return folders.list_folders(connection)

    def folder(self, name: str) -> Folder:
        """The folder of that name. Raises NoSuchFolderError."""
        with self._handle.read() as connection:
            return folders.find_folder(connection, name)

    def folder_by_id(self, folder_id: int) -> Folder:
        """The folder of that id. Raises NoSuchFolderError."""
        with self._handle.read() as connection:
            return folders.folder_by_id(connection, folder_id)

    def create_folder(self, name: str, special_use: str = "") -> Folder:
        """Make a folder. Raises FolderExistsError, InvalidError."""
        with self._handle.write() as connection:
            return folders.create_folder(connection, name, special_use)

    def delete_folder(self, name: str) -> None:
        """Remove a folder. Raises NoSuchFolderError, FolderNotDeletableError."""
        with self._handle.write() as connection:
            folders.delete_folder(connection, name)

    def rename_folder(self, old: str, new: str) -> None:
        """Rename a folder and those below. Raises NoSuchFolderError, FolderExistsError, InvalidError."""
        with self._handle.write() as connection:
            folders.rename_folder(connection, old, new)

    def subscriptions(self) -> set[str]:
        """Names that were subscribed, of folders that need not exist."""
        with self._handle.read() as connection:
            return {row[0] for row in select(connection, "SELECT name FROM subscription")}

    def subscribe(self, name: str, on: bool) -> None:
        """Subscribe or unsubscribe a name."""
        name = folders.normal_name(name)
        statement = "INSERT OR IGNORE INTO subscription VALUES (?)" if on else "DELETE FROM subscription WHERE name = ?"
        with self._handle.write() as connection:
            connection.execute(statement, (name,))
            folders.next_modseq(connection)  # so that sessions hear of it

    # entries

    def append(self, folder_id: int, messages: Sequence[NewMessage], quota: int | None = None) -> list[Appended]:
        """Put messages into a folder, all or none. Raises NoSuchFolderError, OverQuotaError."""
        size = sum(len(message.raw) for message in messages)
        prepared: Iterable[Prepared] = (prepare(message, self._bounds) for message in messages)
        if size <= _PREPARED_OCTETS:  # else one after the other, so that not all of them are in memory at once
            prepared = list(prepared)
        with self._handle.write() as connection:
            if quota is not None:
                _check_quota(connection, quota - size)
            return add_messages(connection, connection.codec, folder_id, prepared)

    def file(self, filed: Sequence[Filed], quota: int | None = None) -> list[list[Receipt]]:
        """Put messages into all of their places, all or none; one receipt for each. Raises OverQuotaError."""
        size = sum(len(one.raw) for one in filed)
        prepared: Iterable[Prepared] = (self._prepare(one.first) for one in filed)
        if size <= _PREPARED_OCTETS:
            prepared = list(prepared)
        with self._handle.write() as connection:
            if quota is not None:
                _check_quota(connection, quota - sum(len(one.raw) * len(one.places) for one in filed))
            return file_messages(connection, connection.codec, filed, prepared, self._prepare)

    def _prepare(self, message: NewMessage) -> Prepared:
        return prepare(message, self._bounds)

    def take_in(
        self, folder_id: int, source: str, messages: Sequence[tuple[str, NewMessage]], quota: int | None = None
    ) -> int:
        """Import messages by their names in `source`, all or none; those taken before are left out. How many were new.

        Raises NoSuchFolderError, OverQuotaError.
        """
        known = self.imported(source, [name for name, _ in messages])
        prepared = [(name, prepare(one, self._bounds)) for name, one in messages if name not in known]
        if not prepared:
            return 0
        with self._handle.write() as connection:
            new = [one for name, one in prepared if note_imported(connection, source, name)]
            if new:
                add_messages(connection, connection.codec, folder_id, new)
            if quota is not None:
                _check_quota(connection, quota)
        return len(new)

    def imported(self, source: str, names: Sequence[str]) -> set[str]:
        """Those of the names in `source` whose messages were imported before."""
        with self._handle.read() as connection:
            return {name for name in names if is_imported(connection, source, name)}

    def store(
        self,
        folder_id: int,
        ranges: Ranges,
        operation: Operation,
        flags: int,
        keywords: Sequence[str] = (),
        unchanged_since: int | None = None,
    ) -> Stored:
        """Change flags and keywords."""
        with self._handle.write() as connection:
            return entries.store_flags(connection, folder_id, ranges, operation, flags, keywords, unchanged_since)

    def copy(self, folder_id: int, ranges: Ranges, target_id: int, quota: int | None = None) -> Copied:
        """Put the same messages into another folder. Raises NoSuchFolderError, OverQuotaError."""
        with self._handle.write() as connection:
            folders.folder_by_id(connection, target_id)
            copied = entries.copy_entries(connection, folder_id, ranges, target_id)
            if quota is not None and copied.pairs:
                _check_quota(connection, quota)
        return self._noted(copied)

    def move(self, folder_id: int, ranges: Ranges, target_id: int) -> Copied:
        """Move messages to another folder in one step. Raises NoSuchFolderError."""
        with self._handle.write() as connection:
            folders.folder_by_id(connection, target_id)
            copied = entries.move_entries(connection, folder_id, ranges, target_id)
        return self._noted(copied)

    def _noted(self, copied: Copied) -> Copied:
        if copied.teaches:
            self._handle.on_lessons(self.id)
        return copied

    def expunge(self, folder_id: int, ranges: Ranges | None = None) -> list[int]:
        """Remove messages with \\Deleted; returns their uids."""
        with self._handle.write() as connection:
            return entries.expunge_entries(connection, folder_id, ranges)

    def remove(self, folder_id: int, uids: Sequence[int]) -> None:
        """Remove entries whatever their flags (POP3)."""
        with self._handle.write() as connection:
            entries.remove_entries(connection, folder_id, uids, moved=False)

    def take_recent(self, folder_id: int) -> tuple[int, int]:
        """The same, and the caller is told now (RFC 3501 §2.3.2)."""
        first, last = self.recent(folder_id)
        if first > last:
            return first, last
        with self._handle.write() as connection:
            status = folders.folder_status(connection, folder_id)
            connection.execute("UPDATE folder SET recent_from = uidnext WHERE id = ?", (folder_id,))
        return status.recent_from, status.uidnext - 1

    def replace(
        self, folder_id: int, uid: int, target_id: int, message: NewMessage, quota: int | None = None
    ) -> Appended | None:
        """Put a message into a folder and take another out of its own, in one step; None when that one is gone.

        Raises NoSuchFolderError, OverQuotaError.
        """
        prepared = prepare(message, self._bounds)
        with self._handle.write() as connection:
            if not select(connection, "SELECT 1 FROM entry WHERE folder_id = ? AND uid = ?", (folder_id, uid)):
                return None
            (appended,) = add_messages(connection, connection.codec, target_id, [prepared])
            entries.remove_entries(connection, folder_id, [uid], moved=False)
            if quota is not None:
                _check_quota(connection, quota)
            return appended

    # junk

    def lessons(self, most: int) -> list[Lesson]:
        """What moves into and out of Junk teach, as far as it waits."""
        with self._handle.read() as connection:
            return lessons.waiting(connection, most)

    def note_baseline(self) -> bool:
        """See lessons.note_baseline."""
        with self._handle.plain() as connection, transaction(connection):
            return lessons.note_baseline(connection)

    def learn(self, lesson: Lesson, features: Sequence[int], most: int) -> bool:
        """See lessons.learn."""
        with self._handle.plain() as connection, transaction(connection):
            return lessons.learn(connection, lesson, features, most)

    def learned_messages(self) -> tuple[int, int]:
        """How many junk and good messages were learned."""
        with self._handle.read() as connection:
            return lessons.learned_messages(connection)

    def known_features(self, features: Callable[[], Sequence[int]]) -> Known:
        """What the mailbox knows of a message's features, asked for only when it knows anything."""
        with self._handle.read() as connection:
            return lessons.known(connection, features)

    def forget_junk(self) -> None:
        """Forget all that was learned of junk."""
        with self._handle.plain() as connection, transaction(connection):
            lessons.forget(connection)

    # metadata

    def metadata(self, folder_id: int) -> dict[str, bytes]:
        """Entries and values of a folder, of the mailbox for 0 (RFC 5464)."""
        with self._handle.read() as connection:
            return metadata.read(connection, folder_id)

    def set_metadata(self, folder_id: int, values: Sequence[tuple[str, bytes | None]], most: int) -> bool:
        """Keep or remove (None) entries, all or none; False when there would be more than `most`."""
        with self._handle.write() as connection:
            return metadata.keep(connection, folder_id, values, most)

    # search

    def search(self, folder_id: int, criterion: Criterion) -> list[int]:
        """The uids that match, ascending. What is not in the full-text index yet is put there first."""
        with self._handle.plain() as connection:
            while pending(connection) > 0 and index_batch(connection, connection.codec):
                pass
            return Search(connection, connection.codec, folder_id).run(criterion)

    def threaded(self, folder_id: int, uids: Sequence[int]) -> list[Threaded]:
        """Messages of ascending uids as threads are made of."""
        with self._handle.read() as connection:
            found, read = threaded(connection, connection.codec, folder_id, uids)
        if read:
            with self._handle.write() as connection:
                keep(connection, read)
        return found

    def index_pending(self, least: int = 1) -> int:
        """Put a batch of new messages into the full-text index when at least `least` wait; returns how many."""
        with self._handle.plain() as connection:
            return index_batch(connection, connection.codec) if pending(connection) >= min(least, BATCH) else 0

    def compact(self) -> bool:
        """One short step of making the file smaller; whether there may be more to do.

        Learns a compression dictionary from a mailbox of some hundred messages, packs what came before it again, and
        gives free pages back when they are a quarter of the file.
        """
        with self._handle.read() as connection:
            due = compaction.due_for_learning(connection)
            found = compaction.samples(connection, connection.codec) if due else None
        if found is not None:
            learned = compaction.learn(found)
            with self._handle.plain() as connection:
                return compaction.keep(connection, connection.codec, learned)
        with self._handle.plain() as connection:
            if compaction.repack(connection, connection.codec):
                return True
            compaction.shrink(connection)
            return False

    # the whole

    def usage(self) -> Usage:
        """Octets of all folders, calendars and address books, and messages in all folders."""
        with self._handle.read() as connection:
            messages = select(connection, "SELECT coalesce(sum(messages), 0) FROM folder")[0][0]
            return Usage(folders.used(connection), int(messages))

    def modseq(self) -> int:
        """The last modseq used."""
        with self._handle.read() as connection:
            return int(select(connection, "SELECT value FROM counter WHERE name = 'modseq'")[0][0])

    def capture(self, target: Path) -> None:
        """Copy the file as it is at one moment into the folder `target`. Raises MailboxBusyError, OSError."""
        capture_open(self._handle, target)

    def undelete(self, since: float) -> int:
        """Bring back what was expunged since; returns how many messages."""
        with self._handle.write() as connection:
            return undelete.restore_expunged(connection, since)

    def restore(self, folder_and_uids: Sequence[tuple[int, int]]) -> int:
        """Bring back these expunged messages; returns how many still could be."""
        with self._handle.write() as connection:
            return undelete.restore_expunged(connection, 0.0, folder_and_uids)

    def list_expunged(self, most: int) -> list[Expunged]:
        """What can be brought back, what was removed last first."""
        with self._handle.read() as connection:
            return undelete.list_expunged(connection, most)

    def expire(self, now: float) -> int:
        """Drop for good what was expunged longer ago than the undelete window; returns how many."""
        total = 0
        with self._handle.write() as connection:
            undelete.forget_deliveries(connection, now - undelete.DELIVERY_DAYS * _DAY)
            objects.expire(connection, now - self._tombstone_days * _DAY)
        while True:
            with self._handle.write() as connection:
                count = undelete.expire_expunged(connection, now - self._undelete_days * _DAY)
            total += count
            if count == 0:
                return total

    def check(self) -> list[str]:
        """What is wrong with the file: an empty list when nothing is. Reads all of it."""
        problems = self.file_problems()
        if not problems:
            with self._handle.read() as connection:
                problems = check.store_problems(connection)
        return problems

    def file_problems(self) -> list[str]:
        """What SQLite finds wrong with the file, which should then be set aside."""
        with self._handle.plain() as connection:
            return check.file_problems(connection)

    def setting(self, name: str) -> Any:
        """A value kept with the mailbox, None when it was never set."""
        with self._handle.read() as connection:
            rows = select(connection, "SELECT value FROM setting WHERE name = ?", (name,))
        return msgspec.msgpack.decode(rows[0][0]) if rows else None

    def set_setting(self, name: str, value: Any) -> None:
        """Keep a value with the mailbox."""
        with self._handle.write() as connection:
            connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, msgspec.msgpack.encode(value)))

    def ingest(self) -> int:
        """Take in sealed mail, oldest first, each exactly once; returns how many messages.

        The ulid is recorded in the transaction of the insert, the file removed after it: a crash between the two
        leaves a file that the next call only removes. What cannot be opened is set aside, not dropped.
        """
        directory = self._handle.folder / "incoming"
        taken = 0
        keys: list[KeyPair] = []
        for path in waiting(directory):
            keys = keys or self._key_pairs()
            try:
                header, raw = read_sealed(path, keys)
            except FileNotFoundError:
                continue  # another process took it
            except SealError as error:
                path.rename(path.with_suffix(".damaged"))
                log.error("sealed message set aside", mailbox=self.id, file=path.name, why=str(error))
                continue
            taken += self._take_in(path.stem, header, raw)
            path.unlink(missing_ok=True)
        return taken

    def unsealed(self, public_key: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """What was sealed to the mailbox, now or before a rotation. Raises SealError."""
        private = next((pair.private for pair in self._key_pairs() if pair.public == public_key), None)
        if private is None:
            raise SealError("sealed for another mailbox")
        return open_stream(private, chunks)

    def _key_pairs(self) -> list[KeyPair]:
        """The pair that mail is sealed to now, and those before rotations: some may have come late."""
        with self._handle.read() as connection:
            former = select(connection, "SELECT value FROM setting WHERE name = ?", (FORMER_KEYS,))
            with self._handle.current_key() as key:
                return [key_pair(key), *(former_pairs(former[0][0]) if former else ())]

    def _take_in(self, ulid: str, header: SealedHeader, raw: bytes) -> int:
        filed = Filed(raw, header.places, header.internal_date)
        prepared = self._prepare(filed.first)
        with self._handle.write() as connection:
            if not is_first(connection, ulid):
                return 0
            (receipts,) = file_messages(connection, connection.codec, [filed], [prepared], self._prepare)
            return int(any(receipt.uid for receipt in receipts))
