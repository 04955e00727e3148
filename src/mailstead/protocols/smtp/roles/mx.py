"""The mail exchanger: anyone may send to those who are here, and to nobody else."""

from typing import TYPE_CHECKING

from mailstead.foundation.errors import MailsteadError
from mailstead.protocols.smtp.commands import ALL_BODIES, Mail, Rcpt
from mailstead.protocols.smtp.received import HeaderFacts, from_clause, protocol_name, received_field
from mailstead.protocols.smtp.reply import Reply, reply
from mailstead.protocols.smtp.roles.policy import Outcomes, folded, recipient_address, refusal_of
from mailstead.protocols.smtp.roles.quota import QuotaGate
from mailstead.protocols.smtp.roles.role import envelope_recipient
from mailstead.protocols.smtp.services import SmtpServices
from mailstead.protocols.smtp.transaction import Accepted, Transaction
from mailstead.protocols.smtp.verbs import SMTP_VERBS
from mailstead.stores.directory.records import Resolution

if TYPE_CHECKING:
    from mailstead.protocols.smtp.session import Session

_DISPOSITIONS = {"deliver": "none", "junk": "quarantine", "refuse": "reject"}


class MxRole:
    """See roles/role.py."""

    service = "mx"
    verbs = SMTP_VERBS
    is_lmtp = False
    offers_login = False
    bodies = frozenset(ALL_BODIES.values())

    def __init__(self, services: SmtpServices) -> None:
        self.services = services
        self.accepts_bare_newlines = services.settings.mx.bare_newlines == "accept"
        self.count = Outcomes(services, self.service).count
        self._quota = QuotaGate(services)

    def extensions(self, _: "Session") -> list[str]:
        """Nothing more."""
        return []

    def admit(self, _: "Session") -> Reply | None:
        """Everybody."""
        return None

    async def sender(self, _: "Session", mail: Mail) -> Reply | None:
        """Any sender, the null path included (RFC 5321 §4.5.5), but none that claims to be a return path of ours."""
        try:
            await self._original_sender(mail.sender)
        except MailsteadError as error:
            return reply(error.smtp_code, error.enhanced_code, error.public_text)
        return None

    async def _original_sender(self, address: str) -> str:
        planner = self.services.planner
        return "" if planner is None else await planner.original_sender(address)

    async def recipient(self, session: "Session", rcpt: Rcpt) -> Accepted | Reply:
        """Those who are here."""
        address = await recipient_address(self.services, rcpt)
        try:
            bounced_to = await self._original_sender(address)
        except MailsteadError as error:
            return reply(error.smtp_code, error.enhanced_code, error.public_text)
        if bounced_to:
            return self._bounce(session, rcpt, address)
        resolution = await self.services.directory.resolve(address)
        refusal = refusal_of(resolution)
        if refusal is not None:
            return refusal
        assert session.transaction is not None
        full = await self._quota.refusal(resolution, session.transaction.mail.size)
        return full or Accepted(envelope_recipient(rcpt, address), resolution)

    @staticmethod
    def _bounce(session: "Session", rcpt: Rcpt, address: str) -> Accepted | Reply:
        """The return path of forwarded mail takes notices, and nothing that makes us a relay to its sender."""
        assert session.transaction is not None
        if session.transaction.mail.sender:
            return reply(550, "5.7.1", "This address takes delivery notices only, with the null sender")
        return Accepted(envelope_recipient(rcpt, address), Resolution(address, "accepted"))

    async def message(self, session: "Session", transaction: Transaction, facts: HeaderFacts) -> list[Reply]:
        """Deliver here, forward what is to be forwarded; one reply."""
        services = self.services
        addresses = [one.recipient.address for one in transaction.accepted]
        received = received_field(
            client=from_clause(session.hello, session.peer.address),
            hostname=services.hostname,
            protocol=protocol_name(
                lmtp=False,
                extended=session.is_extended,
                tls=session.tls is not None,
                authenticated=False,
                utf8=transaction.mail.smtputf8,
            ),
            tls=session.tls,
            identifier=transaction.id,
            recipient=addresses[0] if len(addresses) == 1 else "",
            now=services.clock.now(),
        )
        sender = transaction.mail.sender
        services.note(
            self.service,
            transaction.id,
            "received",
            f"{transaction.octets} octets from {sender or 'the null sender'} at {session.peer.address}"
            f" ({session.hello}) for {', '.join(addresses)}",
            sender,
            *addresses,
            message_id=facts.message_id,
        )
        message = transaction.spool
        if services.authentication is not None and (session.peer.address, session.peer.port) not in services.own:
            verdict = await services.authentication.judge(
                message, address=session.peer.address, hello=session.hello, sender=sender
            )
            services.note(self.service, transaction.id, "authenticated", verdict.text, sender, *addresses)
            if services.collector is not None:
                done = _DISPOSITIONS[verdict.action]
                services.collector.dmarc(verdict.checks, session.peer.address, sender, done)
            if verdict.action == "refuse":
                self.count("refused")
                return [reply(550, "5.7.1", verdict.refusal)]
            message = verdict.message
            received = verdict.fields + received
        message.prepend(received)
        results = await services.router.accept(transaction.envelope(), message, transaction.id)
        answer = folded(results, transaction.id)
        self.count("accepted" if answer.code < 400 else "deferred" if answer.code < 500 else "refused")
        return [answer]
