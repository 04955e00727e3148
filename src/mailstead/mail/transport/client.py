"""An SMTP or LMTP client on one connection (RFC 5321, RFC 2033): pipelined where the server allows it."""

import base64
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

import msgspec

from mailstead.foundation.errors import PermanentError, TemporaryError
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.errors import DisconnectedError
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.transport.reply import Reply, ReplyParser

_XTEXT_PLAIN = frozenset(range(33, 127)) - frozenset(b"+=")


class ServerClosedError(TemporaryError):
    """The server closed the connection before it answered."""

    smtp_code = 451
    enhanced_code = "4.4.2"
    public_text = "The remote server closed the connection"


class Timeouts(msgspec.Struct, frozen=True):
    """Seconds to wait (RFC 5321 §4.5.3.2): for the reply to a command, to DATA, for a block of the message to leave,
    and for the reply to its end."""

    command: float = 300.0
    data: float = 600.0
    start: float = 120.0
    block: float = 180.0


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


CUT_OFF = Reply(451, "4.4.2", ("The remote server closed the connection",))
_UNFIT = Reply(451, "4.5.0", ("The remote server gave a reply that does not fit the command",))


def xtext(text: str) -> str:
    """RFC 3461 §4: everything but plain characters as +XX."""
    return "".join(chr(octet) if octet in _XTEXT_PLAIN else f"+{octet:02X}" for octet in text.encode())


