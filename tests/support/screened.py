"""Screening over an installation, and an exchanger that uses it."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from mailstead.formats.message.date import format_date
from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.settings import Settings
from mailstead.mail.authentication.inbound import InboundAuthentication
from mailstead.mail.screening.screening import Screening
from mailstead.protocols.smtp.roles.mx import MxRole
from support.installation import HOSTNAME, Installation, installation
from support.scripted_resolver import ScriptedResolver, Zone
from support.smtp_dialogue import Dialogue, Smtp, dialogue, smtp

GOOD_CLIENT = "192.0.2.10"
GOOD_ZONE: Zone = {
    "10.2.0.192.in-addr.arpa": {"PTR": "mail.good.test."},
    "mail.good.test": {"A": "192.0.2.10"},
    "good.test": {"MX": "10 mail.good.test.", "TXT": "v=spf1 ip4:192.0.2.10 -all"},
    "_dmarc.good.test": {"TXT": "v=DMARC1; p=reject"},
    "stranger.test": {"MX": "10 mail.stranger.test."},
}


def screening(made: Installation, resolver: ScriptedResolver) -> Screening:
    return Screening(resolver, made.directory, made.bus, made.documents, made.settings, HOSTNAME, made.clock, made.junk)


class Exchanger:
    """An installation whose mail exchanger screens; `connect` begins a session from an address."""

    def __init__(self, made: Installation, opened: Smtp, resolver: ScriptedResolver, screens: Screening) -> None:
        self.made = made
        self.resolver = resolver
        self.screening = screens
        assert isinstance(made.clock, ManualClock)
        self.clock = made.clock
        authentication = InboundAuthentication(
            resolver, made.settings.authentication, made.settings.dkim, HOSTNAME, made.clock
        )
        self.role = MxRole(msgspec.structs.replace(opened.services, authentication=authentication, screening=screens))

    @asynccontextmanager
    async def connect(self, address: str = GOOD_CLIENT, hello: str = "mail.good.test") -> AsyncIterator[Dialogue]:
        async with dialogue(self.role, address=address) as saying:
            await saying.say(f"EHLO {hello}\r\n".encode())
            yield saying

    async def send(
        self,
        message: bytes,
        sender: str = "ann@good.test",
        recipients: Sequence[str] = ("alice@example.test",),
        address: str = GOOD_CLIENT,
        hello: str = "mail.good.test",
    ) -> bytes:
        """The last reply of a transaction: to a recipient when none was taken, else to the message."""
        async with self.connect(address, hello) as saying:
            answer = await saying.say(f"MAIL FROM:<{sender}>\r\n".encode())
            if not answer.startswith(b"250"):
                return answer
            answers = [await saying.say(f"RCPT TO:<{one}>\r\n".encode()) for one in recipients]
            if not any(one.startswith(b"250") for one in answers):
                return answers[-1]
            await saying.say(b"DATA\r\n")
            return await saying.say(message + b".\r\n")

    async def traced(self, event: str, address: str = "alice@example.test") -> list[str]:
        await self.made.trace.flush()
        return [entry.text for entry in await self.made.trace.find(address) if entry.event == event]


def letter(
    text: str = "Shall we meet on Thursday? The minutes of the last meeting are below.",
    *,
    author: str = "Ann <ann@good.test>",
    subject: str = "Minutes",
    more: str = "",
) -> bytes:
    """A message with nothing against it."""
    return (
        f"From: {author}\r\nTo: alice@example.test\r\nSubject: {subject}\r\nMessage-ID: <1@good.test>\r\n"
        f"Date: {format_date(int(time.time()))}\r\n{more}\r\n{text}\r\n"
    ).encode()


@asynccontextmanager
async def exchanger(
    folder: Path,
    zone: Zone | None = None,
    *,
    failing: Sequence[str] = (),
    settings: dict[str, dict[str, Any]] | None = None,
) -> AsyncIterator[Exchanger]:
    """Its clock stands; settings by section."""
    chosen = msgspec.convert(settings or {}, Settings)
    resolver = ScriptedResolver({**GOOD_ZONE, **(zone or {})}, failing=failing)
    async with installation(folder, chosen, ManualClock(time.time())) as made, smtp(made) as opened:
        screens = screening(made, resolver)
        yield Exchanger(made, opened, resolver, screens)
        await screens.close()
