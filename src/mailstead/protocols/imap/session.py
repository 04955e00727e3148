"""An IMAP session: its state, and how a command is carried out and answered (RFC 9051 §3, §7.1)."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import msgspec

from mailstead.formats.message.imap_string import string
from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import AuthenticationError, MailsteadError
from mailstead.foundation.metrics import Metrics
from mailstead.foundation.net.connection import Connection
from mailstead.foundation.net.conversation import is_loopback
from mailstead.protocols.imap.capabilities import capabilities
from mailstead.protocols.imap.commands.registry import COMMANDS
from mailstead.protocols.imap.compression import Compression
from mailstead.protocols.imap.enabled import Enabled
from mailstead.protocols.imap.errors import ClosedError, CommandError, NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.reader import CommandReader, CommandText, ReaderLimits, close_literals
from mailstead.protocols.imap.notifications import Notifications
from mailstead.protocols.imap.progress import Progress
from mailstead.protocols.imap.responses import Ok, failure, status
from mailstead.protocols.imap.states import State
from mailstead.protocols.imap.view import View
from mailstead.stores.bus.interface import Bus, Subscription
from mailstead.stores.directory.authentication import Authenticator
from mailstead.stores.directory.records import Account
from mailstead.stores.mailbox.errors import NoSuchFolderError
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.mailboxes import Mailboxes

P = ParamSpec("P")
T = TypeVar("T")


class ImapServices(msgspec.Struct, frozen=True):
    """What sessions work with."""

    authenticator: Authenticator
    mailboxes: Mailboxes
    bus: Bus
    settings: Settings
    metrics: Metrics
    clock: Clock
    hostname: str


class Session:
    """One connection's state; commands answer through `write` and with what they return."""

    def __init__(self, connection: Connection, services: ImapServices, reader: CommandReader) -> None:
        self.connection = connection
        self.services: ImapServices = services
        self.reader = reader
        self.account: Account | None = None
        self.mailbox: Mailbox | None = None
        self.view: View | None = None
        self.enabled = Enabled()
        self.compression: Compression | None = None
        self.notifications: Notifications | None = None
        self.tag = ""
        self.over = False
        self._commands = services.metrics.counter("imap_commands", "IMAP commands", ("command", "outcome"))
        self._epoch = 0
        self._following: Subscription | None = None

    def write(self, data: bytes) -> None:
        """Send whole response lines; they may wait for `flush`."""
        self.connection.write(data if self.compression is None else self.compression.compress(data))

    async def read(self, timeout: float) -> bytes:
        """What the client sent, b"" at its end. Raises as Connection.read does, and ClosedError."""
        if self.compression is None:
            return await self.connection.read(timeout)
        return await self.compression.read(self.connection, timeout)

    async def flush(self) -> None:
        """Send all, and wait for a client that reads slowly."""
        self.finish()
        await self.connection.flush(self.services.settings.network.write_timeout)

    def finish(self) -> None:
        """Send what compression holds back."""
        if self.compression is not None:
            self.connection.write(self.compression.flush())

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function` on a thread for mailbox work."""
        return await self.services.mailboxes.run(function, *args, **kwargs)

    async def run_short(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function`, which reads a little of the mailbox: here when that is quick, else on a thread."""
        return await self.services.mailboxes.run_short(self.opened, function, *args, **kwargs)

    async def run_write(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function`, one small transaction: here when no writer is in the way, else on a thread."""
        return await self.services.mailboxes.run_write(self.opened, function, *args, **kwargs)

    @property
    def state(self) -> State:
        """Where the session is."""
        if self.over:
            return State.LOGOUT
        if self.mailbox is None:
            return State.NOT_AUTHENTICATED
        return State.AUTHENTICATED if self.view is None else State.SELECTED

    @property
    def may_start_tls(self) -> bool:
        """Whether STARTTLS is offered."""
        return self.connection.tls is None and self.connection.tls_context is not None

    @property
    def may_login(self) -> bool:
        """Under TLS, or from loopback where that is allowed."""
        if self.connection.tls is not None:
            return True
        return self.services.settings.server.insecure_auth and is_loopback(self.connection.peer.address)

    @property
    def patience(self) -> float:
        """Seconds that the client may stay silent."""
        settings = self.services.settings.imap
        return settings.login_timeout if self.mailbox is None else settings.idle_timeout

    @property
    def opened(self) -> Mailbox:
        """The mailbox; the registry lets nobody here without one."""
        assert self.mailbox is not None
        return self.mailbox

    @property
    def selected(self) -> View:
        """The view; the registry lets nobody here without one."""
        assert self.view is not None
        return self.view

    @property
    def writable(self) -> View:
        """The view, selected for changes. Raises NoError."""
        view = self.selected
        if view.read_only:
            raise NoError("The mailbox is open read-only", "NOPERM")
        return view

    @property
    def quota(self) -> int:
        """Octets that the account may fill."""
        assert self.account is not None
        return self.account.quota if self.account.quota is not None else self.services.settings.mailbox.quota

    def greet(self) -> None:
        """The greeting (RFC 9051 §7.1)."""
        code = f"CAPABILITY {capabilities(self)}".encode()
        self.write(status("*", "OK", f"{self.services.hostname} Mailstead", code))

    async def login(self, login: str, password: str, authorize_as: str = "") -> Ok:
        """Verify and open the mailbox. Raises AuthenticationError, LimitExceededError."""
        peer = self.connection.peer.address
        if authorize_as and authorize_as.lower() != login.lower():
            raise NoError("Nobody may act for another", "AUTHORIZATIONFAILED")
        account = await self.services.authenticator.authenticate(login, password, service="imap", peer=peer)
        try:
            await self.connection.hold_account(account.address)
            self.mailbox = await self.services.mailboxes.open(account.mailbox_id, account.key)
        finally:
            account.key.close()
        self.account = account
        self._epoch = self.services.authenticator.epoch
        self._following = await self.services.authenticator.follow(self.connection.interrupt)
        settings = self.services.settings
        self.reader.limits = ReaderLimits(
            line=settings.imap.line_limit,
            literal=settings.imap.literal_limit,
            message=settings.message.size_limit,
            messages=settings.imap.append_limit,
            literals=settings.imap.literals_limit,
        )
        return Ok("Welcome", f"CAPABILITY {capabilities(self)}".encode())

    async def check_account(self) -> None:
        """Raises ClosedError when the account or the credential is gone, or the mailbox was locked."""
        authenticator = self.services.authenticator
        if self.account is not None and self._epoch != authenticator.epoch:
            epoch = authenticator.epoch
            if not await authenticator.is_current(self.account):
                self.unselect()
                raise ClosedError("Log in again", "UNAVAILABLE")
            self._epoch = epoch

    def stop_notifications(self) -> None:
        """Tell nothing unasked any more."""
        if self.notifications is not None:
            self.notifications.end()
            self.notifications = None

    async def attend(self) -> None:
        """See to what the session was woken for. Raises ClosedError."""
        await self.check_account()
        if self.notifications is not None and self.notifications.waiting:
            await self.notifications.look()
            await self.flush()

    def tell_changes(self, *, expunges: bool) -> None:
        """Untagged responses for what others did. Raises ClosedError when the selected mailbox was deleted."""
        if self.view is not None:
            try:
                for line in self.view.update(self.enabled, expunges=expunges):
                    self.write(line)
            except NoSuchFolderError:
                self.view = None
                raise ClosedError("The selected mailbox was deleted") from None

    def unselect(self) -> None:
        """Leave the selected mailbox (RFC 9051 §6.4.2)."""
        self.view = None

    def enable_condstore(self) -> None:
        """From now on modseqs are told (RFC 7162 §3.1)."""
        if not self.enabled.condstore:
            self.enabled.condstore = True
            if self.view is not None:
                self.write(status("*", "OK", "Highest", b"HIGHESTMODSEQ %d" % self.view.modseq))

    def highestmodseq_code(self) -> bytes:
        """The response code after removals, where CONDSTORE is enabled (RFC 7162 §3.2.7)."""
        if self.view is None or not self.enabled.condstore:
            return b""
        return b"HIGHESTMODSEQ %d" % self.view.modseq

    async def execute(self, text: CommandText) -> bool:
        """One command with its tagged answer; whether it was understood and allowed."""
        self.tag = text.tag
        outcome = "ok"
        try:
            command = COMMANDS.get(text.name)
            if command is None:
                raise CommandError("Command not known")
            if self.state not in command.states:
                raise CommandError(f"Not now: the session is {self.state.value}")
            if command.numbered and self.enabled.uidonly:
                raise CommandError("Messages are named by uid only", "UIDREQUIRED")
            await self.check_account()
            cursor = Cursor(
                text.arguments,
                text.literals,
                utf8=self.enabled.utf8,
                utf8_only=self.enabled.utf8_accept,
                nesting=self.services.settings.imap.nesting,
            )
            parsed = command.parse(cursor)
            cursor.end()
            if command.slow:
                with Progress(self.services.settings.imap.progress_interval, self._tell_progress):
                    done = await command.run(self, parsed)
            else:
                done = await command.run(self, parsed)
            if done is not None:
                self.tell_changes(expunges=command.expunges)
                self.write(status(text.tag, "OK", done.text, done.code))
        except CommandError as error:
            outcome = "bad"
            self.write(failure(text.tag, error, "BAD"))
            return False
        except ClosedError as error:
            outcome = "bye"
            self.write(failure("*", error, "BYE"))
            self.over = True
        except MailsteadError as error:
            outcome = "no"
            self.write(failure(text.tag, error))
            return not isinstance(error, AuthenticationError)
        finally:
            close_literals(text.literals)
            self._commands.labels(text.name if text.name in COMMANDS else "other", outcome).inc()
        return True

    def _tell_progress(self) -> None:
        code = b"INPROGRESS (%b NIL NIL)" % string(self.tag.encode())
        self.write(status("*", "OK", "Still at work", code))
        self.finish()

    def close(self) -> None:
        """Give back what the session holds."""
        self.stop_notifications()
        self.view = None
        self.mailbox = None
        self.reader.close()
        if self._following is not None:
            self._following.close()
