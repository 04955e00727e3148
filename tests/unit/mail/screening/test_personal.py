"""What moves into and out of Junk teach a mailbox, and the server."""

from pathlib import Path

import msgspec
import pytest

from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.connection import select
from mailstead.stores.mailbox.flags import Flag
from support.screened import Exchanger, exchanger, letter

ALICE = "alice@example.test"
ALL = [(1, 2**32 - 1)]


def offer(number: int) -> bytes:
    return letter(
        f"Dear customer, our premium garden furniture is reduced by {number} percent. Visit the showroom today "
        "and choose teak benches, parasols and loungers at outlet prices while stocks last.",
        subject=f"Garden outlet {number}",
    )


def note(number: int) -> bytes:
    return letter(
        f"Hello Alice, here is chapter {number} of the manuscript. The editor suggests shorter sentences in the "
        "opening and asks whether the appendix on lighthouses stays. Best wishes, Ann",
        subject=f"Manuscript chapter {number}",
    )


async def move(opened: Exchanger, source: str, target: str) -> None:
    mailbox = await opened.made.mailbox(ALICE)
    mailbox.move(mailbox.folder(source).id, ALL, mailbox.folder(target).id)
    await opened.made.teacher.teach(mailbox)


async def read_all(opened: Exchanger) -> None:
    mailbox = await opened.made.mailbox(ALICE)
    mailbox.store(mailbox.folder("INBOX").id, ALL, "add", Flag.SEEN)


async def folder_of(opened: Exchanger, message: bytes) -> str:
    before = {name: len(await opened.made.messages(ALICE, name)) for name in ("INBOX", "Junk")}
    assert (await opened.send(message)).startswith(b"250")
    (found,) = [name for name, count in before.items() if len(await opened.made.messages(ALICE, name)) > count]
    return found


async def test_what_is_moved_to_junk_comes_to_junk_next_time_and_back(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as opened:
        for number in range(6):
            assert (await opened.send(note(number))).startswith(b"250")
        await read_all(opened)
        mailbox = await opened.made.mailbox(ALICE)
        archive = mailbox.folder("Archive").id
        for number in range(2):
            assert await folder_of(opened, offer(number)) == "INBOX"
            (uid,) = [row[0] for row in mailbox.entries(mailbox.folder("INBOX").id) if not row[1] & Flag.SEEN]
            mailbox.move(mailbox.folder("INBOX").id, [(uid, uid)], mailbox.folder("Junk").id)
            await opened.made.teacher.teach(mailbox)
        assert mailbox.learned_messages() == (2, 2), "as many good ones were taken from what was read in INBOX"
        assert await folder_of(opened, offer(50)) == "Junk"
        assert await folder_of(opened, note(50)) == "INBOX"
        (stored,) = [one for one in await opened.made.messages(ALICE, "Junk") if b"Garden outlet 50" in one]
        assert b"MAILBOX_WORDS=" in stored
        assert b"\r\nX-Spam-Flag: YES\r\n" in stored
        said = " ".join(await opened.traced("screened"))
        assert "this mailbox has learned such words as junk (+6.7), junk here with" in said
        # a change of mind: all of it back out of Junk
        await move(opened, "Junk", "Archive")
        assert mailbox.learned_messages()[0] == 0
        assert await folder_of(opened, offer(51)) == "INBOX"
        assert len(list(mailbox.entries(archive))) == 3


async def test_a_copy_into_junk_teaches_and_a_copy_of_a_copy_does_not_twice(tmp_path: Path) -> None:
    async with exchanger(tmp_path, settings={"junk": {"autolearn": False}}) as opened:
        assert (await opened.send(offer(1))).startswith(b"250")
        mailbox = await opened.made.mailbox(ALICE)
        inbox, junk = mailbox.folder("INBOX").id, mailbox.folder("Junk").id
        for _ in range(3):
            mailbox.copy(inbox, ALL, junk)
            await opened.made.teacher.teach(mailbox)
        assert mailbox.learned_messages() == (1, 0)
        mailbox.move(junk, ALL, mailbox.folder("Trash").id)
        await opened.made.teacher.teach(mailbox)
        assert mailbox.learned_messages() == (1, 0), "junk that is thrown away stays junk"
        await opened.made.junk.learning.close()
        assert opened.made.junk.model.messages == (1, 0)


async def test_lessons_come_by_themselves(tmp_path: Path) -> None:
    from support.eventually import eventually

    async with exchanger(tmp_path, settings={"junk": {"autolearn": False}}) as opened:
        assert (await opened.send(offer(1))).startswith(b"250")
        mailbox = await opened.made.mailbox(ALICE)
        mailbox.move(mailbox.folder("INBOX").id, ALL, mailbox.folder("Junk").id)

        async def learned() -> bool:
            return mailbox.learned_messages() == (1, 0)

        await eventually(learned)


async def test_a_locked_mailbox_keeps_what_it_learns(tmp_path: Path) -> None:
    async with exchanger(tmp_path, settings={"junk": {"autolearn": False}}) as opened:
        assert (await opened.send(offer(1))).startswith(b"250")
        mailbox = await opened.made.mailbox(ALICE)
        (alias,) = await opened.made.directory.find(Alias, domain="example.test", name="alice")
        slots = tuple(slot for slot in alias.slots if slot.kind != "server")
        await opened.made.directory.replace(msgspec.structs.replace(alias, slots=slots))
        mailbox.move(mailbox.folder("INBOX").id, ALL, mailbox.folder("Junk").id)
        await opened.made.teacher.teach(mailbox)
        await opened.made.junk.learning.close()
        assert mailbox.learned_messages() == (1, 0)
        assert opened.made.junk.model.messages == (0, 0)


async def test_a_mailbox_remembers_as_many_words_as_settings_say(tmp_path: Path) -> None:
    async with exchanger(tmp_path, settings={"junk": {"mailbox_features": 1000}}) as opened:
        for number in range(5):
            words = " ".join(f"w{number}x{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(600))
            assert (await opened.send(letter(words))).startswith(b"250")
        await move(opened, "INBOX", "Junk")
        mailbox = await opened.made.mailbox(ALICE)
        with mailbox._handle.read() as connection:
            kept = int(select(connection, "SELECT count(*) FROM junk_feature")[0][0])
        assert 300 < kept <= 1000


async def test_forgetting(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as opened:
        assert (await opened.send(offer(1))).startswith(b"250")
        await move(opened, "INBOX", "Junk")
        mailbox = await opened.made.mailbox(ALICE)
        mailbox.forget_junk()
        assert mailbox.learned_messages() == (0, 0)
        assert mailbox.known_features(lambda: (1, 2)).counts == ()


@pytest.mark.parametrize("shares", [True, False])
async def test_whether_the_server_learns_with_mailboxes_is_a_setting(tmp_path: Path, shares: bool) -> None:
    async with exchanger(tmp_path, settings={"junk": {"learn_from_moves": shares, "autolearn": False}}) as opened:
        assert (await opened.send(offer(1))).startswith(b"250")
        await move(opened, "INBOX", "Junk")
        await opened.made.junk.learning.close()
        assert opened.made.junk.model.messages == (int(shares), 0)
