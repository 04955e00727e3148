"""The store against a plain model, through two connections as two processes have them, in any sequence."""

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, precondition, rule

from mailstead.formats.message.part import Bounds
from mailstead.foundation.config.sections.mailbox import MailboxSettings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import OverQuotaError
from mailstead.stores.mailbox.entries import UID_MOST
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.handle import Handle
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage
from mailstead.stores.mailbox.search import criteria

NAMES = ("a", "b", "a/c", "d/e")
SUBJECTS = ("apple", "pear", "plum")
ATTACHMENT = b"QUJD" * 6000
RAWS = tuple(
    f"Subject: {subject}\r\nMessage-ID: <{number}@x>\r\n\r\nbody {number}\r\n".encode()
    for number, subject in enumerate(SUBJECTS)
) + tuple(
    b"Subject: apple %d\r\nContent-Transfer-Encoding: base64\r\n\r\n%b\r\n" % (number, ATTACHMENT)
    for number in range(2)
)
KEYWORDS = ("", "$Junk", "$Junk work")
which = st.integers(0, 1)
flags = st.integers(0, 31)


@dataclass
class Entry:
    raw: bytes
    flags: int
    keywords: str


@dataclass
class Folder:
    entries: dict[int, Entry] = field(default_factory=dict)
    uidnext: int = 1


