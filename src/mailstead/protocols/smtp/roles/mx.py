"""The mail exchanger: anyone may send to those who are here, and to nobody else."""

from typing import TYPE_CHECKING

import structlog

from mailstead.foundation.errors import MailsteadError
from mailstead.mail.authentication.inbound import Verdict
from mailstead.mail.screening.judge import Arrived
from mailstead.mail.screening.refusal import Refusal
from mailstead.mail.screening.screening import Screening
from mailstead.mail.screening.visit import Visit
from mailstead.protocols.smtp.commands import ALL_BODIES, Mail, Rcpt
from mailstead.protocols.smtp.received import HeaderFacts, from_clause, protocol_name, received_field
from mailstead.protocols.smtp.reply import Reply, reply
from mailstead.protocols.smtp.roles.policy import Outcomes, folded, recipient_address, refusal_of
from mailstead.protocols.smtp.roles.quota import QuotaGate
from mailstead.protocols.smtp.roles.role import Listen, envelope_recipient
from mailstead.protocols.smtp.services import SmtpServices
from mailstead.protocols.smtp.transaction import Accepted, Transaction
from mailstead.protocols.smtp.verbs import SMTP_VERBS
from mailstead.stores.directory.records import Resolution

if TYPE_CHECKING:
    from mailstead.protocols.smtp.session import Session

log = structlog.get_logger("mailstead.smtp")
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

    async def admit(self, session: "Session", listen: Listen) -> Reply | None:
        """Everybody whom screening lets in; strangers wait for the greeting, and do not talk before it."""
        screening = self.services.screening
        if screening is None:
            return None
        admission, visit = screening.admission, self._visit(session, screening)
        refusal = await admission.connection(visit)
        delay = 0.0 if refusal is not None else await admission.greet_delay(visit)
        if delay:
            refusal = await admission.waited(visit, talked=await listen(delay))
        if refusal is None:
            return None
        self.count("refused")
        log.info("client refused", peer=session.peer.address, why=refusal.explanation)
        return reply(refusal.code, refusal.status, refusal.text)

    def _visit(self, session: "Session", screening: Screening) -> Visit:
        if session.visit is None:
            peer = session.peer
            is_own = (peer.address, peer.port) in self.services.own
            session.visit = screening.admission.visit(peer.address, is_own=is_own)
        return session.visit

    async def sender(self, session: "Session", mail: Mail) -> Reply | None:
        """Any sender, the null path included (RFC 5321 §4.5.5), none that claims to be a return path of ours, nor too much."""
        try:
            await self._original_sender(mail.sender)
        except MailsteadError as error:
            return reply(error.smtp_code, error.enhanced_code, error.public_text)
        screening = self.services.screening
        if screening is None:
            return None
        refusal = await screening.admission.sender(self._visit(session, screening), mail.sender)
        return None if refusal is None else _reply(session, refusal)

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
        screening = self.services.screening
        if refusal is not None:
            enough = None
            if screening is not None and resolution.outcome == "unknown":
                enough = await screening.admission.unknown_recipient(self._visit(session, screening))
            return refusal if enough is None else _reply(session, enough)
        assert session.transaction is not None
        if screening is not None:
            visit, sender = self._visit(session, screening), session.transaction.mail.sender
            unwanted = await screening.admission.recipient(visit, session.hello, sender, address)
            if unwanted is not None:
                if unwanted.words:
                    identifier = session.transaction.id
                    self.services.note(self.service, identifier, "screened", f"{address}: {unwanted.words}", address)
                return _reply(session, unwanted)
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
        verdict: Verdict | None = None
        if services.authentication is not None and (session.peer.address, session.peer.port) not in services.own:
            verdict = await services.authentication.judge(
                message,
                address=session.peer.address,
                hello=session.hello,
                sender=sender,
                is_hidden=session.visit is not None and session.visit.is_hidden,
            )
            services.note(self.service, transaction.id, "authenticated", verdict.text, sender, *addresses)
            if services.collector is not None:
                done = _DISPOSITIONS[verdict.action]
                services.collector.dmarc(verdict.checks, session.peer.address, sender, done)
            if verdict.action == "refuse":
                self.count("refused")
                return [reply(550, "5.7.1", verdict.refusal)]
            message = verdict.message
        if services.screening is not None:
            visit = self._visit(session, services.screening)
            if not visit.is_own:
                judged = await services.screening.judge.judge(
                    visit,
                    Arrived(
                        message=message,
                        identifier=transaction.id,
                        hello=session.hello,
                        sender=sender,
                        recipients=addresses,
                        may_refuse=all(_filters(one) for one in transaction.accepted),
                        authenticated=verdict,
                    ),
                )
                services.note(self.service, transaction.id, "screened", judged.text, sender, *addresses)
                if judged.refusal is not None:
                    self.count("refused" if judged.refusal.code >= 500 else "deferred")
                    return [_reply(session, judged.refusal)]
                message = judged.message
                received = judged.fields + received
        if verdict is not None:
            received = verdict.fields + received  # topmost: forwarding reads the results there
        message.prepend(received)
        results = await services.router.accept(transaction.envelope(), message, transaction.id)
        answer = folded(results, transaction.id)
        self.count("accepted" if answer.code < 400 else "deferred" if answer.code < 500 else "refused")
        return [answer]


def _reply(session: "Session", refusal: Refusal) -> Reply:
    """What the client is told; after some refusals nothing more is listened to."""
    answer = reply(refusal.code, refusal.status, refusal.text)
    if refusal.closes:
        session.is_over = True
    return answer


def _filters(accepted: Accepted) -> bool:
    alias = accepted.resolution.alias
    return alias is None or alias.junk_filter
