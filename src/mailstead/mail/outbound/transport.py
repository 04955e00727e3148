"""One attempt to hand a consignment to a remote server."""

from contextlib import ExitStack

import msgspec

from mailstead.foundation.config.sections.queue import QueueSettings
from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.errors import MailsteadError, PermanentError
from mailstead.foundation.net.errors import StartTLSError
from mailstead.foundation.net.reach import Reach
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.mail.authentication.tls_policy import TlsPolicy, sts_policy
from mailstead.mail.envelope import Envelope
from mailstead.mail.outbound.connections import OpenServer
from mailstead.mail.outbound.files import QueuedMessage
from mailstead.mail.outbound.fitness import Fitness
from mailstead.mail.outbound.opening import Opening, RefusedError, UnreachableError
from mailstead.mail.outbound.records import HOST
from mailstead.mail.outbound.required_tls import (
    EncryptionNeededError,
    RequireTlsUnsupportedError,
    does_without_tls,
    is_binding,
    required,
)
from mailstead.mail.outbound.routes import Route, Routes, source_for
from mailstead.mail.outbound.targets import MailLoopError, Target, find_targets
from mailstead.mail.outbound.tls_policies import DestinationPolicy, TlsPolicies, TlsPolicyError
from mailstead.mail.outbound.tls_results import TlsResults
from mailstead.mail.outbound.verdict import Attempt, Verdict, all_by_error, all_by_reply, by_error, by_reply
from mailstead.mail.sending.return_path import Verp
from mailstead.mail.transport.client import CUT_OFF, Client, Outcome
from mailstead.mail.transport.reply import Reply

