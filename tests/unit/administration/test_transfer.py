"""What goes out comes back the same: bytes, flags, keywords, dates, folders; and nothing comes twice."""

import os
import tempfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.transfer.export import export_mailbox, write_export
from mailstead.administration.transfer.files import file_source
from mailstead.administration.transfer.taking import import_files, take_all
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import InvalidError, OverQuotaError
from mailstead.stores.mailbox.entries import UID_MOST
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage
from support.corpus import corpus_messages
from support.installation import installation
from support.mailbox_store import open_mailboxes

KEY = DataKey(bytes(range(32)))
ALICE, BOB = "alice@example.test", "bob@example.test"

Message = tuple[bytes, int, str, int]
LINE = st.sampled_from(
    [
        b"",
        b"From me to you",
        b"From alice@example.test Thu Nov 19 10:00:00 2026",
        b">From quoted",
        b">>From twice",
        b"From",
        b"Content-Length: 12",
        b"Status: RO",
        b"X-Mailstead-Entry: 3 1 1 ",
        b"text \xff\x00",
        b"Subject: x",
        b"\r",
    ]
)
RAW = st.builds(
    lambda pairs, end: b"".join(line + brk for line, brk in pairs) + end,
    st.lists(st.tuples(LINE, st.sampled_from([b"\r\n", b"\n", b"\r"])), max_size=8),
    st.sampled_from([b"", b"end", b"From ", b"\n", b"\r\n\r\n"]),
)
WORDS = st.sets(st.sampled_from(["$Forwarded", "$Junk", "work", "a", "b", "NonJunk", "Zebra"]), max_size=4)
MESSAGES = st.lists(
    st.tuples(
        RAW,
        st.integers(0, 31),
        WORDS.map(lambda words: " ".join(sorted(words, key=str.lower))),
        st.integers(-1_000_000_000, 4_000_000_000),
    ),
    max_size=6,
)
FOLDERS = st.dictionaries(
    st.sampled_from(["INBOX", "Sent", "Grüße/из.дома", "Work/House", "Work.House", "a b & c", "%41", "..", "x" * 150]),
    MESSAGES,
    max_size=4,
)


def contents(mailbox: Mailbox) -> dict[str, list[Message]]:
    found = {}
    for folder in mailbox.folders():
        rows = mailbox.rows(folder.id, [(1, UID_MOST)], ("uid", "flags", "keywords", "internal_date", "message_id"))
        found[folder.name] = [
            (mailbox.content(message_id).read(), flags, keywords, date)
            for some in rows
            for _, flags, keywords, date, message_id in some
        ]
    return found


def fill(mailbox: Mailbox, folders: dict[str, list[Message]]) -> None:
    names = {folder.name for folder in mailbox.folders()}
    for name, messages in folders.items():
        identifier = mailbox.folder(name).id if name in names else mailbox.create_folder(name).id
        mailbox.append(identifier, [NewMessage(raw, flags, words, date) for raw, flags, words, date in messages])


