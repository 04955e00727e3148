"""Snapshots of folders, remembered while a mailbox's file is open and brought up to date by what changed since.

Reading all entries of a large folder is what a SELECT costs; between two of them little changes.
"""

from array import array
from bisect import bisect_left

import apsw

from mailstead.stores.mailbox.entries import all_entries, changes_since
from mailstead.stores.mailbox.folders import folder_status
from mailstead.stores.mailbox.records import Changes, Snapshot

_CHANGES_MOST = 500
_OCTETS_MOST = 1024 * 1024  # of all snapshots of one mailbox
_ENTRY_OCTETS = 5


class Snapshots:
    """Of one mailbox; used from any thread: a lost update of the cache costs a reading, nothing more."""

    def __init__(self) -> None:
        self._kept: dict[int, Snapshot] = {}

    def clear(self) -> None:
        """Forget all: the file was closed, and another may come in its place."""
        self._kept = {}

    def has(self, folder_id: int) -> bool:
        """Whether a folder's snapshot is remembered."""
        return folder_id in self._kept

    def read(self, connection: apsw.Connection, folder_id: int) -> Snapshot:
        """All entries of a folder. Inside a read transaction. Raises NoSuchFolderError."""
        status = folder_status(connection, folder_id)
        kept = self._kept.get(folder_id)
        if kept is not None and kept.highestmodseq == status.highestmodseq:
            return kept
        found: Snapshot | None = None
        if kept is not None:
            changes = changes_since(connection, folder_id, kept.highestmodseq)
            if len(changes.entries) + len(changes.expunged) <= _CHANGES_MOST:
                found = _changed(kept, changes)
        if found is None or len(found.flags) != status.messages:
            found = _whole(connection, folder_id, status.highestmodseq, status.uidnext)
        self._keep(folder_id, found)
        return found

    def _keep(self, folder_id: int, snapshot: Snapshot) -> None:
        kept = {other: one for other, one in self._kept.items() if other != folder_id}
        kept[folder_id] = snapshot
        size = sum(len(one.flags) for one in kept.values()) * _ENTRY_OCTETS
        for other in list(kept):
            if size <= _OCTETS_MOST:
                break
            size -= len(kept.pop(other).flags) * _ENTRY_OCTETS
        self._kept = kept


def _whole(connection: apsw.Connection, folder_id: int, highestmodseq: int, uidnext: int) -> Snapshot:
    rows = all_entries(connection, folder_id, 0)
    uids = array("I", [row[0] for row in rows]).tobytes()
    flags = bytes([row[1] for row in rows])
    return Snapshot(uids, flags, {row[0]: row[2] for row in rows if row[2]}, highestmodseq, uidnext)


def _changed(snapshot: Snapshot, changes: Changes) -> Snapshot:
    uids, flags, keywords = array("I", snapshot.uids), bytearray(snapshot.flags), dict(snapshot.keywords)
    for uid in changes.expunged:
        place = bisect_left(uids, uid)
        if place < len(uids) and uids[place] == uid:
            del uids[place], flags[place]
            keywords.pop(uid, None)
    for uid, bits, words, _ in changes.entries:
        place = bisect_left(uids, uid)
        if place < len(uids) and uids[place] == uid:
            flags[place] = bits
        else:
            uids.insert(place, uid)
            flags.insert(place, bits)
        if words:
            keywords[uid] = words
        else:
            keywords.pop(uid, None)
    return Snapshot(uids.tobytes(), bytes(flags), keywords, changes.highestmodseq, changes.uidnext)
