"""One attempt to hand a consignment to a remote server."""

from collections.abc import Callable, Iterable

import msgspec

from mailstead.foundation.config.sections.queue import QueueSettings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.errors import StartTLSError
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.targets import Target, find_targets, parse_relay
from mailstead.mail.transport.client import Client, Timeouts


class Verdict(msgspec.Struct, frozen=True):
    """What became of one recipient in one attempt."""

    recipient: EnvelopeRecipient
    outcome: str  # delivered | failed | deferred
    code: int
    status: str
    text: str
    remote_host: str
    relayed_dsn: bool
    encrypted: bool


class Transport:
    """Finds the destination's servers and tries them in order until one answers for the message."""

    def __init__(
        self, resolver: Resolver, contexts: TLSContexts, settings: QueueSettings, hostname: str, relay_url: str = ""
    ) -> None:
        self._resolver = resolver
        self._contexts = contexts
        self._settings = settings
        self._hostname = hostname
        self._relay = parse_relay(relay_url)

    async def attempt(
        self, destination: str, envelope: Envelope, message: Callable[[], Iterable[bytes]], size: int
    ) -> list[Verdict]:
        """A verdict for every recipient; raises nothing of the network's."""
        try:
            if self._relay is not None:
                targets = [Target(self._relay.host, self._relay.host, self._relay.port)]
            else:
                targets = await find_targets(self._resolver, destination, self._settings.remote_port)
        except MailsteadError as error:
            return _all(envelope, error, "")
        last: list[Verdict] = []
        for target in targets:
            last = await self._try(target, envelope, message, size)
            if any(verdict.outcome == "delivered" for verdict in last) or all(v.outcome == "failed" for v in last):
                return last
            if any(verdict.code // 100 == 4 and verdict.remote_host for verdict in last) and _answered(last):
                return last  # the server spoke for the domain; another would say the same (RFC 5321 §5.1)
        return last

    async def _try(
        self, target: Target, envelope: Envelope, message: Callable[[], Iterable[bytes]], size: int
    ) -> list[Verdict]:
        use_tls = self._settings.starttls
        while True:
            try:
                return await self._converse(target, envelope, message, size, use_tls=use_tls)
            except StartTLSError as error:
                if not (use_tls and self._settings.tls_fallback) or self._relay is not None:
                    return _all(envelope, error, target.host)
                use_tls = False
            except MailsteadError as error:
                return _all(envelope, error, target.host)
            except OSError as error:
                text = str(error) or "timed out"
                return [
                    _verdict(one, "deferred", 451, "4.4.1", f"{target.address}: {text}", "")
                    for one in envelope.recipients
                ]

    async def _converse(
        self, target: Target, envelope: Envelope, message: Callable[[], Iterable[bytes]], size: int, *, use_tls: bool
    ) -> list[Verdict]:
        settings = self._settings
        connection = await connect(target.address, target.port, timeout=settings.connect_timeout)
        client = Client(connection, Timeouts(settings.command_timeout, settings.data_timeout))
        try:
            relay = self._relay
            if relay is not None and relay.implicit_tls:
                await connection.start_client_tls(self._contexts.client(True), relay.host, settings.connect_timeout)
            greeting = await client.greeting()
            if greeting.code != 220:
                # a greeting refuses the host, not the message: a later attempt may find another mood
                outcome = "failed" if greeting.permanent else "deferred"
                return [
                    _verdict(one, outcome, greeting.code, greeting.enhanced, greeting.text, target.host)
                    for one in envelope.recipients
                ]
            await client.hello(self._hostname)
            if use_tls and not client.encrypted and "STARTTLS" in client.extensions:
                verify = relay is not None
                reply = await client.start_tls(self._contexts.client(verify), relay.host if relay else target.host)
                if reply.code == 220:
                    await client.hello(self._hostname)
            if relay is not None and relay.login:
                reply = await client.authenticate(relay.login, relay.password)
                if not reply.positive:
                    said = f"the relay refused the login: {reply.text}"
                    return [
                        _verdict(one, "deferred", reply.code, reply.enhanced, said, target.host)
                        for one in envelope.recipients
                    ]
            outcomes = await client.send(envelope, message(), size)
            await client.quit()
        except (MailsteadError, OSError):
            client.abort()
            raise
        verdicts = []
        for answered in outcomes:
            reply = answered.reply
            state = "delivered" if reply.positive else "failed" if reply.permanent else "deferred"
            verdicts.append(
                _verdict(
                    answered.recipient,
                    state,
                    reply.code,
                    reply.enhanced,
                    reply.text,
                    target.host,
                    relayed_dsn=answered.relayed_dsn,
                    encrypted=client.encrypted,
                )
            )
        return verdicts


def _answered(verdicts: list[Verdict]) -> bool:
    return all(verdict.code not in (421, 451) for verdict in verdicts)


def _all(envelope: Envelope, error: MailsteadError, host: str) -> list[Verdict]:
    outcome = "deferred" if error.temporary else "failed"
    return [
        _verdict(one, outcome, error.smtp_code, error.enhanced_code, str(error), host) for one in envelope.recipients
    ]


def _verdict(
    recipient: EnvelopeRecipient,
    outcome: str,
    code: int,
    status: str,
    text: str,
    host: str,
    *,
    relayed_dsn: bool = False,
    encrypted: bool = False,
) -> Verdict:
    status = status or f"{code // 100}.0.0"
    return Verdict(recipient, outcome, code, status, f"{code} {status} {text}", host, relayed_dsn, encrypted)