def wire_address(address: str) -> str:
    """The address as it goes to a server without SMTPUTF8: its domain in A-labels (RFC 6531 §3.2)."""
    local, at, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}{at}{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return address


def _has_bare_line_break(data: bytes) -> bool:
    breaks = data.count(b"\r\n")
    return data.count(b"\n") != breaks or data.count(b"\r") != breaks


class Client:
    """Drives one connection; every method may raise ServerClosedError, BadReplyError, ReadTimeoutError.

    `usable` is false once the server said goodbye or something was left half done: nothing may be sent after that.
    """

    def __init__(self, connection: Connection, timeouts: Timeouts, *, lmtp: bool = False) -> None:
        self._connection = connection
        self._timeouts = timeouts
        self._lmtp = lmtp
        self._parser = ReplyParser()
        self.extensions: dict[str, str] = {}
        self.usable = True
        self.server_name = ""  # as it calls itself in its reply to EHLO

    def peer_chain(self) -> list[bytes]:
        """The certificates that the server showed, as DER, its own first; [] without TLS."""
        return self._connection.peer_chain()

    @property
    def encrypted(self) -> bool:
        """Whether TLS is on."""
        return self._connection.tls is not None

    async def _reply(self, timeout: float | None = None) -> Reply:
        usable, self.usable = self.usable, False  # until the whole reply is there
        while (reply := self._parser.next_reply()) is None:
            data = await self._connection.read(timeout or self._timeouts.command)
            if not data:
                raise ServerClosedError
            self._parser.receive(data)
        self.usable = usable and reply.code != 421
        return reply

    async def _command(self, line: str, timeout: float | None = None) -> Reply:
        self._connection.write(line.encode() + b"\r\n")
        return await self._reply(timeout)

    async def greeting(self) -> Reply:
        """The server's first words."""
        return await self._reply()

    async def hello(self, name: str) -> Reply:
        """EHLO (HELO when that is not known, LHLO over LMTP); notes the extensions."""
        reply = await self._command(f"{'LHLO' if self._lmtp else 'EHLO'} {name}")
        self.extensions = {}
        if reply.permanent and not self._lmtp:
            reply = await self._command(f"HELO {name}")
        else:
            for line in reply.lines[1:]:
                keyword, _, parameters = line.partition(" ")
                self.extensions[keyword.upper()] = parameters
        self.server_name = reply.lines[0].partition(" ")[0].lower()
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

    async def reset(self) -> bool:
        """RSET; whether the server is there and ready for another transaction."""
        return (await self._command("RSET")).code == 250 and self.usable

    def _mail_line(self, envelope: Envelope, size: int, utf8: bool) -> str:
        parameters = [f"MAIL FROM:<{envelope.sender if utf8 else wire_address(envelope.sender)}>"]
        if "SIZE" in self.extensions:
            parameters.append(f"SIZE={size}")
        if "8BITMIME" in self.extensions:
            parameters.append("BODY=8BITMIME")
        if utf8:
            parameters.append("SMTPUTF8")
        if envelope.require_tls and "REQUIRETLS" in self.extensions:
            parameters.append("REQUIRETLS")
        if "DSN" in self.extensions:
            if envelope.ret:
                parameters.append(f"RET={envelope.ret}")
            if envelope.envelope_id:
                parameters.append(f"ENVID={xtext(envelope.envelope_id)}")
        return " ".join(parameters)

    def _recipient_line(self, recipient: EnvelopeRecipient, utf8: bool) -> str:
        parameters = [f"RCPT TO:<{recipient.address if utf8 else wire_address(recipient.address)}>"]
        if "DSN" in self.extensions:
            if recipient.notify:
                parameters.append(f"NOTIFY={','.join(sorted(recipient.notify))}")
            if recipient.original:
                parameters.append(f"ORCPT={recipient.original}")
        return " ".join(parameters)

    async def send(
        self, envelope: Envelope, message: Iterable[bytes], size: int, *, utf8: bool | None = None
    ) -> list[Outcome]:
        """One transaction; one outcome per recipient, in order. The session can be used again while `usable`.

        `utf8`: whether it goes as SMTPUTF8 (RFC 6531 §3.4), by default where the envelope says so. Raises
        BareLineBreakError besides.
        """
        if utf8 is None:
            utf8 = envelope.smtputf8 and "SMTPUTF8" in self.extensions
        recipients = [self._recipient_line(recipient, utf8) for recipient in envelope.recipients]
        sender, replies = await self._announce(self._mail_line(envelope, size, utf8), recipients)
        if sender.code // 100 != 2:
            await self._leave()
            return [Outcome(recipient, _refusal(sender), False) for recipient in envelope.recipients]
        answered = list(zip(envelope.recipients, replies, strict=True))
        if not self.usable or not any(_accepts(reply) for reply in replies):
            await self._leave()
            return self._outcomes(answered, [CUT_OFF] * len(answered))
        start = await self._command("DATA", self._timeouts.start)
        if start.code != 354:
            await self._leave()
            return self._outcomes(answered, [_refusal(start)] * len(answered))
        self.usable = False
        await self._stream(message)
        self.usable = True
        finals = [_final(await self._reply(self._timeouts.data))]
        if not self._lmtp:
            return self._outcomes(answered, finals * len(answered))
        while len(finals) < sum(map(_accepts, replies)):  # one for each accepted recipient (RFC 2033 §4.2)
            try:
                finals.append(_final(await self._reply(self._timeouts.data)) if self.usable else CUT_OFF)
            except TemporaryError:
                finals.append(CUT_OFF)
        return self._outcomes(answered, finals)

    async def _announce(self, sender: str, recipients: Sequence[str]) -> tuple[Reply, list[Reply]]:
        """MAIL and RCPT: the replies to both, pipelined where the server allows it (RFC 2920 §3.1)."""
        if "PIPELINING" in self.extensions:
            self._connection.write(("\r\n".join([sender, *recipients]) + "\r\n").encode())
            first = await self._reply()
            ask: list[Callable[[], Awaitable[Reply]]] = [self._reply] * len(recipients)
        else:
            first = await self._command(sender)
            if first.code // 100 != 2:
                return first, []
            ask = [partial(self._command, line) for line in recipients]
        replies: list[Reply] = []
        for one in ask:
            try:  # a server that goes away between two replies has settled those before
                replies.append(await one() if self.usable else CUT_OFF)
            except ServerClosedError:
                replies.append(CUT_OFF)
        return first, replies

    async def _leave(self) -> None:
        """Forget a transaction that came to nothing; a server that is gone by now has forgotten it too."""
        if self.usable:
            try:
                self.usable = await self.reset()
            except (TemporaryError, OSError):
                self.usable = False

    def _outcomes(self, answered: Sequence[tuple[EnvelopeRecipient, Reply]], finals: Sequence[Reply]) -> list[Outcome]:
        remaining = iter(finals)
        dsn = "DSN" in self.extensions
        return [
            Outcome(recipient, next(remaining) if _accepts(reply) else _refusal(reply), dsn)
            for recipient, reply in answered
        ]

    async def _stream(self, message: Iterable[bytes]) -> None:
        """The message with dots stuffed (RFC 5321 §4.5.2), whatever the cut of its chunks, and the final dot."""
        before = b"\r\n"  # what the octets so far end with, as far as a dot after it matters
        for chunk in message:
            data = before + chunk
            if not self._lmtp and _has_bare_line_break(data.removesuffix(b"\r")):
                raise BareLineBreakError
            self._connection.write(data.replace(b"\r\n.", b"\r\n..")[len(before) :])
            before = b"\r\n" if data.endswith(b"\r\n") else b"\r" if data.endswith(b"\r") else b""
            try:
                await self._connection.flush(self._timeouts.block)
            except DisconnectedError:
                return  # it may have said why: the reply is read next
        if before == b"\r" and not self._lmtp:
            raise BareLineBreakError
        self._connection.write(b".\r\n" if before == b"\r\n" else b"\r\n.\r\n")

    async def quit(self) -> None:
        """QUIT, without waiting for more than a word."""
        self.usable = False
        self._connection.write(b"QUIT\r\n")
        await self._connection.close()

    def abort(self) -> None:
        """Close at once."""
        self.usable = False
        self._connection.abort()


def _accepts(reply: Reply) -> bool:
    return reply.code // 100 == 2


def _final(reply: Reply) -> Reply:
    return reply if _accepts(reply) else _refusal(reply)


def _refusal(reply: Reply) -> Reply:
    """A reply that is no acceptance as a refusal: one that does not fit the command says nothing for good."""
    return reply if reply.code >= 400 else _UNFIT