_NO_MAIL_HERE = 521  # RFC 7504 §3: the host takes no mail at all


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
        *,
        routes: Routes | None = None,
        results: TlsResults | None = None,
        verp: Verp | None = None,
        reach: Reach | None = None,
    ) -> None:
        """Without `reach` no server is reached that an alias names."""
        self._reach = reach
        self._resolver = resolver
        self._settings = settings
        self._hostname = hostname
        self._routes = routes or Routes(None, SendingSettings(), relay_url)
        self._policies = policies
        self._results = results
        self._verp = verp
        self._opening = Opening(contexts, settings, hostname, policies, results)
        self._connections = self._opening.connections

    async def close(self) -> None:
        """Close the connections that were kept."""
        await self._connections.close()
        if self._policies is not None:
            await self._policies.close()

    async def place(self, destination: str, envelope: Envelope) -> str:
        """What is reached or not on the way that the envelope's sender takes. Raises TemporaryError."""
        return (await self._route(destination, envelope)).place(destination)

    async def _route(self, destination: str, envelope: Envelope) -> Route:
        """The sender's; a server that an alias names is reached without relays."""
        route = await self._routes.of(envelope.sender)
        return msgspec.structs.replace(route, relays=()) if destination.startswith(HOST) else route

    async def attempt(self, destination: str, envelope: Envelope, message: QueuedMessage) -> Attempt:
        """A verdict for every recipient; raises nothing of the network's, OSError and SealError of the file's."""
        heeds = not does_without_tls(envelope, message.header())
        try:
            route = await self._route(destination, envelope)
            targets = await self._targets(route, destination)
            wanted = None
            if self._policies is not None and heeds and not route.relays and not destination.startswith(HOST):
                wanted = await self._policies.of_destination(destination)
        except MailsteadError as error:
            return Attempt(all_by_error(envelope, error, ""))
        unreachable: list[str] = []
        last = Attempt([])
        for target in targets:
            try:
                policy = await self._policy(wanted, target, envelope)
                server = await self._open(target, policy, envelope)
            except RefusedError as error:
                # It turns everybody away for now: the next may not (RFC 5321 §5.1). Only 521 is for good.
                last = Attempt(all_by_reply(envelope, _lasting(error.reply), target.host))
                continue
            except MailsteadError as error:
                if isinstance(error, MailLoopError):
                    return Attempt(all_by_error(envelope, error, target.host))
                if not isinstance(error, PermanentError):
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

    async def _targets(self, route: Route, destination: str) -> list[Target]:
        """Where to connect to, and from which addresses. Raises what finding them raises, UnreachableError."""
        if route.relays:
            found = [Target(relay.host, relay.host, relay.port, relay=relay) for relay in route.relays]
        elif destination.startswith(HOST):
            found = await self._named(destination)
        else:
            found = await find_targets(self._resolver, destination, self._settings.remote_port, self._hostname)
        usable = []
        for target in found:
            source = source_for(route.sources, target.address)
            if source is not None:
                usable.append(msgspec.structs.replace(target, source=source))
        if not usable:
            raise UnreachableError(detail=f"no address of {destination} is of a family that mail leaves by")
        return usable

    async def _named(self, destination: str) -> list[Target]:
        """The addresses of a server that an alias names. Raises NotPublicError, NoSuchHostError, ResolutionError."""
        host, _, port = destination.removeprefix(HOST).rpartition(":")
        if self._reach is None:
            raise UnreachableError(detail=f"{host} is reached by no worker")
        return [Target(host, address, int(port)) for address in await self._reach.addresses(host)]

    async def _policy(self, wanted: DestinationPolicy | None, target: Target, envelope: Envelope) -> TlsPolicy:
        """What the connection has to be like. Raises ResolutionError, TlsPolicyError, EncryptionNeededError."""
        policy = TlsPolicy(domain=wanted.domain if wanted is not None else "", host=target.host)
        binding = is_binding(envelope)
        if target.relay is not None:
            return msgspec.structs.replace(policy, is_required=binding)
        if self._policies is not None and wanted is not None:
            try:
                policy = await self._policies.of_server(wanted, target)
            except TlsPolicyError as error:
                if self._results is not None:
                    sts = sts_policy(wanted.domain, target.host, wanted.sts)
                    self._results.noted(sts, target.address, "validation-failure", str(error))
                if binding:
                    raise EncryptionNeededError(detail=error.detail) from error
                raise
        if not binding:
            return policy
        published = wanted.sts if wanted is not None else None
        return required(policy, published, mx_authenticated=wanted is not None and wanted.mx_authenticated)

    async def _open(self, target: Target, policy: TlsPolicy, envelope: Envelope) -> OpenServer:
        """A server that may have the message. Raises as Opening.open does, RequireTlsUnsupportedError besides."""
        try:
            server = await self._opening.open(target, policy)
        except (StartTLSError, TlsPolicyError) as error:
            if is_binding(envelope):
                raise EncryptionNeededError(detail=str(error)) from error
            raise
        if is_binding(envelope) and "REQUIRETLS" not in server.client.extensions:
            self._connections.keep(server)
            raise RequireTlsUnsupportedError(detail=f"{target.host} does not offer it")
        return server

    async def _send(self, client: Client, envelope: Envelope, message: QueuedMessage, *, utf8: bool) -> list[Outcome]:
        """One transaction, or one for each recipient of mail that was submitted here where VERP is on."""
        if self._verp is None or not envelope.account or not envelope.sender:
            return await client.send(envelope, message.chunks(), message.size, utf8=utf8)
        outcomes: list[Outcome] = []
        for one in _each(envelope, self._verp):
            if outcomes and not client.usable:
                outcomes.append(Outcome(one.recipients[0], CUT_OFF, False))
                continue
            outcomes += await client.send(one, message.chunks(), message.size, utf8=utf8)
        return outcomes

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
                outcomes = await self._send(client, envelope, message, utf8=fitness.utf8)
            except MailsteadError as error:
                return [*verdicts, *all_by_error(envelope, error, host)], False
            unless_sent.pop_all()
        spoke = client.usable
        self._connections.keep(server)
        for one in outcomes:
            verdicts.append(by_reply(one.recipient, one.reply, host, relayed_dsn=one.relayed_dsn, encrypted=encrypted))
        return verdicts, spoke


def _each(envelope: Envelope, verp: Verp) -> list[Envelope]:
    """The envelope once for each recipient, with a return path of its own."""
    return [
        msgspec.structs.replace(
            envelope, sender=verp.return_path(envelope.sender, recipient.address), recipients=(recipient,)
        )
        for recipient in envelope.recipients
    ]


def _lasting(reply: Reply) -> Reply:
    """A refusal of the host: temporary, whatever it says, save where it never takes mail."""
    if reply.code == _NO_MAIL_HERE or 400 <= reply.code < 500:
        return reply
    return Reply(450, f"4{reply.enhanced[1:]}" if reply.enhanced else "4.3.2", (f"{reply.code} {reply.text}",))
