"""Plays an SMTP or LMTP transcript against a session, or against a real listener."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import msgspec

from mailstead.foundation.config.sections.lmtp import LmtpSettings
from mailstead.foundation.config.sections.message import MessageSettings
from mailstead.foundation.config.sections.mx import MxSettings
from mailstead.foundation.config.sections.server import ServerSettings
from mailstead.foundation.config.sections.smtp import SmtpSettings
from mailstead.foundation.config.sections.submission import SubmissionSettings
from mailstead.foundation.config.settings import Settings
from support.installation import installation
from support.smtp_dialogue import TLS, Dialogue, RoleName, Smtp, smtp, smtp_server
from support.socket_talk import SocketTalk
from support.transcript import Talk, Transcript, play, read_transcript, unescape

_SECTIONS = {
    "smtp": SmtpSettings,
    "mx": MxSettings,
    "submission": SubmissionSettings,
    "lmtp": LmtpSettings,
    "message": MessageSettings,
    "server": ServerSettings,
}


class SessionTalk:
    def __init__(self, opened: Smtp, role: RoleName) -> None:
        self.dialogue = Dialogue(opened.role(role), address="127.0.0.1")
        self._held = b""

    async def send(self, data: bytes) -> None:
        await self.dialogue.session.receive(data)

    async def read_line(self) -> bytes:
        self._held += self.dialogue.take()
        line, newline, self._held = self._held.partition(b"\n")
        assert newline or self.dialogue.session.is_over, "nothing was said"
        return line + newline

    async def start_tls(self) -> None:
        assert self.dialogue.session.wants_tls
        self.dialogue.session.tls_started(TLS)

    async def is_silent(self) -> bool:
        return not (self._held or self.dialogue.take())

    async def close(self) -> None:
        self.dialogue.session.end()


def _settings(transcript: Transcript) -> Settings:
    sections: dict[str, dict[str, object]] = {}
    for section in _SECTIONS:
        for option in transcript.settings.get(section, []):
            name, _, value = option.partition(" ")
            sections.setdefault(section, {})[name] = msgspec.json.decode(value)
    given = {section: msgspec.convert(values, _SECTIONS[section]) for section, values in sections.items()}
    return Settings(**given)


@asynccontextmanager
async def _talking(opened: Smtp, role: RoleName, to: str) -> AsyncIterator[Talk]:
    if to == "session":
        talk = SessionTalk(opened, role)
        await talk.dialogue.open()
        try:
            yield talk
        finally:
            await talk.close()
        return
    async with smtp_server(opened, role) as (port, authority):
        connected = await SocketTalk.open(port, authority)
        try:
            yield connected
        finally:
            await connected.close()


async def run_transcript(path: Path, to: str, folder: Path, role: RoleName) -> None:
    """`! role NAME`, `! SECTION NAME JSON`, `! account ADDRESS`, `! disabled ADDRESS CODE`,
    `! inbox LOCAL TEXT...`: what the inbox ends with afterwards, one line per message; `! queued ADDRESS...`"""
    transcript = read_transcript(path)
    role = cast(RoleName, transcript.settings.get("role", [role])[0])
    async with installation(folder, _settings(transcript)) as made, smtp(made) as opened:
        for line in transcript.settings.get("account", []):
            await made.add_account(line)
        for line in transcript.settings.get("disabled", []):
            address, code = line.split()
            await made.disable(address, int(code))
        for line in transcript.settings.get("quota", []):
            address, octets = line.split()
            await made.add_account(address, quota=int(octets))
        password = made.passwords["alice@example.test"]
        values = {
            "plain": base64.b64encode(f"\0alice@example.test\0{password}".encode()).decode(),
            "plain_as_bob": base64.b64encode(f"bob@example.test\0alice@example.test\0{password}".encode()).decode(),
            "plain_wrong": base64.b64encode(b"\0alice@example.test\0wrong").decode(),
            "login": base64.b64encode(b"alice@example.test").decode(),
            "password": base64.b64encode(password.encode()).decode(),
        }
        async with _talking(opened, role, to) as talk:
            await play(transcript, talk, values)
        expected: dict[str, list[bytes]] = {}
        for line in transcript.settings.get("inbox", []):
            local, _, text = line.partition(" ")
            expected.setdefault(local, []).extend([unescape(text)] if text else [])
        for local, endings in expected.items():
            found = await made.messages(f"{local}@example.test")
            assert [message.endswith(end) for message, end in zip(found, endings, strict=True)] == [True] * len(found)
        if "queued" in transcript.settings:
            queued = [one.address for sent in await opened.queue.list_all() for one in sent.recipients]
            assert sorted(queued) == sorted(filter(None, transcript.settings["queued"]))
