"""One POP3 conversation without sockets: bytes in, bytes out, and what the host has to do next."""

import asyncio
import base64
from collections.abc import Awaitable, Callable

import structlog

from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.metrics import Metrics
from mailstead.foundation.net.conversation import Output, Peer
from mailstead.protocols.pop3.commands import COMMANDS, State, arguments_of, split_line
from mailstead.protocols.pop3.lock import MaildropLock
from mailstead.protocols.pop3.maildrop import Maildrop
from mailstead.protocols.pop3.parser import BareNewline, Line, LongLine, Parser
from mailstead.protocols.pop3.responses import error, ok
from mailstead.stores.bus.interface import Bus
from mailstead.stores.directory.authentication import Authenticator
from mailstead.stores.mailbox.mailboxes import Mailboxes

log = structlog.get_logger("mailstead.pop3")
_TURN = 50
_FLUSH_OCTETS = 64 * 1024


class Pop3Services:
    """What every session works with."""

    def __init__(
        self,
        authenticator: Authenticator,
        mailboxes: Mailboxes,
        bus: Bus,
        settings: Settings,
        metrics: Metrics,
        hostname: str,
    ) -> None:
        self.authenticator = authenticator
        self.mailboxes = mailboxes
        self.bus = bus
        self.settings = settings
        self.hostname = hostname
        self.logins = metrics.counter("pop3_logins", "Logins over POP3", ("outcome",))
        self.retrieved = metrics.counter("pop3_retrieved", "Messages sent over POP3")
        self.removed = metrics.counter("pop3_removed", "Messages removed over POP3")


