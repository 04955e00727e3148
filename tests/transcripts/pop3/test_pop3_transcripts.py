"""Every POP3 transcript, against the session alone and against a real listener."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from mailstead.foundation.config.sections.pop3 import Pop3Settings
from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.settings import Settings
from support.installation import Installation, installation
from support.pop3_dialogue import Dialogue, pop3_server, pop3_services
from support.socket_talk import SocketTalk
from support.transcript import Talk, Transcript, play, read_transcript, unescape

TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))


class SessionTalk:
    def __init__(self, made: Installation, tls: bool) -> None:
        self._dialogue = Dialogue(pop3_services(made), tls=tls)
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

    async def close(self) -> None:
        await self._dialogue.session.end()


def settings_of(transcript: Transcript) -> Settings:
    pop3 = {name: msgspec.json.decode(value) for name, _, value in map(_words, transcript.settings.get("pop3", []))}
    return Settings(pop3=Pop3Settings(**pop3), server=ServerSettings(insecure_auth="insecure" in transcript.settings))


def _words(text: str) -> tuple[str, str, str]:
    return text.partition(" ")


@asynccontextmanager
async def talking(made: Installation, transcript: Transcript, to: str) -> AsyncIterator[Talk]:
    tls = transcript.settings.get("tls", ["yes"])[0]
    if to == "session":
        talk = SessionTalk(made, tls == "yes")
        try:
            yield talk
        finally:
            await talk.close()
        return
    async with pop3_server(made, "starttls") as (port, authority):
        connected = await SocketTalk.open(port, authority)
        if tls == "yes":
            await connected.read_line()
            await connected.send(b"STLS\r\n")
            await connected.read_line()
            await connected.start_tls()
            connected = _WithGreeting(connected)
        try:
            yield connected
        finally:
            await connected.close()


class _WithGreeting(SocketTalk):
    """The greeting came before TLS: it is given again."""

    def __init__(self, talk: SocketTalk) -> None:
        super().__init__(talk._connection, talk._authority)
        self._held = b"+OK mail.example.test POP3 ready\r\n"


@pytest.mark.parametrize("to", ["session", "socket"])
@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
async def test_transcript(path: Path, to: str, tmp_path: Path) -> None:
    transcript = read_transcript(path)
    async with installation(tmp_path, settings_of(transcript)) as made:
        for message in transcript.settings.get("message", []):
            await made.deliver("alice@example.test", unescape(message))
        password = made.passwords["alice@example.test"]
        values = {
            "password": password,
            "plain": base64.b64encode(f"\0alice@example.test\0{password}".encode()).decode(),
            "plain_as_bob": base64.b64encode(f"bob@example.test\0alice@example.test\0{password}".encode()).decode(),
            "plain_wrong": base64.b64encode(b"\0alice@example.test\0wrong").decode(),
            "uidvalidity": str((await made.mailbox("alice@example.test")).folder("INBOX").uidvalidity),
        }
        async with talking(made, transcript, to) as talk:
            await play(transcript, talk, values)
        left = transcript.settings.get("left")
        if left is not None:
            assert await made.messages("alice@example.test") == [unescape(text) for text in left if text]
