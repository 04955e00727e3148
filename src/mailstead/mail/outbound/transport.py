"""One attempt to hand a consignment to a remote server."""

from contextlib import ExitStack

import msgspec
import structlog

from mailstead.foundation.config.sections.queue import QueueSettings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.errors import MailsteadError, TemporaryError
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.errors import StartTLSError
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.mail.authentication.tls_policy import TlsPolicy
from mailstead.mail.envelope import Envelope
from mailstead.mail.outbound.connections import Connections, OpenServer
from mailstead.mail.outbound.files import QueuedMessage
from mailstead.mail.outbound.fitness import Fitness
from mailstead.mail.outbound.targets import MailLoopError, Relay, Target, find_targets, parse_relay
from mailstead.mail.outbound.tls_policies import DestinationPolicy, TlsPolicies, TlsPolicyError
from mailstead.mail.outbound.verdict import Attempt, Verdict, all_by_error, all_by_reply, by_error, by_reply
from mailstead.mail.transport.client import Client, Timeouts
from mailstead.mail.transport.reply import Reply

log = structlog.get_logger("mailstead.queue")
_LOOPBACK = ("127.", "::1", "localhost")
_NO_MAIL_HERE = 521  # RFC 7504 §3: the host takes no mail at all


class UnreachableError(TemporaryError):
    """No connection to the server."""

    smtp_code = 451
    enhanced_code = "4.4.1"
    public_text = "No connection"


