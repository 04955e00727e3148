"""One SMTP conversation without sockets: bytes in, bytes out, and what the host has to do next.

Pipelined commands are carried out one after the other in a loop (RFC 2920 §3.2); a message is answered before the next
command is looked at. See states.py for what may follow what and verbs.py for what carries a command out.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from mailstead.foundation.net.connection import TLSInformation
from mailstead.foundation.net.conversation import Output, Peer
from mailstead.foundation.spool import Spool
from mailstead.mail.screening.visit import Visit
from mailstead.protocols.smtp.commands import CommandSyntaxError, Mail, split_line
from mailstead.protocols.smtp.message import TOO_BIG, finish_message
from mailstead.protocols.smtp.parser import BareNewline, Content, Line, LongLine, Parser
from mailstead.protocols.smtp.reply import Reply, reply, reply_to_error
from mailstead.protocols.smtp.roles.role import Listen, Role
from mailstead.protocols.smtp.states import TRANSITIONS, WHY_NOT, State
from mailstead.protocols.smtp.transaction import Transaction
from mailstead.stores.directory.records import Account

log = structlog.get_logger("mailstead.smtp")
_TURN = 50  # commands of one session before others have theirs

UNKNOWN = reply(500, "5.5.2", "Command not known")
TOO_LONG = reply(500, "5.5.6", "Line too long")
BARE_NEWLINE = reply(500, "5.5.2", "Lines end with CR LF; nothing more is read")
TOO_MANY_ERRORS = reply(421, "4.7.0", "Too many errors")
TOO_MANY_COMMANDS = reply(421, "4.7.0", "Too many commands without a message")
NOTHING_AFTER_STARTTLS = reply(554, "5.5.1", "Nothing may follow STARTTLS before the handshake")
READY_FOR_TLS = reply(220, "2.0.0", "Ready to start TLS")


class Session:
    """Feed with `receive`; look at `is_over` and `wants_tls` after each call, and call `end` at the end."""

    def __init__(
        self, role: Role, peer: Peer, output: Output, *, tls: TLSInformation | None, can_start_tls: bool
    ) -> None:
        self.role = role
        self.services = role.services
        self.peer = peer
        self.tls = tls
        self.state: State = "START"
        self.hello = ""
        self.is_extended = False
        self.account: Account | None = None
        self.transaction: Transaction | None = None
        self.transactions = 0
        self.visit: Visit | None = None  # what screening knows of the peer
        self.is_over = False
        self.wants_tls = False
        self._output = output
        self._can_start_tls = can_start_tls
        self._settings = role.services.settings.smtp
        self._parser = Parser(self._settings.line_limit)
        self._errors = 0
        self._commands = 0
        self._keeps_content = True
        self._chunk_done: Callable[[], Awaitable[None]] | None = None
        self._answer: Callable[[bytes], Awaitable[None]] | None = None
        self._answer_limit = 0

    # for the host

    async def open(self, listen: Listen) -> None:
        """The first words: 220, or why this peer is not served (RFC 5321 §3.1)."""
        refusal = await self.role.admit(self, listen)
        if refusal is not None:
            self.close(refusal)
        else:
            self.greet()

    def greet(self) -> None:
        """The greeting of a peer that is served."""
        kind = "LMTP" if self.role.is_lmtp else "ESMTP"
        self.send(reply(220, "", f"{self.services.hostname} {kind} Mailstead"))

    @property
    def timeout(self) -> float:
        """Seconds to wait for the next octets (RFC 5321 §4.5.3.2)."""
        return self._settings.data_timeout if self._parser.is_in_message else self._settings.command_timeout

    async def receive(self, data: bytes) -> None:
        """Carry out what `data` completes."""
        self._parser.receive(data)
        turns = 0
        while not (self.is_over or self.wants_tls):
            event = self._parser.next_event(self._answer_limit if self._answer is not None else None)
            match event:
                case None:
                    break
                case Line(text):
                    turns += 1
                    if turns % _TURN == 0:
                        await self._output.flush()
                        await asyncio.sleep(0)
                    await self._line(text)
                case Content():
                    await self._content(event)
                case LongLine():
                    self._answer = None
                    self.send(TOO_LONG)
                case BareNewline():
                    self.close(BARE_NEWLINE)
        if self.wants_tls and self._parser.has_input:
            # sent in the clear: never to be taken for protected commands (RFC 3207 §6)
            self.wants_tls = False
            self.close(NOTHING_AFTER_STARTTLS)
        elif self.wants_tls:
            self.send(READY_FOR_TLS)

    def tls_started(self, tls: TLSInformation | None) -> None:
        """The handshake is done; what the client said before is forgotten (RFC 3207 §4.2)."""
        self.tls = tls
        self.wants_tls = False
        self.reset("START")
        self.hello = ""
        self.is_extended = False

    def say_goodbye(self, code: int, enhanced: str, text: str) -> None:
        """The host ends the conversation between two commands."""
        self.close(reply(code, enhanced, f"{self.services.hostname} {text}"))

    def end(self) -> None:
        """Give back what the session holds; a transaction that was not finished never was (RFC 5321 §4.1.1.10)."""
        self.is_over = True
        self._drop_transaction()
        if self.visit is not None:
            self.visit.close()

    # for the commands

    @property
    def may_start_tls(self) -> bool:
        """Whether STARTTLS is offered now."""
        return self._can_start_tls and self.tls is None

    @property
    def may_log_in(self) -> bool:
        """Whether AUTH is offered now: under TLS, or from this host where the setting allows it (RFC 4954 §4)."""
        if not self.role.offers_login or self.account is not None:
            return False
        return self.tls is not None or (self.services.settings.server.insecure_auth and self.peer.is_loopback)

    def send(self, answer: Reply) -> None:
        """Send a reply; too many errors in a row end the session."""
        self._output.write(answer.encoded)
        if answer.is_error:
            self._errors += 1
            if self._errors >= self._settings.errors_limit and not self.is_over:
                self.close(TOO_MANY_ERRORS)

    def close(self, answer: Reply) -> None:
        """Send the last reply."""
        self._output.write(answer.encoded)
        self.is_over = True

    def reset(self, state: State) -> None:
        """Forget the transaction, if there is one."""
        self._drop_transaction()
        self.state = state

    def begin(self, identifier: str, mail: Mail) -> None:
        """A transaction begins."""
        message = self.services.settings.message
        spool = Spool(message.spool_threshold, self.services.spool_folder)
        self.transaction = Transaction(identifier, mail, message.size_limit, spool)
        self.transactions += 1

    def begin_data(self) -> None:
        """What follows is the message."""
        self._keeps_content = True
        self._parser.begin_data()

    def begin_chunk(self, size: int, *, keeps: bool, done: Callable[[], Awaitable[None]]) -> None:
        """What follows is a chunk, to be kept or thrown away; `done` is called when it is in."""
        self._keeps_content = keeps
        self._parser.begin_chunk(size, is_first=self.state != "CHUNKS")
        self._chunk_done = done

    def end_of_chunks(self) -> bool:
        """The last chunk is in: whether the message has a bare CR or LF."""
        self._parser.end_of_chunks()
        return self._parser.has_bare_newline

    def ask(self, challenge: Reply, answer: Callable[[bytes], Awaitable[None]], limit: int) -> None:
        """Send a challenge; the next line of at most `limit` octets goes to `answer` (RFC 4954 §4)."""
        self._answer, self._answer_limit = answer, limit
        self.send(challenge)

    def message_was_accepted(self) -> None:
        """What counts towards a limit begins anew."""
        self._errors = self._commands = 0

    # inside

    def _drop_transaction(self) -> None:
        if self.transaction is not None:
            self.transaction.close()
            self.transaction = None

    async def _line(self, line: bytes) -> None:
        if self._answer is not None:
            answer, self._answer = self._answer, None
            await answer(line)
            return
        self._commands += 1
        if self._commands > self._settings.commands_limit:
            self.close(TOO_MANY_COMMANDS)
            return
        try:
            verb, argument = split_line(line)
            carry_out = self.role.verbs.get(verb)
            if carry_out is None:
                self.send(UNKNOWN)
                return
            follows = TRANSITIONS.get(verb)
            if follows is None or self.state in follows or verb == "BDAT":
                await carry_out(self, argument)
            else:
                self.send(reply(503, "5.5.1", WHY_NOT[self.state]))
        except CommandSyntaxError as error:
            self.send(reply_to_error(error))

    def moved(self, verb: str) -> None:
        """The command of `verb` was done: the state that the table says."""
        self.state = TRANSITIONS[verb][self.state]

    async def _content(self, content: Content) -> None:
        transaction = self.transaction
        if transaction is not None and self._keeps_content and content.data:
            transaction.take(content.data)
            if transaction.octets > 2 * transaction.limit:
                self.close(TOO_BIG)  # a sender that goes on and on is not listened to for ever
                return
        if not content.is_last:
            return
        if self._chunk_done is not None:
            done, self._chunk_done = self._chunk_done, None
            await done()
        else:
            await finish_message(self, has_bare_newline=self._parser.has_bare_newline)
