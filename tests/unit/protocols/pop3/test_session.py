"""What transcripts do not show: two sessions, locks, slow readers, changes from outside, any bytes."""

import asyncio
import base64
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstead.foundation.config.sections.pop3 import Pop3Settings
from mailstead.foundation.config.settings import Settings
from mailstead.protocols.pop3.parser import Parser
from mailstead.protocols.pop3.responses import Stuffing
from support.installation import Installation, installation
from support.pop3_dialogue import dialogue

ALICE = "alice@example.test"


def log_in(made: Installation) -> bytes:
    message = f"\0{ALICE}\0{made.passwords[ALICE]}".encode()
    return b"AUTH PLAIN " + base64.b64encode(message) + b"\r\n"


async def test_one_session_at_a_time(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, dialogue(made, name="first") as first:
        assert (await first.say(log_in(made))).startswith(b"+OK")
        async with dialogue(made, name="second") as second:
            assert await second.say(log_in(made)) == b"-ERR [IN-USE] Another session has this mailbox\r\n"
            assert (await first.say(b"QUIT\r\n")).startswith(b"+OK")
            assert (await second.say(log_in(made))).startswith(b"+OK")


async def test_a_session_that_is_cut_gives_its_lock_back(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        async with dialogue(made, name="first") as first:
            await first.say(log_in(made))
        async with dialogue(made, name="second") as second:
            assert (await second.say(log_in(made))).startswith(b"+OK")


async def test_a_lost_lock_ends_the_session_and_removes_nothing(tmp_path: Path) -> None:
    short = Settings(pop3=Pop3Settings(lease=10))
    async with installation(tmp_path, short) as made:
        await made.deliver(ALICE, b"one")
        async with dialogue(made, name="first") as first:
            await first.say(log_in(made) + b"DELE 1\r\n")
            lock = first.session.lock
            assert lock is not None
            mailbox_id = (await made.mailbox(ALICE)).id
            assert await made.bus.release(f"pop3.{mailbox_id}", "first")
            assert await made.bus.acquire(f"pop3.{mailbox_id}", "somebody else", 100)
            await lock.renew_now()
            assert await first.say(b"QUIT\r\n") == b"-ERR [SYS/TEMP] The lock on this mailbox was lost\r\n"
            assert first.session.is_over
        assert await made.messages(ALICE) == [b"one"]


async def test_what_comes_and_goes_meanwhile_does_not_disturb(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, dialogue(made) as talk:
        await made.deliver(ALICE, b"one\r\n")
        await made.deliver(ALICE, b"two\r\n")
        await talk.say(log_in(made))
        await made.deliver(ALICE, b"three\r\n")
        mailbox = await made.mailbox(ALICE)
        mailbox.remove(mailbox.folder("INBOX").id, [2])
        assert await talk.say(b"STAT\r\n") == b"+OK 2 10\r\n"
        assert await talk.say(b"RETR 1\r\n") == b"+OK 5 octets\r\none\r\n.\r\n"
        assert await talk.say(b"RETR 2\r\n") == b"+OK 5 octets\r\ntwo\r\n.\r\n"
        assert (await talk.say(b"DELE 1\r\nDELE 2\r\nQUIT\r\n")).count(b"+OK") == 3
        assert await made.messages(ALICE) == [b"three\r\n"]


async def test_deletions_can_be_undone(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, dialogue(made) as talk:
        await made.deliver(ALICE, b"one")
        await talk.say(log_in(made) + b"DELE 1\r\nQUIT\r\n")
        assert await made.messages(ALICE) == []
        assert (await made.mailbox(ALICE)).undelete(0) == 1
        assert await made.messages(ALICE) == [b"one"]


async def test_unique_ids_stay(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        for text in (b"one", b"two", b"three"):
            await made.deliver(ALICE, text)
        async with dialogue(made) as talk:
            await talk.say(log_in(made))
            before = (await talk.say(b"UIDL\r\n")).split(b"\r\n")[1:-2]
            await talk.say(b"DELE 2\r\nQUIT\r\n")
        async with dialogue(made) as talk:
            await talk.say(log_in(made))
            after = (await talk.say(b"UIDL\r\n")).split(b"\r\n")[1:-2]
        assert [line.split()[1] for line in after] == [line.split()[1] for line in (before[0], before[2])]


async def test_a_large_message_waits_for_a_slow_reader(tmp_path: Path) -> None:
    large = b"Subject: large\r\n\r\n" + b".0123456789012345678901234567890123456789\r\n" * 50_000
    async with installation(tmp_path) as made, dialogue(made) as talk:
        await made.deliver(ALICE, large)
        await talk.say(log_in(made))
        flushes = talk.flushes
        answer = await talk.say(b"RETR 1\r\n")
        assert talk.flushes - flushes >= len(large) // (256 * 1024)
        assert answer.partition(b"\r\n")[2] == large.replace(b"\r\n.", b"\r\n..") + b".\r\n"
        top = await talk.say(b"TOP 1 3\r\n")
        assert top.count(b"\r\n..0123") == 3


async def test_all_messages_in_order_and_out_of_it(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, dialogue(made) as talk:
        for number in range(1, 251):
            await made.deliver(ALICE, b"message %d\r\n" % number)
        await talk.say(log_in(made))
        for number in [*range(1, 251), 3, 4, 5, 250, 249, 120, 121]:
            answer = await talk.say(b"RETR %d\r\n" % number)
            assert answer.partition(b"\r\n")[2] == b"message %d\r\n.\r\n" % number


async def test_a_wrong_password_and_too_many(tmp_path: Path) -> None:
    async with installation(tmp_path, Settings(pop3=Pop3Settings(errors_limit=3))) as made, dialogue(made) as talk:
        answers = b"".join([await talk.say(f"USER {ALICE}\r\nPASS wrong\r\n".encode()) for _ in range(3)])
        assert talk.session.is_over
        assert b"-ERR [AUTH] Authentication failed\r\n" in answers
        assert answers.endswith(b"-ERR [SYS/PERM] Too many errors\r\n")


@given(st.lists(st.binary(max_size=20) | st.sampled_from([b".", b"\n", b"\r\n", b"\n.", b"\r\n.\r\n"]), max_size=20))
def test_no_message_can_end_its_response(pieces: list[bytes]) -> None:
    stuffing = Stuffing()
    sent = b"".join([*map(stuffing.stuff, pieces), stuffing.end()])
    message = b"".join(pieces)
    for line_end in (b"\r\n", b"\n"):  # for clients that take LF alone for a line end, too
        lines = sent.split(line_end)
        assert b"." not in [line.removesuffix(b"\r") for line in lines[:-2]]
    if not re.search(rb"(?<!\r)\n", message):
        ended = message if message.endswith(b"\r\n") or not message else message + b"\r\n"
        assert (b"\r\n" + sent)[:-3].replace(b"\r\n.", b"\r\n")[2:] == ended


@given(
    st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b"NOOP", b" "]) | st.binary(max_size=4), max_size=20).map(b"".join)
)
def test_lines_do_not_depend_on_the_cut(data: bytes) -> None:
    def events(chunks: list[bytes]) -> list[object]:
        parser = Parser(12)
        found: list[object] = []
        for chunk in chunks:
            parser.receive(chunk)
            while (event := parser.next_event()) is not None:
                found.append(event)
        return found

    assert events([data]) == events([bytes([octet]) for octet in data])


class Running:
    """One installation for all examples."""

    def __init__(self, runner: asyncio.Runner, made: Installation) -> None:
        self._runner = runner
        self.made = made

    def say(self, chunks: list[bytes], *, tls: bool) -> bytes:
        async def talk() -> bytes:
            async with dialogue(self.made, tls=tls) as opened:
                return b"".join([await opened.say(chunk) for chunk in chunks])

        return self._runner.run(talk())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()

        async def start() -> Installation:
            made = await stack.enter_async_context(installation(tmp_path_factory.mktemp("pop3")))
            for number in range(5):
                await made.deliver(ALICE, b"Subject: %d\r\n\r\n.\r\nx\r\n" % number)
            return made

        yield Running(runner, runner.run(start()))
        runner.run(stack.aclose())


LINES = [
    b"CAPA", b"USER a@b", b"PASS x", b"AUTH", b"AUTH PLAIN", b"*", b"STLS", b"UTF8", b"LANG", b"LANG *", b"STAT", b"LIST",
    b"LIST 1", b"UIDL 2", b"UIDL", b"RETR 1", b"RETR 9", b"TOP 1 0", b"TOP 2 5", b"DELE 3", b"RSET", b"NOOP", b"LAST", b"",
]  # fmt: skip
SCRIPTS = st.lists(st.sampled_from(LINES).map(lambda line: line + b"\r\n") | st.binary(max_size=12), max_size=25).map(
    b"".join
)


@settings(deadline=None)
@given(script=SCRIPTS, logged_in=st.booleans(), tls=st.booleans(), places=st.lists(st.integers(0, 300), max_size=6))
def test_any_bytes(running: Running, script: bytes, logged_in: bool, tls: bool, places: list[int]) -> None:
    script = (log_in(running.made) if logged_in else b"") + script
    answers = running.say([script], tls=tls)
    assert re.fullmatch(rb"(?:(?:\+OK|-ERR|\+)[ -~]*\r\n(?:[^\r\n]*\r\n)*)*", answers), answers
    ends = sorted({place for place in places if place < len(script)})
    chunks = [script[start:end] for start, end in zip([0, *ends], [*ends, len(script)], strict=True)]
    if b"STLS" not in script:
        assert running.say(chunks, tls=tls) == answers


async def test_the_lease_is_renewed(tmp_path: Path) -> None:
    async with installation(tmp_path, Settings(pop3=Pop3Settings(lease=10))) as made, dialogue(made) as talk:
        await talk.say(log_in(made))
        lock = talk.session.lock
        assert lock is not None
        await lock.renew_now()
        assert not lock.lost
