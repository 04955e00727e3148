"""LMTP (RFC 2033): trusted hosts hand over messages for mailboxes of this node, one reply per recipient."""

from typing import TYPE_CHECKING

from mailstead.foundation.net.limits import Networks
from mailstead.mail.envelope import RecipientResult
from mailstead.mail.routing.delivery import LocalRecipient, delivery_name
from mailstead.protocols.smtp.commands import ALL_BODIES, Mail, Rcpt
from mailstead.protocols.smtp.received import HeaderFacts, from_clause, protocol_name, received_field
from mailstead.protocols.smtp.reply import Reply, reply
from mailstead.protocols.smtp.roles.policy import UNKNOWN_USER, Outcomes, recipient_address, refusal_of
from mailstead.protocols.smtp.roles.quota import QuotaGate
from mailstead.protocols.smtp.roles.role import Listen, envelope_recipient
from mailstead.protocols.smtp.services import SmtpServices
from mailstead.protocols.smtp.transaction import Accepted, Transaction
from mailstead.protocols.smtp.verbs import LMTP_VERBS

if TYPE_CHECKING:
    from mailstead.protocols.smtp.session import Session

_STRANGER = reply(554, "5.7.1", "You may not deliver here")
_DROPPED = reply(250, "2.1.5", "Accepted")


class LmtpRole:
    """See roles/role.py."""

    service = "lmtp"
    verbs = LMTP_VERBS
    is_lmtp = True
    offers_login = False
    bodies = frozenset(ALL_BODIES.values())

    def __init__(self, services: SmtpServices) -> None:
        self.services = services
        self.accepts_bare_newlines = services.settings.lmtp.bare_newlines == "accept"
        self.count = Outcomes(services, self.service).count
        self._trusted = Networks(services.settings.lmtp.trusted)
        self._quota = QuotaGate(services)

    def extensions(self, _: "Session") -> list[str]:
        """Nothing more."""
        return []

    async def admit(self, session: "Session", _: Listen) -> Reply | None:
        """Unix sockets and trusted networks."""
        address = session.peer.address
        return None if address == "unix" or address in self._trusted else _STRANGER

    async def sender(self, _: "Session", __: Mail) -> Reply | None:
        """Any sender."""
        return None

    async def recipient(self, session: "Session", rcpt: Rcpt) -> Accepted | Reply:
        """Addresses with a mailbox; what else they forward to was the mail exchanger's to do."""
        address = await recipient_address(self.services, rcpt)
        resolution = await self.services.directory.resolve(address)
        refusal = refusal_of(resolution)
        if refusal is not None:
            return refusal
        if resolution.outcome == "accepted" and not any(one.kind == "mailbox" for one in resolution.destinations):
            return UNKNOWN_USER
        assert session.transaction is not None
        full = await self._quota.refusal(resolution, session.transaction.mail.size)
        return full or Accepted(envelope_recipient(rcpt, address), resolution)

    async def message(self, session: "Session", transaction: Transaction, facts: HeaderFacts) -> list[Reply]:
        """Deliver into each mailbox once; a reply for each accepted recipient, in order."""
        services = self.services
        targets = {
            destination.mailbox_id: LocalRecipient(one.recipient.address, destination)
            for one in reversed(transaction.accepted)
            for destination in one.resolution.destinations
            if destination.kind == "mailbox"
        }
        # named by what was sent, before this attempt's Received: the same message sent again is known
        name = delivery_name(transaction.id, transaction.spool)
        transaction.spool.prepend(
            received_field(
                client=from_clause(session.hello, session.peer.address),
                hostname=services.hostname,
                protocol=protocol_name(
                    lmtp=True,
                    extended=True,
                    tls=session.tls is not None,
                    authenticated=False,
                    utf8=transaction.mail.smtputf8,
                ),
                tls=session.tls,
                identifier=transaction.id,
                recipient=transaction.accepted[0].recipient.address if len(transaction.accepted) == 1 else "",
                now=services.clock.now(),
            )
        )
        services.note(
            self.service,
            transaction.id,
            "received",
            f"{transaction.octets} octets over LMTP from {session.peer.address}",
            transaction.mail.sender,
            *[one.recipient.address for one in transaction.accepted],
            message_id=facts.message_id,
        )
        results = await services.local.deliver(
            transaction.mail.sender,
            list(targets.values()),
            transaction.spool,
            transaction.id,
            delivery_id=name,
        )
        by_mailbox = dict(zip(targets, results, strict=True))
        answers = [self._answer(one, by_mailbox) for one in transaction.accepted]
        for answer in answers:
            self.count("accepted" if answer.code < 400 else "deferred" if answer.code < 500 else "refused")
        return answers

    @staticmethod
    def _answer(accepted: Accepted, by_mailbox: dict[str, RecipientResult]) -> Reply:
        results = [by_mailbox[one.mailbox_id] for one in accepted.resolution.destinations if one.kind == "mailbox"]
        if not results:
            return _DROPPED  # a disabled address that accepts and drops
        worst = next((result for result in results if not result.accepted), results[0])
        address = accepted.recipient.address
        return reply(worst.smtp_code, worst.enhanced_code, f"<{address}> {worst.text}")
