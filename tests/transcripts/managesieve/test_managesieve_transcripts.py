"""Every ManageSieve transcript, against the session alone and against a real listener."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from mailstead.foundation.config.sections.sieve import SieveSettings
from mailstead.foundation.config.settings import Settings
from support.installation import Installation, installation
from support.sieve_dialogue import SieveDialogue, sieve_server, sieve_services
from support.socket_talk import SocketTalk
from support.transcript import Talk, Transcript, play, read_transcript

TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


class SessionTalk:
    def __init__(self, made: Installation, tls: bool) -> None:
        self._dialogue = SieveDialogue(sieve_services(made), tls=tls)
        self._held = b""

    async def send(self, data: bytes) -> None:
        await self._dialogue.session.receive(data)

    async def read_line(self) -> bytes:
        self._held += self._dialogue.take()
        line, newline, self._held = self._held.partition(b"\n")
        assert newline or self._dialogue.session.is_over, "nothing was said"
        return line + newline

    async def start_tls(self) -> None:
        assert self._dialogue.session.wants_tls
        self._dialogue.session.tls_started()

    async def is_silent(self) -> bool:
        return not (self._held or self._dialogue.take())


@asynccontextmanager
async def talking(made: Installation, transcript: Transcript, to: str) -> AsyncIterator[Talk]:
    """Past the greeting, under TLS unless the transcript says no."""
    tls = transcript.settings.get("tls", ["yes"])[0] == "yes"
    if to == "session":
        talk: Talk = SessionTalk(made, tls)
        if tls:
            await _to_ok(talk)
        yield talk
        return
    async with sieve_server(made) as (port, authority):
        connected = await SocketTalk.open(port, authority)
        if tls:
            await _to_ok(connected)
            await connected.send(b"STARTTLS\r\n")
            await connected.read_line()
            await connected.start_tls()
            await _to_ok(connected)
        try:
            yield connected
        finally:
            await connected.close()


async def _to_ok(talk: Talk) -> None:
    while not (await talk.read_line()).startswith(b"OK"):
        pass


@pytest.mark.parametrize("to", ["session", "socket"])
@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
async def test_transcript(path: Path, to: str, tmp_path: Path) -> None:
    transcript = read_transcript(path)
    words = [value.partition(" ") for value in transcript.settings.get("sieve", [])]
    settings = Settings(sieve=SieveSettings(**{name: msgspec.json.decode(value) for name, _, value in words}))
    async with installation(tmp_path, settings) as made:
        password = made.passwords["alice@example.test"]
        plain = base64.b64encode(f"\0alice@example.test\0{password}".encode()).decode()
        values = {
            "plain": plain,
            "length": str(len(plain)),
            "plain_as_bob": base64.b64encode(f"bob@example.test\0alice@example.test\0{password}".encode()).decode(),
            "plain_wrong": base64.b64encode(b"\0alice@example.test\0wrong").decode(),
        }
        async with talking(made, transcript, to) as talk:
            await play(transcript, talk, values)
        wanted = transcript.settings.get("recorded")
        if wanted is not None:
            assert [action for _, action, _ in made.recorded] == wanted[0].split()
