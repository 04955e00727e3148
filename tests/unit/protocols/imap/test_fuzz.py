"""Hostile bytes against IMAP sessions: nothing is raised, and what is answered is always a response of the grammar."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import uvloop
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.imap_client import Response, parse_response, response_end
from support.imap_dialogue import MemoryTalk, imap_services
from support.imap_transcript import transcript_settings
from support.installation import Installation, installation

ALICE = "alice@example.test"
SEEDS = sorted((Path(__file__).parent / "seeds").glob("*.bin"))


class Running:
    """One installation for all examples."""

    def __init__(self, runner: asyncio.Runner, made: Installation) -> None:
        self._runner = runner
        self._made = made

    def say(self, chunks: list[bytes], *, logged_in: bool = True, selected: bool = True) -> list[Response]:
        """What a session answers to all of it until it ends."""

        async def talk() -> bytes:
            session = MemoryTalk(imap_services(self._made))
            if logged_in:
                await session.send(f"in LOGIN {ALICE} {self._made.passwords[ALICE]}\r\n".encode())
                await session.settled()
            if logged_in and selected:
                await session.send(b"in SELECT INBOX\r\n")
                await session.settled()
            session.take()
            for chunk in chunks:
                if not session.task.done():
                    await session.send(chunk)
                    await session.settled()
            await session.end_of_input()
            async with asyncio.timeout(20):
                await session.task
            return session.take()

        return responses(self._runner.run(talk()))


def responses(said: bytes) -> list[Response]:
    """Every response; fails where the server's octets are none."""
    found: list[Response] = []
    while said:
        end = response_end(said)
        assert end > 0, said[-200:]
        found.append(parse_response(said[:end]))
        said = said[end:]
    for response in found:
        if response.tag not in ("*", "+"):
            assert response.name in ("OK", "NO", "BAD"), response.line
    return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()

        async def start() -> Installation:
            folder = tmp_path_factory.mktemp("imap")
            made = await stack.enter_async_context(installation(folder, transcript_settings({})))
            for number in range(3):
                await made.deliver(ALICE, b"Subject: %d\r\n\r\nx\r\n" % number)
            return made

        yield Running(runner, runner.run(start()))
        runner.run(stack.aclose())


def test_whole_commands_are_answered_in_order(running: Running) -> None:
    found = running.say([b"a NOOP\r\nb FROB\r\nc FETCH 1:3 UID\r\nd FETCH 4 UID\r\n"])
    assert [(one.tag, one.name) for one in found if one.tag != "*"] == [
        ("a", "OK"), ("b", "BAD"), ("c", "OK"), ("d", "BAD"),
    ]  # fmt: skip
    assert [one.number for one in found if one.name == "FETCH"] == [1, 2, 3]


PIECES = [
    b"a ", b"UID ", b"FETCH ", b"STORE ", b"SEARCH ", b"COPY ", b"MOVE ", b"LIST ", b"LSUB ", b"STATUS ", b"APPEND ",
    b"CREATE ", b"RENAME ", b"DELETE ", b"SELECT ", b"EXAMINE ", b"ENABLE ", b"EXPUNGE", b"IDLE\r\nDONE", b"NOOP", b"ID ",
    b"AUTHENTICATE PLAIN ", b"LOGIN ", b"STARTTLS", b"GETQUOTAROOT ", b"SORT ", b"THREAD ", b"REPLACE ", b"GETMETADATA ",
    b"1", b"1:*", b"*", b"$", b"0", b"4294967295", b"99999999999999999999", b"1,2,3:1", b"()", b"(", b")", b"[", b"]",
    b" ", b'"', b'""', b'"a\\"b"', b"\\Seen", b"\\*", b"{3}\r\nabc", b"{3+}\r\nabc", b"{0}\r\n", b"{99999999999}\r\n",
    b"~{2+}\r\n\0\1", b"INBOX", b"&AOk-", b"BODY[]", b"BODY.PEEK[1.MIME]<0.5>", b"BINARY[1]", b"BODY[HEADER.FIELDS (a)]",
    b"FLAGS", b"+FLAGS.SILENT", b"(FLAGS UID)", b"ALL", b"OR ", b"NOT ", b"HEADER ", b"CHARSET ", b"RETURN (SAVE)",
    b"(CHANGEDSINCE 1)", b"(QRESYNC (1 1))", b"1-Jan-2020", b"\r\n", b"\n", b"\r", b"\0", b"\x7f", b"\xc3\xa9", b"\xff",
]  # fmt: skip
LINES = st.lists(st.sampled_from(PIECES), max_size=9).map(b"".join).map(lambda line: b"a " + line + b"\r\n")
SCRIPTS = st.lists(LINES | st.binary(max_size=30), max_size=8).map(b"".join)