class Store(RuleBasedStateMachine):
    """Every rule does one thing to the store and to the model."""

    moments = Bundle("moments")

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        key = DataKey(bytes(range(32)))
        self.handles = [
            Handle("m1", self.root, key, MailboxSettings(), lambda _, __: None, lambda _: None) for _ in range(2)
        ]
        self.mailboxes = [Mailbox(handle, Bounds(), 14, 365) for handle in self.handles]
        self.model: dict[str, Folder] = {folder.name: Folder() for folder in self.mailboxes[0].folders()}
        self.hidden: list[tuple[str, Entry]] = []  # what undelete brings back
        self.modseq = 0

    def teardown(self) -> None:
        for handle in self.handles:
            handle.forget()
        shutil.rmtree(self.root)

    def folder(self, name: str) -> int:
        return self.mailboxes[0].folder(name).id

    def names(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(sorted(self.model)))

    def ranges(self, data: st.DataObject, name: str) -> tuple[list[tuple[int, int]], list[int]]:
        first = data.draw(st.integers(1, self.model[name].uidnext))
        last = data.draw(st.integers(first, self.model[name].uidnext))
        return [(first, last)], [uid for uid in sorted(self.model[name].entries) if first <= uid <= last]

    @rule(place=which, data=st.data(), picked=st.lists(st.tuples(st.integers(0, 4), flags), min_size=1, max_size=3))
    def append(self, place: int, data: st.DataObject, picked: list[tuple[int, int]]) -> None:
        name = self.names(data)
        words = data.draw(st.sampled_from(KEYWORDS))
        found = self.mailboxes[place].append(
            self.folder(name), [NewMessage(RAWS[number], bits, words) for number, bits in picked]
        )
        folder = self.model[name]
        for (number, bits), appended in zip(picked, found, strict=True):
            assert appended.uid == folder.uidnext
            folder.entries[folder.uidnext] = Entry(RAWS[number], bits, words)
            folder.uidnext += 1

    @rule(place=which)
    def over_quota(self, place: int) -> None:
        used = self.mailboxes[place].usage().size
        assert used == sum(len(entry.raw) for folder in self.model.values() for entry in folder.entries.values())
        try:
            self.mailboxes[place].append(self.folder("INBOX"), [NewMessage(RAWS[0])], used + len(RAWS[0]) - 1)
        except OverQuotaError:
            return
        raise AssertionError("more than the quota was taken")

    @rule(place=which, data=st.data(), moving=st.booleans())
    def copy_or_move(self, place: int, data: st.DataObject, moving: bool) -> None:
        source, target = self.names(data), self.names(data)
        ranges, uids = self.ranges(data, source)
        mailbox = self.mailboxes[place]
        act = mailbox.move if moving else mailbox.copy
        pairs = act(self.folder(source), ranges, self.folder(target)).pairs
        entries = [self.model[source].entries[uid] for uid in uids]
        assert [old for old, _ in pairs] == uids
        for entry, (old, new) in zip(entries, pairs, strict=True):
            folder = self.model[target]
            assert new == folder.uidnext
            folder.entries[new] = Entry(entry.raw, entry.flags, entry.keywords)
            folder.uidnext += 1
            if moving:
                del self.model[source].entries[old]

    @rule(
        place=which,
        data=st.data(),
        operation=st.sampled_from(["add", "remove", "replace"]),
        bits=flags,
        words=st.sampled_from(KEYWORDS),
    )
    def store(self, place: int, data: st.DataObject, operation: str, bits: int, words: str) -> None:
        name = self.names(data)
        ranges, uids = self.ranges(data, name)
        mailbox, given = self.mailboxes[place], words.split()
        for uid in uids:
            entry = self.model[name].entries[uid]
            held = set(entry.keywords.split())
            if operation == "add":
                entry.flags |= bits
                held |= set(given)
            elif operation == "remove":
                entry.flags &= ~bits
                held -= set(given)
            else:
                entry.flags, held = bits, set(given)
            entry.keywords = " ".join(sorted(held, key=str.lower))
        if operation == "add":
            mailbox.store(self.folder(name), ranges, "add", bits, given)
        elif operation == "remove":
            mailbox.store(self.folder(name), ranges, "remove", bits, given)
        else:
            mailbox.store(self.folder(name), ranges, "replace", bits, given)

    @rule(place=which, data=st.data(), some=st.booleans())
    def expunge(self, place: int, data: st.DataObject, some: bool) -> None:
        name = self.names(data)
        ranges, uids = self.ranges(data, name)
        entries = self.model[name].entries
        gone = [uid for uid in (uids if some else sorted(entries)) if entries[uid].flags & Flag.DELETED]
        assert self.mailboxes[place].expunge(self.folder(name), ranges if some else None) == gone
        self._hide(name, gone)

    def _hide(self, name: str, uids: list[int]) -> None:
        self.hidden += [(name, self.model[name].entries.pop(uid)) for uid in uids]

    @rule(place=which, data=st.data())
    def create(self, place: int, data: st.DataObject) -> None:
        missing = [name for name in NAMES if name not in self.model]
        if missing:
            name = data.draw(st.sampled_from(missing))
            self.mailboxes[place].create_folder(name)
            self.model.setdefault(name.partition("/")[0], Folder())
            self.model.setdefault(name, Folder())

    @rule(place=which, data=st.data())
    def rename(self, place: int, data: st.DataObject) -> None:
        movable = [name for name in self.model if name in NAMES]
        if movable and "moved" not in self.model:
            old = data.draw(st.sampled_from(sorted(movable)))
            self.mailboxes[place].rename_folder(old, "moved")
            for name in [one for one in self.model if one == old or one.startswith(f"{old}/")]:
                self.model["moved" + name[len(old) :]] = self.model.pop(name)
            self.hidden = [
                ("moved" + name[len(old) :] if name == old or name.startswith(f"{old}/") else name, entry)
                for name, entry in self.hidden
            ]

    @rule(place=which, data=st.data())
    def empty_and_delete(self, place: int, data: st.DataObject) -> None:
        leaves = [
            name
            for name in self.model
            if name in (*NAMES, "moved") and not any(one.startswith(f"{name}/") for one in self.model)
        ]
        if leaves:
            name = data.draw(st.sampled_from(sorted(leaves)))
            mailbox = self.mailboxes[place]
            mailbox.move(self.folder(name), [(1, UID_MOST)], self.folder("Archive"))
            archive = self.model["Archive"]
            for uid in sorted(self.model[name].entries):
                archive.entries[archive.uidnext] = self.model[name].entries[uid]
                archive.uidnext += 1
            mailbox.delete_folder(name)
            del self.model[name]
            self.hidden = [(one, entry) for one, entry in self.hidden if one != name]
            # what was hidden of it comes back elsewhere: take it out of the window
            for each in self.mailboxes:
                each.expire(4e9)
            self.hidden.clear()

    @rule(place=which)
    @precondition(lambda self: self.hidden)
    def undelete(self, place: int) -> None:
        mailbox = self.mailboxes[place]
        before = {name: set(folder.entries) for name, folder in self.model.items()}
        count = mailbox.undelete(0)
        assert count <= len(self.hidden)
        for name, folder in self.model.items():
            for uid, entry in self.read(mailbox, name).items():
                if uid not in before[name]:
                    twin = next(
                        one
                        for one in self.hidden
                        if one[0] == name and one[1].raw == entry.raw and one[1].keywords == entry.keywords
                    )
                    assert entry.flags == twin[1].flags & ~Flag.DELETED
                    self.hidden.remove(twin)
                    folder.entries[uid] = entry
                    folder.uidnext = max(folder.uidnext, uid + 1)
                    count -= 1
        assert count == 0

    @rule(place=which, data=st.data(), emptied=st.booleans())
    def expire(self, place: int, data: st.DataObject, emptied: bool) -> None:
        mailbox = self.mailboxes[place]
        if emptied:
            name = self.names(data)
            uids = sorted(self.model[name].entries)
            mailbox.remove(self.folder(name), uids)
            self._hide(name, uids)
        mailbox.expire(4e9)
        self.hidden.clear()

    @rule(target=moments, place=which, data=st.data())
    def remember(self, place: int, data: st.DataObject) -> tuple[str, int, int, dict[int, Entry]]:
        name = self.names(data)
        status = self.mailboxes[place].status(self.folder(name))
        held = {uid: Entry(one.raw, one.flags, one.keywords) for uid, one in self.model[name].entries.items()}
        return name, status.uidvalidity, status.highestmodseq, held

    @rule(place=which, moment=consumes(moments))
    def changes(self, place: int, moment: tuple[str, int, int, dict[int, Entry]]) -> None:
        name, uidvalidity, modseq, before = moment
        mailbox = self.mailboxes[place]
        if name not in self.model or mailbox.folder(name).uidvalidity != uidvalidity:
            return
        if mailbox.pruned_modseq(self.folder(name)) > modseq:
            return  # the log does not go back so far
        found = mailbox.changes(self.folder(name), modseq)
        after = {uid: entry for uid, entry in before.items() if uid not in found.expunged}
        for uid, bits, words, _ in found.entries:
            after[uid] = Entry(self.model[name].entries[uid].raw, bits, words)
        assert after == self.model[name].entries

    @rule(place=which, data=st.data(), word=st.sampled_from(SUBJECTS))
    def search(self, place: int, data: st.DataObject, word: str) -> None:
        name = self.names(data)
        expected = [
            uid for uid, one in sorted(self.model[name].entries.items()) if b"Subject: " + word.encode() in one.raw
        ]
        for criterion in (criteria.Field("subject", word), criteria.Text(word)):
            assert self.mailboxes[place].search(self.folder(name), criterion) == expected

    @initialize()
    def begin(self) -> None:
        self.whole()

    def read(self, mailbox: Mailbox, name: str) -> dict[int, Entry]:
        rows = mailbox.rows(mailbox.folder(name).id, [(1, UID_MOST)], ("uid", "flags", "keywords", "size", "recipe"))
        held = [row for found in rows for row in found]
        raws = mailbox.read_many([(recipe, 0, size) for *_, size, recipe in held])
        return {row[0]: Entry(raw, row[1], row[2]) for row, raw in zip(held, raws, strict=True)}

    @invariant()
    def whole(self) -> None:
        for mailbox in self.mailboxes:
            assert {folder.name for folder in mailbox.folders()} == set(self.model)
            modseq = mailbox.modseq()
            assert modseq >= self.modseq
            self.modseq = modseq
            for name, folder in self.model.items():
                assert self.read(mailbox, name) == folder.entries
                status = mailbox.status(self.folder(name))
                assert status.messages == len(folder.entries)
                assert status.uidnext == folder.uidnext
        assert self.mailboxes[0].check() == []


TestStore = Store.TestCase
TestStore.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
