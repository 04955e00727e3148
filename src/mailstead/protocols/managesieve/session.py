"""One ManageSieve conversation without sockets: bytes in, bytes out, and what the host has to do next."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

import mailstead
from mailstead.formats.sieve.extensions import REGISTRY
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.metrics import Metrics
from mailstead.foundation.net.conversation import Output, Peer
from mailstead.foundation.sasl.mechanism import RESPONSE_LIMIT, Mechanism
from mailstead.protocols.managesieve.authentication import OFFERED, step
from mailstead.protocols.managesieve.commands import COMMANDS, State
from mailstead.protocols.managesieve.parser import Command, Event, Malformed, Parser, Response
from mailstead.protocols.managesieve.responses import bye, no, ok, refusal, string
from mailstead.stores.directory.authentication import Authenticator
from mailstead.stores.directory.directory import Directory
from mailstead.stores.scripts.scripts import Scripts

log = structlog.get_logger("mailstead.managesieve")
_TURN = 50
_NAMES_ROOM = 2048

Record = Callable[..., Awaitable[None]]
"""Called with the account's address, what was done and its detail, after each change: the audit entry."""


class SieveServices:
    """What every session works with."""

    def __init__(
        self,
        authenticator: Authenticator,
        directory: Directory,
        scripts: Scripts,
        settings: Settings,
        metrics: Metrics,
        record: Record,
    ) -> None:
        self.authenticator = authenticator
        self.directory = directory
        self.scripts = scripts
        self.settings = settings
        self.record = record
        self.logins = metrics.counter("sieve_logins", "Logins over ManageSieve", ("outcome",))


