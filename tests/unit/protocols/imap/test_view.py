"""What a session sees: numbers stay until told, whatever others do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.protocols.imap.enabled import Enabled
from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.sequence import intersect, parse_set, without
from mailstead.protocols.imap.resynchronize import KnownState, matching_to, missed
from mailstead.protocols.imap.view import View
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage
from support.mailbox_store import open_mailboxes


async def filled(folder: Path, count: int, work: Callable[[Mailbox, View], None]) -> None:
    async with open_mailboxes(folder) as mailboxes:
        with DataKey.generate() as key:
            mailbox = await mailboxes.open("m1", key)
            add(mailbox, count)
            work(mailbox, view_of(mailbox))


def add(mailbox: Mailbox, count: int) -> None:
    inbox = mailbox.folder("INBOX").id
    if count:
        mailbox.append(inbox, [NewMessage(b"Subject: %d\r\n\r\nx\r\n" % number) for number in range(count)])


def view_of(mailbox: Mailbox) -> View:
    inbox = mailbox.folder("INBOX")
    return View(mailbox, inbox, mailbox.snapshot(inbox.id), read_only=False)


async def test_removals_wait_while_flags_and_arrivals_are_told(tmp_path: Path) -> None:
    def work(mailbox: Mailbox, view: View) -> None:
        enabled, inbox = Enabled(), view.folder.id
        mailbox.store(inbox, [(2, 3)], "add", Flag.DELETED)
        view.update(enabled, expunges=False)
        mailbox.expunge(inbox)
        mailbox.store(inbox, [(5, 5)], "add", Flag.SEEN)
        add(mailbox, 1)
        assert view.update(enabled, expunges=False) == [
            b"* 5 FETCH (UID 5 FLAGS (\\Seen))\r\n",
            b"* 6 EXISTS\r\n",
            b"* 6 RECENT\r\n",
        ]
        assert view.update(enabled, expunges=False) == []
        assert view.slices(parse_set(b"1:*"), by_uid=False) == [(0, 6)]
        assert view.update(enabled, expunges=True) == [b"* 3 EXPUNGE\r\n* 2 EXPUNGE\r\n"]
        assert list(view.uids) == [1, 4, 5, 6]

    await filled(tmp_path, 5, work)


async def test_modseqs_and_uids_are_told_where_they_are_enabled(tmp_path: Path) -> None:
    def work(mailbox: Mailbox, view: View) -> None:
        enabled = Enabled()
        enabled.condstore = enabled.qresync = enabled.rev2 = True
        stored = mailbox.store(view.folder.id, [(1, 1)], "add", Flag.SEEN)
        view.apply(stored)
        assert view.update(enabled, expunges=True) == []
        stored = mailbox.store(view.folder.id, [(1, 2)], "add", Flag.DELETED, ("a",))
        modseq = stored.changed[0][3]
        assert view.update(enabled, expunges=True) == [
            b"* 1 FETCH (UID 1 FLAGS (\\Seen \\Deleted a) MODSEQ (%d))\r\n" % modseq,
            b"* 2 FETCH (UID 2 FLAGS (\\Deleted a) MODSEQ (%d))\r\n" % modseq,
        ]
        assert view.used_keywords() == ["a"]
        mailbox.expunge(view.folder.id)
        assert view.update(enabled, expunges=True) == [b"* VANISHED 1:2\r\n"]
        assert view.used_keywords() == []

    await filled(tmp_path, 3, work)


async def test_a_client_that_was_away_is_told_what_it_missed(tmp_path: Path) -> None:
    def work(mailbox: Mailbox, view: View) -> None:
        since, uidvalidity = view.modseq, view.folder.uidvalidity
        mailbox.remove(view.folder.id, [2, 3, 9])
        mailbox.store(view.folder.id, [(5, 5)], "add", Flag.SEEN)
        now = view_of(mailbox)
        gone, changed = missed(now, KnownState(uidvalidity, since))
        assert gone == [(2, 3), (9, 9)]
        assert [entry[0] for entry in changed] == [5]
        gone, changed = missed(now, KnownState(uidvalidity, since, parse_set(b"3:4,7")))
        assert (gone, changed) == ([(3, 3)], [])
        assert missed(now, KnownState(uidvalidity, now.modseq)) == ([], [])
        assert matching_to(now, parse_set(b"1,2,5"), parse_set(b"1,4,8")) == 4

    await filled(tmp_path, 10, work)


async def test_with_a_pruned_log_all_that_is_not_there_is_told(tmp_path: Path) -> None:
    def work(mailbox: Mailbox, view: View) -> None:
        since, uidvalidity = view.modseq, view.folder.uidvalidity
        mailbox.remove(view.folder.id, [2, 3, 9])
        assert mailbox.expire(10**11) == 3
        now = view_of(mailbox)
        assert mailbox.pruned_modseq(view.folder.id) > since
        assert missed(now, KnownState(uidvalidity, since))[0] == [(2, 3), (9, 9)]
        assert missed(now, KnownState(uidvalidity, since, parse_set(b"1:10"), (parse_set(b"2"), parse_set(b"4"))))[
            0
        ] == [(9, 9)]

    await filled(tmp_path, 10, work)


async def test_flags_of_many_are_those_of_each(tmp_path: Path) -> None:
    def work(mailbox: Mailbox, view: View) -> None:
        mailbox.store(view.folder.id, [(2, 5)], "add", Flag.SEEN | Flag.DRAFT)
        mailbox.store(view.folder.id, [(4, 4), (9, 9)], "add", 0, ("work",))
        view.update(Enabled(), expunges=True)
        view.add_recent(3, 4)
        view.add_recent(8, 20)
        for recent in (True, False):
            each = [view.flags_text(place, recent=recent) for place in range(1, 10)]
            assert view.flags_texts(1, 10, recent=recent) == each
        assert view.recent == 5

    await filled(tmp_path, 10, work)


async def test_numbers_that_are_not_there_are_refused(tmp_path: Path) -> None:
    def work(_: Mailbox, view: View) -> None:
        with pytest.raises(CommandError):
            view.slices(parse_set(b"4"), by_uid=False)
        assert view.slices(parse_set(b"2:9"), by_uid=True) == [(1, 3)]
        assert view.numbers_of([1, 3, 8]) == [1, 3]

    await filled(tmp_path, 3, work)


ranges = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 5)), max_size=8).map(
    lambda pairs: parse_set(b",".join(b"%d:%d" % (low, low + more) for low, more in pairs)).resolve(1) if pairs else []
)


@given(ranges, ranges)
@settings(max_examples=200)
def test_sets_of_ranges(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    def members(found: list[tuple[int, int]]) -> set[int]:
        return {number for first, last in found for number in range(first, last + 1)}

    assert members(intersect(one, other)) == members(one) & members(other)
    assert members(without(one, other)) == members(one) - members(other)
