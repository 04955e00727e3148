"""An SMTP server in the test's own loop that says what a script tells it, and keeps what it is sent.

A script is a list of replies for a stage (CONNECT, EHLO, HELO, STARTTLS, RSET, MAIL, RCPT, DATA, DOT), used up from the
front; then the default goes on. A reply of "" closes the connection without a word.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from support.eventually import eventually

EXTENSIONS = ("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "SIZE 100000000", "ENHANCEDSTATUSCODES")
_DEFAULTS = {"CONNECT": "220 sink.test ESMTP", "DATA": "354 go on", "DOT": "250 2.0.0 taken", "QUIT": "221 bye"}


@dataclass
class ScriptedServer:
    """What was said to it, and what it says."""

    port: int = 0
    name: str = "sink.test"
    extensions: tuple[str, ...] = EXTENSIONS
    tls: ssl.SSLContext | None = None
    scripts: dict[str, list[str]] = field(default_factory=dict)
    messages: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    most_at_once: int = 0
    encrypted: list[bool] = field(default_factory=list)
    verbs: Counter[str] = field(default_factory=Counter)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    hold_at: str = ""  # the stage whose reply waits for `gate`
    waiting: int = 0
    writers: dict[asyncio.StreamWriter, asyncio.StreamReader] = field(default_factory=dict)

    def recipients(self) -> list[str]:
        """All recipients of all messages, in order."""
        return [recipient for _, recipients, _ in self.messages for recipient in recipients]

    async def _reply(self, writer: asyncio.StreamWriter, stage: str, default: str = "250 2.0.0 ok") -> str:
        if self.hold_at == stage:
            self.waiting += 1
            await eventually(lambda: self.gate.is_set() or self.writers[writer].at_eof())
        script = self.scripts.get(stage)
        text = script.pop(0) if script else _DEFAULTS.get(stage, default)
        if not text:
            raise ConnectionResetError
        writer.write(text.encode() + b"\r\n")
        await writer.drain()
        return text

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.writers[writer] = reader
        self.connections += 1
        self.peers.append(writer.get_extra_info("peername")[0])
        self.open_now += 1
        self.most_at_once = max(self.most_at_once, self.open_now)
        try:
            await self._reply(writer, "CONNECT")
            await self._session(reader, writer)
        except (ConnectionError, ssl.SSLError):
            pass  # as scripted, or the client went
        finally:
            self.open_now -= 1
            del self.writers[writer]
            writer.close()

    def hang_up(self) -> None:
        """Close every connection without a word."""
        for writer in set(self.writers):
            writer.transport.abort()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender, recipients, encrypted = "", list[str](), False
        while line := await reader.readline():
            text = line.decode().rstrip("\r\n")
            self.lines.append(text)
            verb = text.partition(" ")[0].upper()
            self.verbs[verb] += 1
            match verb:
                case "EHLO":
                    offered = [one for one in self.extensions if not (encrypted and one == "STARTTLS")]
                    said = [self.name, *offered]
                    lines = [f"250{'-' if number < len(said) - 1 else ' '}{one}" for number, one in enumerate(said)]
                    await self._reply(writer, "EHLO", "\r\n".join(lines))
                case "STARTTLS":
                    if (await self._reply(writer, "STARTTLS", "220 go ahead")).startswith("220"):
                        assert self.tls is not None
                        await writer.start_tls(self.tls)
                        encrypted = True
                case "MAIL":
                    sender, recipients = text.partition("<")[2].partition(">")[0], []
                    await self._reply(writer, "MAIL")
                case "RCPT":
                    if (await self._reply(writer, "RCPT")).startswith("2"):
                        recipients.append(text.partition("<")[2].partition(">")[0])
                case "DATA":
                    if not (await self._reply(writer, "DATA")).startswith("354"):
                        continue
                    body = []
                    while (data := await reader.readline()) not in (b".\r\n", b""):
                        body.append(data.removeprefix(b"."))
                    if not data:
                        return
                    if self.scripts.get("DOT", ["2"])[0][:1] in ("2", ""):
                        # "" at DOT: taken, and then the connection is lost
                        self.messages.append((sender, recipients, b"".join(body)))
                        self.encrypted.append(encrypted)
                    await self._reply(writer, "DOT")
                case "QUIT":
                    await self._reply(writer, "QUIT")
                    return
                case _:
                    await self._reply(writer, verb)


@asynccontextmanager
async def scripted_server(**options: object) -> AsyncIterator[ScriptedServer]:
    """A running server on a free port of loopback."""
    scripted = ScriptedServer(**options)  # type: ignore[arg-type]
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0, limit=2**20)
    scripted.port = server.sockets[0].getsockname()[1]
    try:
        yield scripted
    finally:
        scripted.gate.set()
        server.close()
        scripted.hang_up()
        await server.wait_closed()
