"""Any bytes in any cut: well-formed replies, no exception, bounded memory, and the same as in one piece."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstead.foundation.config.sections.message import MessageSettings
from mailstead.foundation.config.settings import Settings
from support.installation import installation
from support.smtp_dialogue import RoleName, Smtp, dialogue, smtp

LINES = [
    b"EHLO client.example", b"HELO x", b"LHLO x", b"MAIL FROM:<a@b.example>", b"MAIL FROM:<>",
    b"MAIL FROM:<alice@example.test> BODY=BINARYMIME", b"MAIL FROM:<a@b.example> SMTPUTF8 RET=FULL",
    b"RCPT TO:<alice@example.test>", b"RCPT TO:<bob@example.test> NOTIFY=NEVER", b"RCPT TO:<nobody@example.test>",
    b"RCPT TO:<far@remote.example>", b"DATA", b"BDAT 5", b"BDAT 3 LAST", b"BDAT 0 LAST", b"BDAT x", b"RSET", b"NOOP",
    b"QUIT", b"HELP", b"VRFY a", b"EXPN a", b"STARTTLS", b"AUTH PLAIN", b"AUTH LOGIN", b"AUTH PLAIN AGEAYg==", b"*",
    b".", b"..", b"", b"Subject: x", b"From: alice@example.test", b"abc",
]  # fmt: skip
SCRIPTS = st.lists(
    st.sampled_from(LINES).map(lambda line: line + b"\r\n") | st.binary(max_size=12) | st.just(b"\r\n.\r\n"),
    max_size=30,
).map(b"".join)
ENVELOPE = b"HLO client.example\r\nMAIL FROM:<alice@example.test>\r\nRCPT TO:<alice@example.test>\r\n"
BEGINNINGS = st.sampled_from([b"", b"E" + ENVELOPE, b"L" + ENVELOPE, b"E" + ENVELOPE + b"DATA\r\n"])
CUTS = st.lists(st.integers(0, 600), max_size=8)
REPLIES = re.compile(rb"(?:(?:\d{3}-[ -~]*\r\n)*\d{3} [ -~]*\r\n)*")


class Running:
    """One installation for all examples of a test."""

    def __init__(self, runner: asyncio.Runner, opened: Smtp) -> None:
        self._runner = runner
        self.opened = opened

    def say(self, role: RoleName, chunks: list[bytes], *, tls: bool) -> bytes:
        async def talk() -> bytes:
            answers = b""
            async with dialogue(self.opened.role(role), tls=tls, address="127.0.0.1") as opened:
                for chunk in chunks:
                    answers += await opened.say(chunk)
                    if opened.session.wants_tls:
                        opened.session.tls_started(None)
            return answers

        return self._runner.run(talk())


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("smtp")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stack = AsyncExitStack()

        async def start() -> Smtp:
            limits = Settings(message=MessageSettings(size_limit=64 * 1024))
            made = await stack.enter_async_context(installation(folder, limits))
            return await stack.enter_async_context(smtp(made))

        yield Running(runner, runner.run(start()))
        runner.run(stack.aclose())


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({place for place in places if place < len(data)})
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


@pytest.mark.parametrize("role", ["mx", "submission", "lmtp"])
@settings(deadline=None)
@given(beginning=BEGINNINGS, script=SCRIPTS, places=CUTS, tls=st.booleans())
def test_any_bytes(
    running: Running, role: RoleName, beginning: bytes, script: bytes, places: list[int], tls: bool
) -> None:
    script = beginning + script
    answers = running.say(role, [script], tls=tls)
    assert REPLIES.fullmatch(answers), answers
    if b"STARTTLS" not in script:
        again = running.say(role, cut(script, places), tls=tls)
        assert _lasting(again) == _lasting(answers)


def _lasting(answers: bytes) -> bytes:
    """The answers without what another second or message changes: FUTURERELEASE tells the latest time, and ids."""
    return re.sub(rb"\d{4}-\d\d-\d\dT[0-9:]{8}Z", b"TIME", re.sub(rb"[0-9a-z]{26}", b"ID", answers))


@pytest.mark.parametrize("role", ["mx", "submission", "lmtp"])
@settings(deadline=None)
@given(noise=st.binary(max_size=2000))
def test_noise(running: Running, role: RoleName, noise: bytes) -> None:
    assert REPLIES.fullmatch(running.say(role, [noise], tls=False))
