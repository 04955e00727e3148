"""What one session sees of its selected folder (RFC 9051 §5.5, §7.5.1).

The view holds uids and flags of the folder as the client was told of them: entry i is message number i + 1 until an
EXPUNGE is told. It follows the database by `update`, never by events: what others did comes with the folder's changes
since `modseq`. Removed messages that may not be told yet wait in `gone`; flags and new messages are told meanwhile.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from mailstead.protocols.imap.enabled import Enabled
from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.sequence import SequenceSet, intersect, to_ranges
from mailstead.protocols.imap.responses import FLAG_TEXTS, RECENT_FLAG_TEXTS, flags_text, vanished
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import EntryRow, Folder, Ranges, Snapshot, Stored

Slices = list[tuple[int, int]]  # half-open ranges of indexes into the view

_SEEN = bytes(bits & Flag.SEEN for bits in range(256))


class View:
    """One selected folder."""

    def __init__(self, mailbox: Mailbox, folder: Folder, snapshot: Snapshot, *, read_only: bool) -> None:
        self.mailbox = mailbox
        self.folder = folder
        self.read_only = read_only
        self.uids = array("I", snapshot.uids)
        self.flags = bytearray(snapshot.flags)
        self.keywords = dict(snapshot.keywords)
        self.modseq = snapshot.highestmodseq
        self.uidnext = snapshot.uidnext
        self.gone: set[int] = set()
        self.saved: Ranges = []  # uids of the search result variable (RFC 9051 §6.4.4.1)
        self._recent: Ranges = []
        self._told: dict[int, int] = {}  # uid -> modseq that the client was told with its own STORE

    # numbers, uids, indexes

    def __len__(self) -> int:
        return len(self.uids)

    def index(self, uid: int) -> int:
        """The index of a uid, -1 when this session does not know it."""
        place = bisect_left(self.uids, uid)
        return place if place < len(self.uids) and self.uids[place] == uid else -1

    def slices(self, wanted: SequenceSet, *, by_uid: bool) -> Slices:
        """Indexes of a sequence set. Raises CommandError for message numbers that are not there (RFC 9051 §9)."""
        if wanted.saved:
            return self.uid_slices(self.saved)
        if by_uid:
            return self.uid_slices(wanted.resolve(self.uids[-1] if self.uids else 0))
        count = len(self.uids)
        ranges = wanted.resolve(count)
        if ranges[0][0] < 1 or ranges[-1][1] > count:
            raise CommandError("No such message")
        return [(first - 1, last) for first, last in ranges]

    def number_slices(self, ranges: Ranges) -> Slices:
        """Indexes of message numbers, those that are not there left out."""
        count = len(self.uids)
        return [(max(first, 1) - 1, min(last, count)) for first, last in ranges if first <= count and last >= 1]

    def uid_slices(self, ranges: Ranges) -> Slices:
        """Indexes of the known uids in ascending ranges."""
        found: Slices = []
        uids, low = self.uids, 0
        for first, last in ranges:
            low = bisect_left(uids, min(first, _UID_MOST), low)
            high = bisect_right(uids, min(last, _UID_MOST), low)
            if low < high:
                if found and found[-1][1] == low:
                    found[-1] = (found[-1][0], high)
                else:
                    found.append((low, high))
            low = high
        return found

    def uid_ranges(self, slices: Slices) -> Ranges:
        """For the store: from the first to the last uid of each slice."""
        return [(self.uids[low], self.uids[high - 1]) for low, high in slices if low < high]

    @staticmethod
    def intersect(one: Slices, other: Slices) -> Slices:
        """Indexes that are in both."""
        closed = intersect([(low, high - 1) for low, high in one], [(low, high - 1) for low, high in other])
        return [(low, high + 1) for low, high in closed]

    def uids_of(self, slices: Slices) -> Iterator[int]:
        """Each uid of the slices."""
        for low, high in slices:
            yield from self.uids[low:high]

    def numbers_of(self, uids: Sequence[int]) -> list[int]:
        """Message numbers of ascending uids, those that this session does not know left out."""
        known = self.uids
        if len(uids) * 8 > len(known):
            places = dict(zip(known, range(1, len(known) + 1), strict=True))
            return [places[uid] for uid in uids if uid in places]
        return [place + 1 for uid in uids if (place := self.index(uid)) >= 0]

    def known(self, uids: Sequence[int]) -> list[int]:
        """Those of ascending uids that this session knows and that are not gone."""
        if not uids:
            return []
        if len(uids) == len(self.uids) and not self.gone and uids[0] == self.uids[0] and uids[-1] == self.uids[-1]:
            return list(uids)
        last = self.uids[-1] if self.uids else 0
        return [uid for uid in uids if uid <= last and self.index(uid) >= 0]

    # flags

    def is_recent(self, uid: int) -> bool:
        """Whether this session was the first to be told of the message (RFC 3501 §2.3.2)."""
        return any(first <= uid <= last for first, last in self._recent)

    @property
    def recent(self) -> int:
        """How many messages are recent."""
        return sum(bisect_right(self.uids, last) - bisect_left(self.uids, first) for first, last in self._recent)

    @property
    def recent_ranges(self) -> Ranges:
        """Uids of recent messages."""
        return self._recent

    def add_recent(self, first: int, last: int) -> None:
        """The uids from `first` to `last` were told to nobody before."""
        last = min(last, self.uids[-1] if self.uids else 0)
        if first <= last:
            if self._recent and self._recent[-1][1] + 1 >= first:
                self._recent[-1] = (self._recent[-1][0], max(self._recent[-1][1], last))
            else:
                self._recent.append((first, last))

    def first_unseen(self) -> int:
        """The number of the first message without \\Seen, 0 when there is none."""
        return self.flags.translate(_SEEN).find(0) + 1

    def all_seen(self, slices: Slices) -> bool:
        """Whether all messages have \\Seen."""
        return all(self.flags[low:high].translate(_SEEN).find(0) < 0 for low, high in slices)

    def used_keywords(self) -> list[str]:
        """Keywords that messages of the folder have, each once, sorted."""
        found: dict[str, str] = {}
        for text in set(self.keywords.values()):
            for keyword in text.split():
                found.setdefault(keyword.lower(), keyword)
        return [found[name] for name in sorted(found)]

    def flags_text(self, index: int, *, recent: bool = True) -> bytes:
        """A flag list's content; without \\Recent where the client has IMAP4rev2 enabled."""
        uid = self.uids[index]
        return flags_text(self.flags[index], self.keywords.get(uid, ""), recent and self.is_recent(uid))

    def flags_texts(self, low: int, high: int, *, recent: bool = True) -> list[bytes]:
        """The same for a slice."""
        texts = list(map(FLAG_TEXTS.__getitem__, self.flags[low:high]))
        if recent and self._recent:
            for first, last in self.uid_slices(self._recent):
                first, last = max(first, low), min(last, high)
                if first < last:
                    texts[first - low : last - low] = map(RECENT_FLAG_TEXTS.__getitem__, self.flags[first:last])
        if self.keywords:
            if len(self.keywords) < high - low:
                places = [self.index(uid) for uid in self.keywords]
            else:
                places = [place for place in range(low, high) if self.uids[place] in self.keywords]
            for place in places:
                if low <= place < high:
                    texts[place - low] = self.flags_text(place, recent=recent)
        return texts

    def flags_of(self, uid: int) -> int:
        """System flags of a uid, -1 for one that is not known."""
        place = self.index(uid)
        return self.flags[place] if place >= 0 else -1

    def apply(self, stored: Stored) -> bool:
        """Take over flags that the client set itself; whether nobody else changed anything meanwhile."""
        alone = stored.before == self.modseq
        for uid, bits, keywords, modseq in stored.changed:
            place = self.index(uid)
            if place >= 0:
                self._set(place, uid, bits, keywords)
                if not alone:
                    self._told[uid] = modseq
        if alone:  # the folder need not be read for what is known already
            self.modseq = stored.after
        return alone

    def _set(self, place: int, uid: int, bits: int, keywords: str) -> bool:
        changed = self.flags[place] != bits
        self.flags[place] = bits
        if self.keywords.get(uid, "") != keywords:
            changed = True
            if keywords:
                self.keywords[uid] = keywords
            else:
                del self.keywords[uid]
        return changed

    # changes

    def update(self, enabled: Enabled, *, expunges: bool) -> list[bytes]:
        """Untagged responses for what changed since the last call. Raises NoSuchFolderError.

        Without `expunges` removed messages wait in `gone` (RFC 9051 §7.5.1).
        """
        out: list[bytes] = []
        highest = self.mailbox.highestmodseq(self.folder.id)
        if highest != self.modseq:
            self._follow(enabled, out)
        if expunges and self.gone:
            self._expunge(enabled, out)
        return out

    def _follow(self, enabled: Enabled, out: list[bytes]) -> None:
        changes = self.mailbox.changes(self.folder.id, self.modseq)
        self.gone.update(uid for uid in changes.expunged if self.index(uid) >= 0)
        last = self.uids[-1] if self.uids else 0
        fresh: list[EntryRow] = []
        for entry in changes.entries:
            uid, bits, keywords, modseq = entry
            if uid > last:
                fresh.append(entry)
                continue
            place = self.index(uid)
            if place < 0:
                continue
            told = self._told.get(uid) == modseq
            if self._set(place, uid, bits, keywords) or (enabled.condstore and not told):
                out.append(self.fetch_flags(place, modseq, enabled))
        if fresh:
            self._arrive(fresh, enabled, out)
        self._told.clear()
        self.modseq = changes.highestmodseq
        self.uidnext = max(self.uidnext, changes.uidnext)

    def _arrive(self, fresh: list[EntryRow], enabled: Enabled, out: list[bytes]) -> None:
        self.uids.extend(entry[0] for entry in fresh)
        self.flags.extend(entry[1] for entry in fresh)
        self.keywords.update((entry[0], entry[2]) for entry in fresh if entry[2])
        out.append(b"* %d EXISTS\r\n" % len(self.uids))
        if not enabled.rev2:
            told = self.mailbox.recent if self.read_only else self.mailbox.take_recent
            self.add_recent(*told(self.folder.id))
            out.append(b"* %d RECENT\r\n" % self.recent)

    def fetch_flags(self, place: int, modseq: int, enabled: Enabled) -> bytes:
        """An untagged FETCH that tells flags; with the modseq where CONDSTORE is enabled (RFC 7162 §3.1.4)."""
        uid = self.uids[place]
        text = self.flags_text(place, recent=not enabled.rev2)
        more = b" MODSEQ (%d)" % modseq if enabled.condstore else b""
        if enabled.uidonly:
            return b"* %d UIDFETCH (FLAGS (%b)%b)\r\n" % (uid, text, more)
        return b"* %d FETCH (UID %d FLAGS (%b)%b)\r\n" % (place + 1, uid, text, more)

    def fetch_modseq(self, place: int, modseq: int, enabled: Enabled) -> bytes:
        """An untagged FETCH that tells a modseq only."""
        uid = self.uids[place]
        if enabled.uidonly:
            return b"* %d UIDFETCH (MODSEQ (%d))\r\n" % (uid, modseq)
        return b"* %d FETCH (UID %d MODSEQ (%d))\r\n" % (place + 1, uid, modseq)

    def _expunge(self, enabled: Enabled, out: list[bytes]) -> None:
        places = [place for uid in sorted(self.gone) if (place := self.index(uid)) >= 0]
        self.gone.clear()
        if not places:
            return
        if enabled.qresync or enabled.uidonly:
            out.append(vanished(to_ranges(self.uids[place] for place in places)))
        else:
            out.append(b"".join([b"* %d EXPUNGE\r\n" % (place + 1) for place in reversed(places)]))
        for uid in [self.uids[place] for place in places]:
            self.keywords.pop(uid, None)
        if len(places) < 64:
            for place in reversed(places):
                del self.uids[place]
                del self.flags[place]
            return
        removed = set(places)
        kept = [place for place in range(len(self.uids)) if place not in removed]
        self.uids = array("I", [self.uids[place] for place in kept])
        self.flags = bytearray([self.flags[place] for place in kept])


_UID_MOST = 2**32 - 1