@settings(deadline=None, max_examples=250)
@given(
    script=SCRIPTS,
    state=st.sampled_from(["before", "logged in", "selected"]),
    cuts=st.lists(st.integers(0, 200), max_size=3),
)
@example(script=b"a SEARCH (((\r\na FETCH 1 BODY[HEADER.FIELDS (\r\n", state="selected", cuts=[3])
@example(script=b"a APPEND INBOX {3+}\r\nab", state="logged in", cuts=[])
@example(script=b"a IDLE\r\n", state="selected", cuts=[])
def test_any_bytes(running: Running, script: bytes, state: str, cuts: list[int]) -> None:
    ends = sorted({cut for cut in cuts if cut < len(script)})
    chunks = [script[start:end] for start, end in zip([0, *ends], [*ends, len(script)], strict=True) if start < end]
    running.say(chunks, logged_in=state != "before", selected=state == "selected")


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_a_kept_seed(running: Running, path: Path) -> None:
    for logged_in, selected in ((False, False), (True, False), (True, True)):
        running.say([path.read_bytes()], logged_in=logged_in, selected=selected)


LINE = 60_000
HEAVY = {
    "parentheses": b"SEARCH " + b"(" * LINE,
    "closed parentheses": b"SEARCH " + b"(" * 20_000 + b"ALL" + b")" * 20_000,
    "not": b"SEARCH " + b"NOT " * 14_000 + b"ALL",
    "or": b"SEARCH " + b"OR ALL " * 8_000 + b"ALL",
    "numbers": b"FETCH " + b",".join([b"1"] * 30_000) + b" UID",
    "ascending numbers": b"UID FETCH " + b",".join(b"%d" % number for number in range(1, 10_000)) + b" UID",
    "overlapping ranges": b"UID FETCH " + b",".join([b"1:*"] * 15_000) + b" UID",
    "digits": b"UID FETCH " + b"9" * LINE + b" UID",
    "quotes": b"LIST \"\" \"" + b"\\\"" * 30_000 + b'"',
    "wildcards": b'LIST "" "' + b"%*" * 500 + b'x"',
    "open quote": b"LOGIN " + b'"' + b"a" * LINE,
    "fields": b"FETCH 1 BODY.PEEK[HEADER.FIELDS (" + b" ".join([b"a"] * 20_000) + b")]",
    "path": b"FETCH 1 BODY.PEEK[" + b".".join([b"1"] * 20_000) + b"]",
    "items": b"FETCH 1 (" + b" ".join([b"UID"] * 14_000) + b")",
    "flags": b"STORE 1 FLAGS (" + b" ".join(b"k%d" % number for number in range(8_000)) + b")",
    "shifts": b"CREATE " + b"&AOk-" * 12_000,
    "literals": b"LOGIN " + b"{1+}\r\na " * 20_000,
    "keys": b"SEARCH " + b"UNSEEN " * 8_000,
    "brackets": b"FETCH 1 " + b"BODY[" * 12_000,
    "patterns": b'LIST "" (' + b" ".join([b"*"] * 20_000) + b")",
}  # fmt: skip


@pytest.mark.parametrize("name", HEAVY)
def test_what_looks_heavy_is_answered(running: Running, name: str) -> None:
    found = running.say([b"a " + HEAVY[name] + b"\r\nb NOOP\r\n"])
    assert any(response.tag in ("a", "b") or response.name in ("BYE", "BAD") for response in found), found
