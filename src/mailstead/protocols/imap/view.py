"""What one session sees of its selected folder: sequence numbers stay until the client is told (RFC 9051 §5.5)."""

from bisect import bisect_left, bisect_right

from mailstead.stores.mailbox.flags import NAMES
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import Folder, Ranges

_FLAG_TEXTS = [" ".join(name for flag, name in NAMES.items() if bits & flag) for bits in range(32)]


def flags_text(bits: int, keywords: str, recent: bool) -> str:
    """A flag list's content."""
    return " ".join(filter(None, (_FLAG_TEXTS[bits & 31], keywords, "\\Recent" if recent else "")))


class View:
    """The uids of a folder in order; entry i is message number i + 1."""

    def __init__(self, mailbox: Mailbox, folder: Folder, *, read_only: bool) -> None:
        self.mailbox = mailbox
        self.folder = folder
        self.read_only = read_only
        self.recent_from = mailbox.status(folder.id).recent_from if read_only else mailbox.take_recent(folder.id)
        self.modseq = mailbox.status(folder.id).highestmodseq
        self.uids = [row[0] for row in mailbox.entries(folder.id)]
        self.recent = sum(uid >= self.recent_from for uid in self.uids)
        self.silent: dict[int, tuple[int, str]] = {}

    def uid_ranges(self, numbers: Ranges) -> Ranges:
        """Uids of message numbers; numbers past the end are left out."""
        count = len(self.uids)
        return [(self.uids[first - 1], self.uids[min(last, count) - 1]) for first, last in numbers if first <= count]

    def known(self, ranges: Ranges) -> Ranges:
        """Uid ranges, cut to uids this session knows."""
        found: Ranges = []
        for first, last in ranges:
            low, high = bisect_left(self.uids, first), bisect_right(self.uids, last)
            if low < high:
                found.append((self.uids[low], self.uids[high - 1]))
        return found

    def number(self, uid: int) -> int:
        """The message number of a uid, 0 when this session does not know it."""
        place = bisect_left(self.uids, uid)
        return place + 1 if place < len(self.uids) and self.uids[place] == uid else 0

    def update(self, *, expunges: bool) -> list[bytes]:
        """Untagged responses for what changed since; with `expunges` removed messages are told too."""
        changes = self.mailbox.changes(self.folder.id, self.modseq)
        out: list[bytes] = []
        gone = [uid for uid in changes.expunged if self.number(uid)]
        if gone and not expunges:
            return out  # told at the next command that allows it; nothing is told before it
        for uid in sorted(gone, reverse=True):
            number = self.number(uid)
            del self.uids[number - 1]
            out.append(b"* %d EXPUNGE\r\n" % number)
        last = self.uids[-1] if self.uids else 0
        fresh = [row[0] for row in changes.entries if row[0] > last]
        if fresh:
            self.uids.extend(fresh)
            if not self.read_only:
                self.recent_from = min(self.recent_from, self.mailbox.take_recent(self.folder.id))
            out.append(b"* %d EXISTS\r\n" % len(self.uids))
            out.append(b"* %d RECENT\r\n" % sum(uid >= self.recent_from for uid in self.uids))
        for uid, bits, keywords, _ in changes.entries:
            if uid <= last and self.silent.get(uid) != (bits, keywords):
                text = flags_text(bits, keywords, uid >= self.recent_from)
                out.append(f"* {self.number(uid)} FETCH (UID {uid} FLAGS ({text}))\r\n".encode())
        self.silent.clear()
        self.modseq = changes.highestmodseq
        return out
