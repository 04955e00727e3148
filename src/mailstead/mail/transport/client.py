"""An SMTP or LMTP client on one connection (RFC 5321, RFC 2033): pipelined where the server allows it."""

import base64
import ssl
from collections.abc import Iterable, Sequence

import msgspec

from mailstead.foundation.errors import PermanentError, TemporaryError
from mailstead.foundation.net.connection import Connection
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.transport.reply import Reply, ReplyParser

_XTEXT_PLAIN = frozenset(range(33, 127)) - frozenset(b"+=")


class ServerClosedError(TemporaryError):
    """The server closed the connection before it answered."""

    smtp_code = 451
    enhanced_code = "4.4.2"
    public_text = "The remote server closed the connection"


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds to wait (RFC 5321 §4.5.3.2)."""

    command: float = 300.0
    data: float = 600.0


class BareLineBreakError(PermanentError):
    """The message has CR or LF alone, which DATA must not carry (RFC 5321 §2.3.8): others might see two messages."""

    smtp_code = 554
    enhanced_code = "5.6.3"
    public_text = "The message has CR or LF alone and cannot be sent on"


class Outcome(msgspec.Struct, frozen=True):
    """What the server said of one recipient; `relayed_dsn` when it took over the DSN parameters."""

    recipient: EnvelopeRecipient
    reply: Reply
    relayed_dsn: bool


def xtext(text: str) -> str:
    """RFC 3461 §4: everything but plain characters as +XX."""
    return "".join(chr(octet) if octet in _XTEXT_PLAIN else f"+{octet:02X}" for octet in text.encode())


def _has_bare_line_break(data: bytes) -> bool:
    breaks = data.count(b"\r\n")
    return data.count(b"\n") != breaks or data.count(b"\r") != breaks


class Client:
    """Drives one connection; every method may raise ServerClosedError, BadReplyError, ReadTimeoutError."""

    def __init__(self, connection: Connection, timeouts: Timeouts, *, lmtp: bool = False) -> None:
        self._connection = connection
        self._timeouts = timeouts
        self._lmtp = lmtp
        self._parser = ReplyParser()
        self.extensions: dict[str, str] = {}

    @property
    def encrypted(self) -> bool:
        """Whether TLS is on."""
        return self._connection.tls is not None

    async def _reply(self, timeout: float | None = None) -> Reply:
        while (reply := self._parser.next_reply()) is None:
            data = await self._connection.read(timeout or self._timeouts.command)
            if not data:
                raise ServerClosedError
            self._parser.receive(data)
        return reply

    async def _command(self, line: str) -> Reply:
        self._connection.write(line.encode() + b"\r\n")
        return await self._reply()

    async def greeting(self) -> Reply:
        """The server's first words."""
        return await self._reply()

    async def hello(self, name: str) -> Reply:
        """EHLO (HELO when that is not known, LHLO over LMTP); notes the extensions."""
        reply = await self._command(f"{'LHLO' if self._lmtp else 'EHLO'} {name}")
        if reply.permanent and not self._lmtp:
            reply = await self._command(f"HELO {name}")
            self.extensions = {}
            return reply
        self.extensions = {}
        for line in reply.lines[1:]:
            keyword, _, parameters = line.partition(" ")
            self.extensions[keyword.upper()] = parameters
        return reply

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str | None) -> Reply:
        """STARTTLS; EHLO has to be said again after it. Raises StartTLSError."""
        reply = await self._command("STARTTLS")
        if reply.code == 220:
            await self._connection.start_client_tls(context, server_hostname, self._timeouts.command)
            self._parser = ReplyParser()
        return reply

    async def authenticate(self, login: str, password: str) -> Reply:
        """AUTH PLAIN (RFC 4954)."""
        message = base64.b64encode(f"\0{login}\0{password}".encode()).decode()
        return await self._command(f"AUTH PLAIN {message}")

    def _mail_line(self, envelope: Envelope, size: int) -> str:
        parameters = [f"MAIL FROM:<{envelope.sender}>"]
        if "SIZE" in self.extensions:
            parameters.append(f"SIZE={size}")
        if "8BITMIME" in self.extensions:
            parameters.append("BODY=8BITMIME")
        if envelope.smtputf8 and "SMTPUTF8" in self.extensions:
            parameters.append("SMTPUTF8")
        if "DSN" in self.extensions:
            if envelope.ret:
                parameters.append(f"RET={envelope.ret}")
            if envelope.envelope_id:
                parameters.append(f"ENVID={xtext(envelope.envelope_id)}")
        return " ".join(parameters)

    def _recipient_line(self, recipient: EnvelopeRecipient) -> str:
        parameters = [f"RCPT TO:<{recipient.address}>"]
        if "DSN" in self.extensions:
            if recipient.notify:
                parameters.append(f"NOTIFY={','.join(sorted(recipient.notify))}")
            if recipient.original:
                parameters.append(f"ORCPT={recipient.original}")
        return " ".join(parameters)

    async def send(self, envelope: Envelope, message: Iterable[bytes], size: int) -> list[Outcome]:
        """One transaction; one outcome per recipient, in order. The session can be used again afterwards."""
        lines = [self._mail_line(envelope, size), *map(self._recipient_line, envelope.recipients)]
        replies: list[Reply] = []
        if "PIPELINING" in self.extensions:
            self._connection.write(("\r\n".join(lines) + "\r\n").encode())
            for _ in lines:
                replies.append(await self._reply())
        else:
            for line in lines:
                replies.append(await self._command(line))
                if not replies[0].positive:
                    break
        if not replies[0].positive:
            await self._command("RSET")
            return [Outcome(recipient, replies[0], False) for recipient in envelope.recipients]
        answered = list(zip(envelope.recipients, replies[1:], strict=True))
        if not any(reply.positive for _, reply in answered):
            await self._command("RSET")
            return [Outcome(recipient, reply, False) for recipient, reply in answered]
        start = await self._command("DATA")
        if start.code != 354:
            return self._outcomes(answered, [start] * len(answered))
        await self._stream(message)
        if self._lmtp:
            finals = [await self._reply(self._timeouts.data) for _, reply in answered if reply.positive]
        else:
            finals = [await self._reply(self._timeouts.data)] * sum(reply.positive for _, reply in answered)
        return self._outcomes(answered, finals)

    def _outcomes(self, answered: Sequence[tuple[EnvelopeRecipient, Reply]], finals: Sequence[Reply]) -> list[Outcome]:
        remaining = iter(finals)
        dsn = "DSN" in self.extensions
        return [Outcome(recipient, next(remaining) if reply.positive else reply, dsn) for recipient, reply in answered]

    async def _stream(self, message: Iterable[bytes]) -> None:
        """The message with dots stuffed (RFC 5321 §4.5.2), whatever the cut of its chunks, and the final dot."""
        before = b"\r\n"  # what the octets so far end with, as far as a dot after it matters
        for chunk in message:
            data = before + chunk
            if not self._lmtp and _has_bare_line_break(data.removesuffix(b"\r")):
                raise BareLineBreakError
            self._connection.write(data.replace(b"\r\n.", b"\r\n..")[len(before) :])
            before = b"\r\n" if data.endswith(b"\r\n") else b"\r" if data.endswith(b"\r") else b""
            await self._connection.flush(self._timeouts.data)
        if before == b"\r" and not self._lmtp:
            raise BareLineBreakError
        self._connection.write(b".\r\n" if before == b"\r\n" else b"\r\n.\r\n")

    async def quit(self) -> None:
        """QUIT, without waiting for more than a word."""
        self._connection.write(b"QUIT\r\n")
        await self._connection.close()

    def abort(self) -> None:
        """Close at once."""
        self._connection.abort()
