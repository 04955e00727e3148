import asyncio
import base64
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import InvalidError, OverQuotaError
from mailstead.foundation.spool import Spool
from mailstead.stores.mailbox.errors import FolderExistsError, FolderNotDeletableError, NoSuchFolderError, WrongKeyError
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage
from mailstead.stores.mailbox.sealed import key_pair, waiting
from mailstead.stores.mailbox.search import criteria as c
from support.corpus import corpus_messages
from support.mailbox_store import open_mailboxes

KEY = DataKey(bytes(range(32)))
MESSAGE = b"From: a@b.test\r\nSubject: hello\r\nMessage-ID: <1@b.test>\r\n\r\nbody\r\n"


def read(mailbox: Mailbox, folder_id: int, uid: int) -> bytes:
    (row,) = next(mailbox.rows(folder_id, [(uid, uid)], ("uid", "message_id")))
    return mailbox.content(row[1]).read()


async def test_a_new_mailbox_has_its_folders_and_another_key_does_not_open_it(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        assert [folder.name for folder in mailbox.folders()] == ["INBOX", "Archive", "Drafts", "Junk", "Sent", "Trash"]
        with pytest.raises(WrongKeyError):
            await mailboxes.open("m1", DataKey.generate())
    async with open_mailboxes(tmp_path) as mailboxes:
        with pytest.raises(WrongKeyError):
            await mailboxes.open("m1", DataKey.generate())
        assert (await mailboxes.open("m1", KEY)).folder("inbox").name == "INBOX"
    raw = next(tmp_path.rglob("mailbox.db")).read_bytes()
    assert b"INBOX" not in raw
    assert not raw.startswith(b"SQLite format 3")


async def test_every_corpus_message_comes_back_byte_for_byte(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        inbox = mailbox.folder("INBOX").id
        messages = [raw for _, raw in corpus_messages(None)] + [MESSAGE]
        for start in range(0, len(messages), 200):
            mailbox.append(inbox, [NewMessage(raw) for raw in messages[start : start + 200]])
        for uid, raw in enumerate(messages, 1):
            assert read(mailbox, inbox, uid) == raw
        assert mailbox.check() == []


LINES = st.sampled_from([b"\r\n", b"\n"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    st.binary(max_size=200),
    st.integers(0, 60_000),
    st.integers(1, 100),
    LINES,
    st.booleans(),
    st.data(),
)
async def test_base64_parts_come_back_byte_for_byte(
    tmp_path: Path, text: bytes, size: int, width: int, line: bytes, final: bool, data: st.DataObject
) -> None:
    encoded = base64.b64encode(bytes(index * 7 % 251 for index in range(size)))
    body = line.join(encoded[start : start + width * 4] for start in range(0, len(encoded), width * 4))
    if final:
        body += line
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + text
    raw += b"\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body + b"\r\n--b--\r\n"
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        inbox = mailbox.folder("INBOX").id
        (appended,) = mailbox.append(inbox, [NewMessage(raw)])
        (row,) = next(mailbox.rows(inbox, [(appended.uid, appended.uid)], ("uid", "message_id")))
        content = mailbox.content(row[1])
        assert content.read() == raw
        start = data.draw(st.integers(0, len(raw)))
        end = data.draw(st.integers(start, len(raw)))
        assert content.read(start, end) == raw[start:end]


async def test_folders_obey_the_names(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        deep = mailbox.create_folder("a/b/c")
        assert {"a", "a/b", "a/b/c"} <= {folder.name for folder in mailbox.folders()}
        mailbox.append(deep.id, [NewMessage(MESSAGE)])
        mailbox.rename_folder("a", "z/y")
        assert mailbox.folder("z/y/b/c").id == deep.id
        with pytest.raises(NoSuchFolderError):
            mailbox.folder("a/b")
        for bad in ("", "/", "a//b", "x\0y", "a/" * 40 + "b"):
            with pytest.raises(InvalidError):
                mailbox.create_folder(bad)
        with pytest.raises(FolderExistsError):
            mailbox.create_folder("inbox")
        with pytest.raises(InvalidError):
            mailbox.rename_folder("z", "z/q")
        with pytest.raises(FolderNotDeletableError):
            mailbox.delete_folder("INBOX")
        mailbox.delete_folder("z/y/b/c")
        again = mailbox.create_folder("z/y/b/c")
        assert again.uidvalidity > deep.uidvalidity
        assert again.object_id != deep.object_id
        inbox = mailbox.folder("INBOX")
        mailbox.append(inbox.id, [NewMessage(MESSAGE)])
        mailbox.rename_folder("INBOX", "old")
        assert mailbox.status(inbox.id).messages == 0
        assert mailbox.status(mailbox.folder("old").id).messages == 1
        assert mailbox.check() == []


async def test_flags_modseqs_and_expunges(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        inbox = mailbox.folder("INBOX").id
        mailbox.append(inbox, [NewMessage(MESSAGE, internal_date=number) for number in range(5)])
        before = mailbox.status(inbox)
        assert (before.messages, before.unseen, before.size) == (5, 5, 5 * len(MESSAGE))
        stored = mailbox.store(inbox, [(1, 3)], "add", Flag.SEEN | Flag.DELETED, ("$Junk", "b"))
        assert [row[:3] for row in stored.changed] == [(uid, 9, "$Junk b") for uid in (1, 2, 3)]
        again = mailbox.store(inbox, [(1, 1)], "add", Flag.SEEN)
        assert again.changed[0][3] == stored.changed[0][3]
        late = mailbox.store(inbox, [(1, 5)], "replace", 0, (), before.highestmodseq)
        assert late.modified == [1, 2, 3]
        assert [row[0] for row in late.changed] == [4, 5]
        assert mailbox.expunge(inbox, [(2, 9)]) == [2, 3]
        changes = mailbox.changes(inbox, before.highestmodseq)
        assert [row[0] for row in changes.entries] == [1]
        assert changes.expunged == [2, 3]
        after = mailbox.status(inbox)
        assert (after.messages, after.unseen, after.deleted, after.uidnext) == (3, 2, 1, 6)
        assert after.highestmodseq == changes.highestmodseq > before.highestmodseq
        archive = mailbox.folder("Archive").id
        copied = mailbox.copy(inbox, [(1, 4)], archive)
        assert copied.pairs == [(1, 1), (4, 2)]
        moved = mailbox.move(inbox, [(5, 5)], archive)
        assert moved.pairs == [(5, 3)]
        assert [row[0] for row in mailbox.entries(inbox)] == [1, 4]
        assert mailbox.undelete(0) == 2
        assert [row[0] for row in mailbox.entries(inbox)] == [1, 4, 6, 7]
        assert mailbox.undelete(0) == 0
        assert mailbox.check() == []


async def test_what_is_expired_is_gone_and_its_blobs_too(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        inbox = mailbox.folder("INBOX").id
        mailbox.append(inbox, [NewMessage(MESSAGE, Flag.DELETED), NewMessage(MESSAGE)])
        mailbox.search(inbox, c.Text("body"))
        mailbox.expunge(inbox)
        assert mailbox.expire(4e9) == 1
        assert mailbox.undelete(0) == 0
        assert read(mailbox, inbox, 2) == MESSAGE
        assert mailbox.pruned_modseq(inbox) > 0
        mailbox.remove(inbox, [2])
        mailbox.expire(4e9)
        with mailbox._handle.read() as connection:
            for table in ("message", "content", "envelope", "structure", "field", "blob", "chunk"):
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)], table


async def test_deliveries_in_one_turn_share_a_transaction_and_quota_is_each_ones_own(tmp_path: Path) -> None:
    commits: list[int] = []
    async with open_mailboxes(tmp_path, lambda _, modseq: commits.append(modseq)) as mailboxes:
        spools = []
        for size in [100] * 20 + [5000] + [100] * 20:
            spool = Spool(10_000, tmp_path)
            spool.append(MESSAGE.ljust(size, b"x"))
            spools.append(spool)
        results = await asyncio.gather(
            *(mailboxes.deliver("m1", KEY, b"", spool, quota=4500) for spool in spools), return_exceptions=True
        )
        assert [isinstance(result, OverQuotaError) for result in results] == [False] * 20 + [True] + [False] * 20
        mailbox = await mailboxes.open("m1", KEY)
        assert mailbox.usage().messages == 40
    commits.clear()
    async with open_mailboxes(tmp_path, lambda _, modseq: commits.append(modseq)) as mailboxes:
        await mailboxes.open("m1", KEY)
        await asyncio.gather(*(mailboxes.deliver("m1", KEY, b"", spools[0], quota=10**6) for _ in range(30)))
        assert len(commits) == 1


async def test_sealed_mail_is_taken_in_once_and_in_order(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        for number in range(3):
            with Spool(10, tmp_path) as spool:
                spool.append(MESSAGE + b"%d" % number)
                receipt = await mailboxes.deliver("m1", None, key_pair(KEY).public, spool, folder="Junk", flags=4)
                assert receipt.sealed
        incoming = mailboxes.directory("m1") / "incoming"
        files = {path.name: path.read_bytes() for path in waiting(incoming)}
        assert all(b"hello" not in data for data in files.values())
        mailbox = await mailboxes.open("m1", KEY)
        junk = mailbox.folder("Junk").id
        assert [read(mailbox, junk, uid)[-1:] for uid in (1, 2, 3)] == [b"0", b"1", b"2"]
        assert waiting(incoming) == []
        for name, data in files.items():  # as if the process had died before the files were removed
            (incoming / name).write_bytes(data)
        (incoming / "0damaged.sealed").write_bytes(b"x" * 100)
        assert mailbox.ingest() == 0
        assert mailbox.status(junk).messages == 3
        assert [path.name for path in incoming.iterdir()] == ["0damaged.damaged"]


WORDS = st.sampled_from(
    ["apple", "pineapple", "Grüße", "foo-bar", "foo bar", "STRASSE", "straße", "x", "100%", "привет"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6), st.text(alphabet="aple foo-GRÜßeSTxпри%", max_size=5))
async def test_search_gives_what_a_plain_scan_gives(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, messages: list[tuple[str, str]], needle: str
) -> None:
    folder = tmp_path_factory.mktemp("search")
    async with open_mailboxes(folder) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        inbox = mailbox.folder("INBOX").id
        raws = [
            f"Subject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n".encode()
            for subject, body in messages
        ]
        mailbox.append(inbox, [NewMessage(raw) for raw in raws])
        mailbox.copy(inbox, [(1, 9)], mailbox.folder("Archive").id)
        folded = needle.casefold()
        body_hits = [uid for uid, (_, body) in enumerate(messages, 1) if folded in f"{body}\r\n".casefold()]
        assert mailbox.search(inbox, c.Body(needle)) == (body_hits if needle else list(range(1, len(messages) + 1)))
        subject_hits = [uid for uid, (subject, _) in enumerate(messages, 1) if folded in subject.casefold()]
        assert mailbox.search(inbox, c.Field("subject", needle)) == subject_hits
        assert mailbox.search(inbox, c.Header("Subject", needle)) == subject_hits
        both = c.Or(c.Body(needle), c.Not(c.Field("subject", needle)))
        expected = sorted(set(body_hits) | (set(range(1, len(messages) + 1)) - set(subject_hits)))
        if needle:
            assert mailbox.search(inbox, both) == expected
