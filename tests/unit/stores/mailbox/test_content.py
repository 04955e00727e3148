"""How the bytes of messages are kept and read: in bulk, by streams, and packed again."""

import base64
import random
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.spool import Spool
from mailstead.stores.mailbox.compaction import LEAST_MESSAGES
from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage
from mailstead.stores.mailbox.sealed import key_pair
from support.mailbox_store import open_mailboxes

KEY = DataKey(bytes(range(32)))


def message(number: int, size: int) -> bytes:
    chance = random.Random(number)
    words = " ".join(chance.choice(["apple", "house", "letter", "meeting"]) for _ in range(size // 6))
    head = f"From: a{number % 7}@example.test\r\nSubject: number {number}\r\nMessage-ID: <{number}@example.test>\r\n"
    return f"{head}Received: from mail.example.test by other.example.test; {number}\r\n\r\n{words}\r\n".encode()


def with_attachment(octets: bytes) -> bytes:
    encoded = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n"
    return head + b"Content-Transfer-Encoding: base64\r\n\r\n" + encoded + b"--b--\r\n"


RAWS = [message(number, number * 37 % 3000) for number in range(40)] + [
    with_attachment(random.Random(1).randbytes(30_000)),
    message(99, 600_000),
    b"",
    b"\r\n",
    b"no header",
]


def recipes(mailbox: Mailbox, folder_id: int) -> list[tuple[bytes, int]]:
    rows = mailbox.rows(folder_id, [(1, 2**32 - 1)], ("uid", "recipe", "size"))
    return [(recipe, size) for found in rows for _, recipe, size in found]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.data())
async def test_many_messages_are_read_at_once(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    async with open_mailboxes(tmp_path_factory.mktemp("many")) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        inbox = mailbox.folder("INBOX").id
        mailbox.append(inbox, [NewMessage(raw) for raw in RAWS])
        found = recipes(mailbox, inbox)
        assert mailbox.read_many([(recipe, 0, size) for recipe, size in found]) == RAWS
        assert mailbox.read_many([]) == []
        places = data.draw(st.lists(st.integers(0, len(RAWS) - 1), max_size=12))
        wanted, expected = [], []
        for place in places:
            start = data.draw(st.integers(0, len(RAWS[place]) + 5))
            end = data.draw(st.integers(start, len(RAWS[place]) + 10))
            wanted.append((found[place][0], start, end))
            expected.append(RAWS[place][start:end])
        assert mailbox.read_many(wanted) == expected


async def test_a_large_message_comes_from_a_mapped_file_and_is_one_blob_with_its_twin(tmp_path: Path) -> None:
    octets = random.Random(2).randbytes(3_000_000)
    raw = with_attachment(octets)
    with Spool(1000, tmp_path) as spool:
        spool.append(raw)
        async with open_mailboxes(tmp_path / "mailboxes") as mailboxes:
            mailbox = await mailboxes.open("m1", KEY)
            inbox = mailbox.folder("INBOX").id
            mailbox.append(inbox, [NewMessage(spool.octets())])
            narrow = raw[: raw.index(b"\r\n\r\n--b--") if b"\r\n\r\n--b--" in raw else raw.rindex(b"--b--")]
            wide = base64.b64encode(octets)
            lines = b"\n".join(wide[start : start + 1000 - 8] for start in range(0, len(wide), 1000 - 8)) + b"\n"
            head = raw[: raw.index(b"base64\r\n\r\n") + 10]
            mailbox.append(inbox, [NewMessage(head + lines + b"--b--\r\n")])
            (first, size), (second, other_size) = recipes(mailbox, inbox)
            assert mailbox.read_many([(first, 0, size)]) == [raw]
            assert mailbox.read_many([(second, 0, other_size)]) == [head + lines + b"--b--\r\n"]
            assert mailbox.read_many([(first, 70, len(narrow) - 3)]) == [raw[70 : len(narrow) - 3]]
            with mailbox._handle.read() as connection:
                large = connection.execute("SELECT refs FROM blob WHERE size = ?", (len(octets),)).fetchall()
            assert large == [(2,)]
            assert mailbox.check() == []


async def test_a_compacted_mailbox_is_smaller_and_the_same(tmp_path: Path) -> None:
    raws = [message(number, 300) for number in range(LEAST_MESSAGES + 20)]
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        inbox = mailbox.folder("INBOX").id
        mailbox.append(inbox, [NewMessage(raw) for raw in raws[:100]])
        assert not mailbox.compact()
        mailbox.append(inbox, [NewMessage(raw) for raw in raws[100:]])

        def stored() -> int:
            with mailbox._handle.read() as connection:
                return int(select(connection, "SELECT sum(length(data)) FROM chunk")[0][0])

        before = stored()
        while mailbox.compact():
            pass
        assert stored() < before * 0.8
        later = [message(number, 300) for number in range(1000, 1010)]
        mailbox.append(inbox, [NewMessage(raw) for raw in later])
        assert mailbox.read_many([(recipe, 0, size) for recipe, size in recipes(mailbox, inbox)]) == raws + later
        assert mailbox.check() == []
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        assert mailbox.read_many([(recipe, 0, size) for recipe, size in recipes(mailbox, inbox)]) == raws + later


async def test_a_dictionary_learned_by_another_connection_is_noticed(tmp_path: Path) -> None:
    raws = [message(number, 300) for number in range(LEAST_MESSAGES)]
    async with open_mailboxes(tmp_path) as first, open_mailboxes(tmp_path) as second:
        one, other = await first.open("m1", KEY), await second.open("m1", KEY)
        inbox = one.folder("INBOX").id
        one.append(inbox, [NewMessage(raw) for raw in raws])
        assert other.read_many([(recipe, 0, size) for recipe, size in recipes(other, inbox)]) == raws
        while one.compact():
            pass
        assert other.read_many([(recipe, 0, size) for recipe, size in recipes(other, inbox)]) == raws


async def test_a_long_read_holds_up_neither_readers_nor_writers(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        inbox = mailbox.folder("INBOX").id
        mailbox.append(inbox, [NewMessage(message(number, 100)) for number in range(20)])
        rows = mailbox.rows(inbox, [(1, 20)], ("uid",), 5)
        assert next(rows) == [(1,), (2,), (3,), (4,), (5,)]
        done: list[int] = []

        def work() -> None:
            mailbox.append(inbox, [NewMessage(message(20, 100))])
            done.append(mailbox.status(inbox).messages)

        thread = threading.Thread(target=work)
        thread.start()
        thread.join(30)
        assert done == [21]
        assert sum(len(found) for found in rows) == 15


async def test_a_delivery_that_is_tried_again_is_taken_once(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        with Spool(100, tmp_path) as spool:
            spool.append(message(1, 300))
            first = await mailboxes.deliver("m1", KEY, b"", spool, delivery_id="d1")
            again = await mailboxes.deliver("m1", KEY, b"", spool, delivery_id="d1")
            other = await mailboxes.deliver("m1", KEY, b"", spool, delivery_id="d2")
            assert (first.uid, again.uid, other.uid) == (1, 0, 2)
    async with open_mailboxes(tmp_path) as mailboxes:
        for _ in range(2):
            with Spool(100, tmp_path) as spool:
                spool.append(message(2, 300))
                assert (await mailboxes.deliver("m1", None, key_pair(KEY).public, spool, delivery_id="d3")).sealed
        mailbox = await mailboxes.open("m1", KEY)
        assert mailbox.usage().messages == 3


async def test_mail_for_a_locked_mailbox_is_stored_while_its_owner_is_here(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        with Spool(100, tmp_path) as spool:
            spool.append(message(1, 300))
            assert not (await mailboxes.deliver("m1", None, key_pair(KEY).public, spool)).sealed
            assert mailbox.usage().messages == 1
            del mailbox
            assert (await mailboxes.deliver("m1", None, key_pair(KEY).public, spool)).sealed