@pytest.mark.parametrize("form", ["mbox", "maildir"])
@settings(suppress_health_check=list(HealthCheck), max_examples=20, deadline=None)
@given(folders=FOLDERS)
async def test_an_export_comes_back_the_same(
    form: Literal["mbox", "maildir"], folders: dict[str, list[Message]]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        async with open_mailboxes(root / "stores") as mailboxes:
            first, second = await mailboxes.open("m1", KEY), await mailboxes.open("m2", KEY)
            fill(first, folders)
            first.subscribe("Sent", True)
            before = contents(first)
            count = sum(len(messages) for messages in before.values())
            assert write_export(first, ALICE, root / "export", form, lambda _: None) == count
            source = file_source(root / "export")
            assert {folder for folder, _ in source.folders()} == set(before)
            done = take_all(second, source.items(), None, lambda _: None)
            after = contents(second)
            # the order of a Maildir's files says nothing
            assert {name: sorted(messages) for name, messages in after.items() if messages} == {
                name: sorted(messages) for name, messages in before.items() if messages
            }
            assert (done.taken, done.known) == (count, 0)
            again = take_all(second, file_source(root / "export").items(), None, lambda _: None)
            assert (again.taken, again.known) == (0, count)
            assert contents(second) == after
            assert second.check() == []


async def test_the_corpus_goes_round(tmp_path: Path) -> None:
    raws = [raw for _, raw in corpus_messages(None)]
    async with open_mailboxes(tmp_path / "stores") as mailboxes:
        first = await mailboxes.open("m1", KEY)
        fill(first, {"INBOX": [(raw, 1, "", 1_000_000_000 + place) for place, raw in enumerate(raws)]})
        for form, name in (("mbox", "m2"), ("maildir", "m3")):
            second = await mailboxes.open(name, KEY)
            write_export(first, ALICE, tmp_path / form, "mbox" if form == "mbox" else "maildir", lambda _: None)
            take_all(second, file_source(tmp_path / form).items(), None, lambda _: None)
            assert sorted(contents(second)["INBOX"]) == sorted(contents(first)["INBOX"])


async def test_a_foreign_maildir_with_folders_of_both_kinds(tmp_path: Path) -> None:
    root = tmp_path / "Maildir"
    for folder in ("cur", "new", "tmp", ".Sent/cur", ".Work.H&AOQ-user/cur", "nested/deep/cur", ".Empty/cur"):
        (root / folder).mkdir(parents=True)
    (root / "dovecot-keywords").write_text("0 $Junk\n1 work\n")
    (root / "cur" / "1.a.host:2,FRSab").write_bytes(b"Subject: one\n\nbare\n")
    (root / "cur" / "2.b.host:2,PT").write_bytes(b"Subject: two\r\n\r\ncrlf and\nbare\r\n")
    (root / "new" / "3.c.host").write_bytes(b"Subject: three\n\n")
    (root / ".Work.H&AOQ-user" / "cur" / "4.d.host:2,D").write_bytes(b"Subject: four\n\n")
    (root / "nested/deep" / "cur" / "5.e.host:2,").write_bytes(b"Subject: five\n\n")
    os.utime(root / "cur" / "1.a.host:2,FRSab", (1_500_000_000, 1_500_000_000))
    async with installation(tmp_path / "data") as made:
        done = await import_files(made.administration, COMMAND_LINE, ALICE, root)
        assert (done.taken, done.known) == (5, 0)
        found = contents(await made.mailbox(ALICE))
        assert found["INBOX"][0] == (b"Subject: one\r\n\r\nbare\r\n", 7, "$Junk work", 1_500_000_000)
        assert found["INBOX"][1][:3] == (b"Subject: two\r\n\r\ncrlf and\nbare\r\n", 8, "$Forwarded")
        assert found["INBOX"][2][:3] == (b"Subject: three\r\n\r\n", 0, "")
        assert found["Work/Häuser"][0][:2] == (b"Subject: four\r\n\r\n", 16)
        assert found["nested/deep"][0][0] == b"Subject: five\r\n\r\n"
        assert found["Empty"] == []
        # read meanwhile elsewhere, and one more
        (root / "new" / "3.c.host").rename(root / "cur" / "3.c.host:2,S")
        (root / "new" / "6.f.host").write_bytes(b"Subject: six\n\n")
        done = await import_files(made.administration, COMMAND_LINE, ALICE, root)
        assert (done.taken, done.known) == (1, 5)


async def test_what_is_no_archive_is_refused_and_quota_stops(tmp_path: Path) -> None:
    async with installation(tmp_path / "data") as made:
        with pytest.raises(InvalidError):
            await import_files(made.administration, COMMAND_LINE, ALICE, tmp_path / "nowhere")
        (tmp_path / "empty").mkdir()
        with pytest.raises(InvalidError):
            await import_files(made.administration, COMMAND_LINE, ALICE, tmp_path / "empty")
        (tmp_path / "one.eml").write_bytes(b"Date: Thu, 1 Jan 2026 00:00:00 +0000\nSubject: x\n\nbody\n")
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "file").touch()
        with pytest.raises(InvalidError):
            await export_mailbox(made.administration, COMMAND_LINE, ALICE, tmp_path / "full", "mbox")
        assert (await import_files(made.administration, COMMAND_LINE, ALICE, tmp_path / "one.eml")).taken == 1
        assert contents(await made.mailbox(ALICE))["INBOX"][0][3] == 1_767_225_600
        await made.set_quota(BOB, 10)
        with pytest.raises(OverQuotaError):
            await import_files(made.administration, COMMAND_LINE, BOB, tmp_path / "one.eml")
        assert await made.messages(BOB) == []
        folder = tmp_path / "letters"
        (folder / "2026").mkdir(parents=True)
        (folder / "2026" / "a.eml").write_bytes(b"Subject: a\n\n")
        (folder / "2026" / "b.eml").write_bytes(b"Subject: a\n\n")
        assert (await import_files(made.administration, COMMAND_LINE, ALICE, folder)).taken == 2
        assert len(contents(await made.mailbox(ALICE))["2026"]) == 2
        count = await export_mailbox(made.administration, COMMAND_LINE, ALICE, tmp_path / "out", "mbox")
        assert count == 3