class Session:
    """Feed with `receive`; look at `is_over` and `wants_tls` after each call, and call `end` at the end."""

    def __init__(self, services: Pop3Services, peer: Peer, output: Output, *, tls: bool, can_start_tls: bool) -> None:
        self.services = services
        self.peer = peer
        self.state: State = "AUTHORIZATION"
        self.user = ""
        self.utf8 = False
        self.is_over = False
        self.wants_tls = False
        self._output = output
        self._tls = tls
        self._can_start_tls = can_start_tls
        self._settings = services.settings.pop3
        self._parser = Parser(self._settings.line_limit)
        self._errors = 0
        self._unflushed = 0
        self._account = ""
        self._drop: Maildrop | None = None
        self.lock: MaildropLock | None = None
        self._answer: Callable[[bytes], Awaitable[None]] | None = None
        self._answer_limit = 0

    # for the host

    def greet(self) -> None:
        """The first words."""
        self.write(ok(f"{self.services.hostname} POP3 ready"))

    @property
    def timeout(self) -> float:
        """Seconds to wait for the next octets."""
        return self._settings.login_timeout if self._drop is None else self._settings.idle_timeout

    async def receive(self, data: bytes) -> None:
        """Carry out what `data` completes, command after command (RFC 2449 §6.6)."""
        self._parser.receive(data)
        done = 0
        while not (self.is_over or self.wants_tls):
            done += 1
            if done % _TURN == 0:  # one client's pipeline does not hold up the others
                await self.flush()
                await asyncio.sleep(0)
            event = self._parser.next_event(self._answer_limit if self._answer is not None else None)
            match event:
                case None:
                    return
                case Line(text):
                    await self._line(text)
                case LongLine():
                    self._answer = None
                    self.fail(error("Line too long"))
                case BareNewline():
                    self._close(error("Lines end with CR LF; nothing more is read"))
        if self.wants_tls and self._parser.has_input:
            # sent in the clear before the handshake: never to be taken for protected commands
            self.wants_tls = False
            self._close(error("Nothing may follow STLS before the handshake"))
        elif self.wants_tls:
            self.write(ok("Begin TLS negotiation"))

    def tls_started(self) -> None:
        """The handshake is done; what was said before does not count (RFC 2595 §4)."""
        self._tls = True
        self.wants_tls = False
        self.utf8 = False
        self.user = ""

    def say_goodbye(self, text: str) -> None:
        """The host ends the conversation between two commands; nothing is removed."""
        self._close(error(text, "SYS/TEMP"))

    async def end(self) -> None:
        """Give back what the session holds; without QUIT nothing was removed (RFC 1939 §6)."""
        self.is_over = True
        self._drop = None
        if self.lock is not None:
            lock, self.lock = self.lock, None
            await lock.release()

    # for the commands

    @property
    def drop(self) -> Maildrop:
        """The maildrop; in the TRANSACTION state alone."""
        assert self._drop is not None
        return self._drop

    @property
    def may_log_in(self) -> bool:
        """Whether a password may be sent: under TLS, or from this host where the setting allows it."""
        return self._tls or (self.services.settings.server.insecure_auth and self.peer.is_loopback)

    @property
    def may_start_tls(self) -> bool:
        """Whether STLS is taken now."""
        return self._can_start_tls and not self._tls and self.state == "AUTHORIZATION" and not self.utf8

    def write(self, data: bytes) -> None:
        """Send a response."""
        self._unflushed += len(data)
        self._output.write(data)

    def writelines(self, data: list[bytes]) -> None:
        """Send a response that is in pieces."""
        self._unflushed += sum(map(len, data))
        self._output.writelines(data)

    async def flush(self) -> None:
        """Wait for a client that reads slowly; small responses are gathered into one write."""
        if self._unflushed >= _FLUSH_OCTETS:
            self._unflushed = 0
            await self._output.flush()

    def fail(self, response: bytes) -> None:
        """Send a negative response; too many in a row end the session."""
        self.write(response)
        self._errors += 1
        if self._errors >= self._settings.errors_limit:
            self._close(error("Too many errors", "SYS/PERM"))

    def challenge(self, data: bytes, answer: Callable[[bytes], Awaitable[None]], limit: int) -> None:
        """Send a challenge; the next line of at most `limit` octets goes to `answer` (RFC 5034 §4)."""
        self._answer, self._answer_limit = answer, limit
        self.write(b"+ " + base64.b64encode(data) + b"\r\n")

    def start_tls(self) -> None:
        """Ask the host for a handshake."""
        self.wants_tls = True

    def enter(self, account: str, drop: Maildrop, lock: MaildropLock) -> None:
        """Login is done: the TRANSACTION state begins."""
        self._account, self._drop, self.lock = account, drop, lock
        self.state = "TRANSACTION"
        self._errors = 0
        log.info("maildrop opened", account=account, connection=self.peer.connection, messages=len(drop))

    async def quit(self) -> None:
        """QUIT: the UPDATE state, where there was a TRANSACTION state."""
        drop, lock = self._drop, self.lock
        if drop is None or lock is None:
            self._close(ok("Bye"))
            return
        self.state = "UPDATE"
        removed = drop.marked
        try:
            await drop.remove_marked()
        except MailsteadError as problem:
            self._close(error("Deleted messages not removed", "SYS/TEMP" if problem.temporary else "SYS/PERM"))
            log.warning("maildrop not updated", account=self._account, why=str(problem))
            return
        self.services.removed.inc(removed)
        log.info("maildrop closed", account=self._account, connection=self.peer.connection, removed=removed)
        # given back before the answer: the client may come again at once
        self.lock = None
        await lock.release()
        self._close(ok(f"Bye ({len(drop)} messages left)"))

    # inside

    def _close(self, response: bytes) -> None:
        self.write(response)
        self.is_over = True

    async def _line(self, line: bytes) -> None:
        if self._answer is not None:
            answer, self._answer = self._answer, None
            await answer(line)
            return
        if self.lock is not None and self.lock.lost:
            self._close(error("The lock on this mailbox was lost", "SYS/TEMP"))
            return
        try:
            keyword, rest = split_line(line.decode("utf-8"))
        except UnicodeDecodeError:
            self.fail(error("Not UTF-8"))
            return
        command = COMMANDS.get(keyword)
        if command is None:
            self.fail(error("Unknown command"))
            return
        if self.state not in command.states:
            self.fail(error(f"Not in the {self.state} state"))
            return
        arguments = arguments_of(command, rest)
        if arguments is None:
            self.fail(error(f"Wrong arguments of {keyword}"))
            return
        if keyword != "PASS":
            self.user = ""
        errors = self._errors
        await command.run(self, arguments)
        if self._errors == errors and self._drop is not None:
            self._errors = 0  # before login only failures count: USER is always taken
