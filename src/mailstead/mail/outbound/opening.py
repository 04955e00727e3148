"""A session with one server, ready for a transaction: connected, greeted, under the TLS that is asked for, logged in."""

from contextlib import ExitStack

import structlog

from mailstead.foundation.config.sections.queue import QueueSettings
from mailstead.foundation.errors import TemporaryError
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.errors import StartTLSError
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.mail.authentication.tls_policy import TlsPolicy
from mailstead.mail.outbound.connections import Connections, OpenServer
from mailstead.mail.outbound.routes import Relay
from mailstead.mail.outbound.targets import MailLoopError, Target
from mailstead.mail.outbound.tls_policies import TlsPolicies, TlsPolicyError
from mailstead.mail.outbound.tls_results import ResultType, TlsResults, handshake_result
from mailstead.mail.transport.client import Client, Timeouts
from mailstead.mail.transport.reply import Reply

log = structlog.get_logger("mailstead.queue")
_LOOPBACK = ("127.", "::1", "localhost")


class UnreachableError(TemporaryError):
    """No connection to the server."""

    smtp_code = 451
    enhanced_code = "4.4.1"
    public_text = "No connection"


class RelayLoginError(TemporaryError):
    """The relay takes no login, or not this one: wrong here, not with the message, which waits for a better setting."""

    smtp_code = 451
    enhanced_code = "4.7.0"
    public_text = "The relay refused the login"


class RefusedError(TemporaryError):
    """The server answered the greeting or EHLO with `reply`, not with a welcome."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.text)
        self.reply = reply


class Opening:
    """Opens sessions; those that were kept are used again."""

    def __init__(
        self,
        contexts: TLSContexts,
        settings: QueueSettings,
        hostname: str,
        policies: TlsPolicies | None,
        results: TlsResults | None,
    ) -> None:
        self._contexts = contexts
        self._settings = settings
        self._hostname = hostname
        self._policies = policies
        self._results = results
        self.connections = Connections(settings)

    async def open(self, target: Target, policy: TlsPolicy) -> OpenServer:
        """A server ready for a transaction. Raises RefusedError, MailLoopError, TemporaryError.

        What a policy was found good for is not used for another domain, nor the other way round.
        """
        if policy.requires_tls:
            return await self._connect(target, policy, use_tls=True)
        use_tls = self._settings.starttls
        kept = await self.connections.take(target, use_tls=use_tls)
        if kept is not None:
            return kept
        if use_tls and policy.is_testing:
            try:  # as the policy would have it, for its reports (RFC 8461 §5)
                return await self._connect(target, policy, use_tls=True, rehearses=True)
            except (StartTLSError, TlsPolicyError) as error:
                log.info("a policy in testing is not met", host=target.host, why=str(error))
        try:
            return await self._connect(target, policy, use_tls=use_tls)
        except StartTLSError:
            if not self._may_go_in_the_clear(target):
                raise
            log.info("TLS failed, going on in the clear", host=target.host)
            return await self._connect(target, policy, use_tls=False)

    def _may_go_in_the_clear(self, target: Target) -> bool:
        return self._settings.starttls and self._settings.tls_fallback and target.relay is None

    def _note(self, policy: TlsPolicy, target: Target, result: ResultType, detail: str = "") -> None:
        if self._results is not None and target.relay is None:
            self._results.noted(policy, target.address, result, detail)

    async def _connect(
        self, target: Target, policy: TlsPolicy, *, use_tls: bool, rehearses: bool = False
    ) -> OpenServer:
        settings, relay = self._settings, target.relay
        try:
            connection = await connect(
                target.address, target.port, timeout=settings.connect_timeout, source=target.source or None
            )
        except OSError as error:
            raise UnreachableError(detail=f"{target.address}: {str(error) or 'timed out'}") from error
        client = Client(connection, Timeouts(settings.command_timeout, settings.data_timeout))
        with ExitStack() as unless_ready:
            unless_ready.callback(client.abort)
            try:
                if relay is not None and relay.implicit_tls:
                    await connection.start_client_tls(self._contexts.client(True), relay.host, settings.connect_timeout)
                _welcomed(await client.greeting(), 220)
                await self._hello(client, target)
                if use_tls and not client.encrypted:
                    await self._start_tls(client, target, policy, rehearses=rehearses)
                if relay is not None and relay.login:
                    await _log_in(client, relay)
            except OSError as error:
                raise UnreachableError(detail=f"{target.address}: {error}") from error
            unless_ready.pop_all()
        return OpenServer(target, client, use_tls, is_reusable=not policy.requires_tls)

    async def _start_tls(self, client: Client, target: Target, policy: TlsPolicy, *, rehearses: bool) -> None:
        """TLS where it is offered (RFC 3207 §4).

        The certificate is verified for the relay and where a policy says so: else DNS proves no name (RFC 7435 §3).
        """
        relay = target.relay
        if "STARTTLS" not in client.extensions:
            self._note(policy, target, "starttls-not-supported")
            if policy.requires_tls:
                raise TlsPolicyError(detail=f"{target.host} offers no TLS")
            return
        verifies = relay is not None or policy.verifies_names or rehearses
        context = self._contexts.client(verifies)
        try:
            reply = await client.start_tls(context, relay.host if relay is not None else target.host)
        except StartTLSError as error:
            self._note(policy, target, handshake_result(error), str(error))
            raise
        if reply.code == 220:
            if self._policies is not None and relay is None:
                try:
                    self._policies.check(policy, client.peer_chain())
                except TlsPolicyError as error:
                    self._note(policy, target, "validation-failure", str(error))
                    raise
            if rehearses or not policy.is_testing:  # a policy in testing was noted when it was rehearsed
                self._note(policy, target, "success")
            await self._hello(client, target)
        else:
            self._note(policy, target, "starttls-not-supported", reply.text)
            if policy.requires_tls or rehearses or not self._may_go_in_the_clear(target):
                raise StartTLSError(detail=reply.text)

    async def _hello(self, client: Client, target: Target) -> None:
        _welcomed(await client.hello(self._hostname), 250)
        if client.server_name == self._hostname.lower() and target.relay is None:
            raise MailLoopError(detail="the server there is this one")


async def _log_in(client: Client, relay: Relay) -> None:
    if not client.encrypted and not relay.host.startswith(_LOOPBACK):
        raise RelayLoginError("The relay offers no TLS, and the password does not go in the clear")
    reply = await client.authenticate(relay.login, relay.password)
    if reply.code // 100 != 2:
        raise RelayLoginError(f"The relay refused the login: {reply.code} {reply.text}")


def _welcomed(reply: Reply, code: int) -> None:
    if reply.code != code:
        raise RefusedError(reply)