class Session:
    """Feed with `receive`; look at `is_over` and `wants_tls` after each call."""

    def __init__(self, services: SieveServices, peer: Peer, output: Output, *, tls: bool, can_start_tls: bool) -> None:
        self.services = services
        self.peer = peer
        self.state: State = "NOT AUTHENTICATED"
        self.address = ""
        self.mailbox_id = ""
        self.is_over = False
        self.wants_tls = False
        self._output = output
        self._tls = tls
        self._can_start_tls = can_start_tls
        self._settings = services.settings.sieve
        self._parser = Parser(self._settings.line_limit)
        self._mechanism: Mechanism | None = None  # waits for the client's answer
        self._errors = 0

    # for the host

    def greet(self) -> None:
        """The first words: the capabilities (RFC 5804 §1.7)."""
        self.write(self.capabilities() + ok("Mailstead ManageSieve ready"))

    @property
    def timeout(self) -> float:
        """Seconds to wait for the next octets."""
        return self._settings.idle_timeout if self.mailbox_id else self._settings.login_timeout

    async def receive(self, data: bytes) -> None:
        """Carry out what `data` completes, command after command."""
        self._parser.receive(data)
        done = 0
        while not (self.is_over or self.wants_tls):
            done += 1
            if done % _TURN == 0:  # one client's pipeline does not hold up the others
                await self._output.flush()
                await asyncio.sleep(0)
            event = self._next_event()
            if event is None:
                return
            await self._take(event)
        if self.wants_tls and self._parser.has_input:
            # sent in the clear before the handshake: never to be taken for protected commands
            self.wants_tls = False
            self.close(bye("Nothing may follow STARTTLS before the handshake"))
        elif self.wants_tls:
            self.write(ok("Begin TLS negotiation"))

    def tls_started(self) -> None:
        """The handshake is done: the capabilities are told anew (RFC 5804 §2.2)."""
        self._tls = True
        self.wants_tls = False
        self.greet()

    def say_goodbye(self, text: str) -> None:
        """The host ends the conversation between two commands."""
        self.close(bye(text, "TRYLATER"))

    # for the commands

    @property
    def may_log_in(self) -> bool:
        """Whether a password may be sent: under TLS, or from this host where the setting allows it."""
        return self._tls or (self.services.settings.server.insecure_auth and self.peer.is_loopback)

    @property
    def may_start_tls(self) -> bool:
        """Whether STARTTLS is taken now."""
        return self._can_start_tls and not self._tls

    def capabilities(self) -> bytes:
        """The capability lines of this state (RFC 5804 §1.7)."""
        found: list[tuple[str, str | None]] = [
            ("IMPLEMENTATION", f"Mailstead {mailstead.__version__}"),
            ("SASL", " ".join(OFFERED) if self.may_log_in else ""),
            ("SIEVE", " ".join(REGISTRY.capabilities)),
            ("NOTIFY", "mailto"),
            ("EXTLISTS", "urn tag"),  # RFC 6134 §2.8
            ("MAXREDIRECTS", str(self._settings.redirects_limit)),
            ("LANGUAGE", "en"),
            ("UNAUTHENTICATE", None),
            ("VERSION", "1.0"),
        ]
        if self.may_start_tls:
            found.append(("STARTTLS", None))
        if self.address:
            found.append(("OWNER", self.address))
        lines = [
            string(name.encode()) + (b"" if value is None else b" " + string(value.encode())) + b"\r\n"
            for name, value in found
        ]
        return b"".join(lines)

    def write(self, data: bytes) -> None:
        """Send a response."""
        self._output.write(data)

    def fail(self, response: bytes) -> None:
        """Send a NO; too many in a row end the session."""
        self.write(response)
        self._errors += 1
        if self._errors >= self._settings.errors_limit:
            self.close(bye("Too many errors"))

    def close(self, response: bytes) -> None:
        """Send the last response."""
        self.write(response)
        self.is_over = True

    def challenge(self, data: bytes, mechanism: Mechanism) -> None:
        """Send a challenge; the next string goes to `mechanism`."""
        self._mechanism = mechanism
        self.write(string(base64.b64encode(data)) + b"\r\n")

    def enter(self, address: str, mailbox_id: str) -> None:
        """The login is done."""
        self.state, self.address, self.mailbox_id = "AUTHENTICATED", address, mailbox_id
        self._errors = 0
        log.info("logged in", account=address, connection=self.peer.connection)

    def leave(self) -> None:
        """Forget who logged in."""
        self.state, self.address, self.mailbox_id = "NOT AUTHENTICATED", "", ""

    async def record(self, action: str, **detail: Any) -> None:
        """Note a change."""
        await self.services.record(self.address, action, **detail)

    # inside

    def _next_event(self) -> Event | None:
        limit = self._settings.script_size + _NAMES_ROOM if self.mailbox_id else RESPONSE_LIMIT
        return self._parser.next_event(limit, answers=self._mechanism is not None)

    async def _take(self, event: Event) -> None:
        match event:
            case Malformed(text, too_large, fatal):
                self._mechanism = None
                if fatal:
                    self.close(bye(text))
                else:
                    self.fail(no(text, "QUOTA/MAXSIZE" if too_large and self.mailbox_id else ""))
            case Response(data):
                mechanism, self._mechanism = self._mechanism, None
                assert mechanism is not None
                await step(self, mechanism, data)
            case Command():
                await self._carry_out(event)

    async def _carry_out(self, command: Command) -> None:
        entry = COMMANDS.get(command.name)
        if entry is None:
            self.fail(no("There is no such command"))
        elif self.state not in entry.states:
            self.fail(no("Log in first" if not self.mailbox_id else "You are logged in already"))
        elif not entry.takes(command.arguments):
            self.fail(no(f"These are not the arguments of {command.name}"))
        else:
            errors = self._errors
            try:
                if self.mailbox_id and not await self._is_welcome():
                    self.close(bye("This account was changed: log in again"))
                    return
                await entry.run(self, command.arguments)
            except MailsteadError as problem:
                self.fail(refusal(problem))
            if self._errors == errors and self.mailbox_id:
                self._errors = 0

    async def _is_welcome(self) -> bool:
        """Whether the account is still there and enabled."""
        alias = await self.services.directory.alias_of_mailbox(self.mailbox_id)
        return alias is not None and alias.enabled and alias.address == self.address