class RefusedError(TemporaryError):
    """The server answered the greeting or EHLO with `reply`, not with a welcome."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class Transport:
    """Finds the destination's servers and tries them in order until one answers for the message."""

    def __init__(
        self,
        resolver: Resolver,
        contexts: TLSContexts,
        settings: QueueSettings,
        hostname: str,
        relay_url: str = "",
        policies: TlsPolicies | None = None,
    ) -> None:
        self._resolver = resolver
        self._contexts = contexts
        self._settings = settings
        self._hostname = hostname
        self._relay = parse_relay(relay_url)
        self._policies = policies if self._relay is None else None
        self._connections = Connections(settings)

    async def close(self) -> None:
        """Close the connections that were kept."""
        await self._connections.close()
        if self._policies is not None:
            await self._policies.close()

    def place(self, destination: str) -> str:
        """What is reached or not: the relay for every destination, where there is one."""
        return destination if self._relay is None else f"{self._relay.host}:{self._relay.port}"

    async def attempt(self, destination: str, envelope: Envelope, message: QueuedMessage) -> Attempt:
        """A verdict for every recipient; raises nothing of the network's, OSError and SealError of the file's."""
        try:
            if self._relay is not None:
                targets = [Target(self._relay.host, self._relay.host, self._relay.port)]
            else:
                targets = await find_targets(self._resolver, destination, self._settings.remote_port, self._hostname)
            wanted = await self._policies.of_destination(destination) if self._policies is not None else None
        except MailsteadError as error:
            return Attempt(all_by_error(envelope, error, ""))
        unreachable: list[str] = []
        last = Attempt([])
        for target in targets:
            try:
                server = await self._open(target, await self._policy(wanted, target))
            except RefusedError as error:
                # It turns everybody away for now: the next may not (RFC 5321 §5.1). Only 521 is for good.
                last = Attempt(all_by_reply(envelope, _lasting(error.reply), target.host))
                continue
            except MailsteadError as error:
                if isinstance(error, MailLoopError):
                    return Attempt(all_by_error(envelope, error, target.host))
                unreachable.append(str(error))
                last = Attempt(all_by_error(envelope, error, target.host))
                continue
            verdicts, spoke = await self._converse(server, envelope, message)
            last = Attempt(verdicts)
            if spoke or any(verdict.outcome != "deferred" for verdict in verdicts):
                return last  # the server spoke for the domain (RFC 5321 §5.1)
        if len(unreachable) == len(targets):
            return Attempt(last.verdicts, "; ".join(unreachable)[:500])
        return last

    async def _policy(self, wanted: DestinationPolicy | None, target: Target) -> TlsPolicy:
        """What the connection has to be like. Raises ResolutionError, TlsPolicyError."""
        if self._policies is None or wanted is None:
            return TlsPolicy(domain=target.host, host=target.host)
        return await self._policies.of_server(wanted, target)

    async def _open(self, target: Target, policy: TlsPolicy) -> OpenServer:
        """A server ready for a transaction. Raises RefusedError, MailLoopError, TemporaryError.

        What a policy was found good for is not used for another domain, nor the other way round.
        """
        if policy.requires_tls:
            return await self._connect(target, policy, use_tls=True)
        use_tls = self._settings.starttls
        kept = await self._connections.take(target, use_tls=use_tls)
        if kept is not None:
            return kept
        try:
            return await self._connect(target, policy, use_tls=use_tls)
        except StartTLSError:
            if not self._may_go_in_the_clear():
                raise
            log.info("TLS failed, going on in the clear", host=target.host)
            return await self._connect(target, policy, use_tls=False)

    def _may_go_in_the_clear(self) -> bool:
        return self._settings.starttls and self._settings.tls_fallback and self._relay is None

    async def _connect(self, target: Target, policy: TlsPolicy, *, use_tls: bool) -> OpenServer:
        settings, relay = self._settings, self._relay
        try:
            connection = await connect(target.address, target.port, timeout=settings.connect_timeout)
        except OSError as error:
            raise UnreachableError(detail=f"{target.address}: {error or 'timed out'}") from error
        client = Client(connection, Timeouts(settings.command_timeout, settings.data_timeout))
        with ExitStack() as unless_ready:
            unless_ready.callback(client.abort)
            try:
                if relay is not None and relay.implicit_tls:
                    await connection.start_client_tls(self._contexts.client(True), relay.host, settings.connect_timeout)
                _welcomed(await client.greeting(), 220)
                await self._hello(client)
                if use_tls and not client.encrypted:
                    await self._start_tls(client, target, policy)
                if relay is not None and relay.login:
                    await _log_in(client, relay, target)
            except OSError as error:
                raise UnreachableError(detail=f"{target.address}: {error}") from error
            unless_ready.pop_all()
        return OpenServer(target, client, use_tls, is_reusable=not policy.requires_tls)

    async def _start_tls(self, client: Client, target: Target, policy: TlsPolicy) -> None:
        """TLS where it is offered (RFC 3207 §4).

        The certificate is verified for the relay and where a policy says so: else DNS proves no name (RFC 7435 §3).
        """
        relay = self._relay
        if "STARTTLS" not in client.extensions:
            if policy.requires_tls:
                raise TlsPolicyError(detail=f"{target.host} offers no TLS")
            return
        context = self._contexts.client(relay is not None or policy.verifies_names)
        reply = await client.start_tls(context, relay.host if relay is not None else target.host)
        if reply.code == 220:
            if self._policies is not None:
                self._policies.check(policy, client.peer_chain())
            await self._hello(client)
        elif policy.requires_tls or not self._may_go_in_the_clear():
            raise StartTLSError(detail=reply.text)

    async def _hello(self, client: Client) -> None:
        _welcomed(await client.hello(self._hostname), 250)
        if client.server_name == self._hostname.lower() and self._relay is None:
            raise MailLoopError(detail="the server there is this one")

    async def _converse(
        self, server: OpenServer, envelope: Envelope, message: QueuedMessage
    ) -> tuple[list[Verdict], bool]:
        """A verdict for every recipient, and whether the server was there to the end."""
        client, host = server.client, server.target.host
        fitness = Fitness(envelope, client.extensions, message)
        if fitness.error is not None:
            self._connections.keep(server)
            return all_by_error(envelope, fitness.error, host), True
        verdicts = [by_error(recipient, error, host) for recipient, error in fitness.refused.items()]
        sendable = tuple(one for one in envelope.recipients if one not in fitness.refused)
        if not sendable:
            self._connections.keep(server)
            return verdicts, True
        envelope = msgspec.structs.replace(envelope, recipients=sendable)
        encrypted = client.encrypted
        with ExitStack() as unless_sent:
            unless_sent.callback(client.abort)
            try:
                outcomes = await client.send(envelope, message.chunks(), message.size, utf8=fitness.utf8)
            except MailsteadError as error:
                return [*verdicts, *all_by_error(envelope, error, host)], False
            unless_sent.pop_all()
        spoke = client.usable
        self._connections.keep(server)
        for one in outcomes:
            verdicts.append(by_reply(one.recipient, one.reply, host, relayed_dsn=one.relayed_dsn, encrypted=encrypted))
        return verdicts, spoke


async def _log_in(client: Client, relay: Relay, target: Target) -> None:
    if not client.encrypted and not target.host.startswith(_LOOPBACK):
        raise TemporaryError("The relay offers no TLS, and the password does not go in the clear")
    reply = await client.authenticate(relay.login, relay.password)
    if reply.code // 100 != 2:
        # wrong here, not with the message: it waits until somebody mends the setting
        raise TemporaryError(f"The relay refused the login: {reply.code} {reply.text}")


def _welcomed(reply: Reply, code: int) -> None:
    if reply.code != code:
        raise RefusedError(reply)


def _lasting(reply: Reply) -> Reply:
    """A refusal of the host: temporary, whatever it says, save where it never takes mail."""
    if reply.code == _NO_MAIL_HERE or 400 <= reply.code < 500:
        return reply
    return Reply(450, f"4{reply.enhanced[1:]}" if reply.enhanced else "4.3.2", (f"{reply.code} {reply.text}",))
