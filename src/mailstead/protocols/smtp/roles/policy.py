"""What roles have in common: counting, recipients of this installation, and one reply for many recipients."""

from collections.abc import Sequence

from mailstead.mail.envelope import RecipientResult
from mailstead.protocols.smtp.commands import Rcpt
from mailstead.protocols.smtp.reply import Reply, reply
from mailstead.protocols.smtp.services import SmtpServices
from mailstead.stores.directory.records import Resolution

UNKNOWN_USER = reply(550, "5.1.1", "No such recipient here")
NOT_LOCAL = reply(550, "5.7.1", "Not a domain of ours, relaying denied")
DISABLED = {
    # 421 would end the session and with it the other recipients' turn (RFC 5321 §3.8): the sender tries again as well
    421: reply(450, "4.2.1", "Recipient takes no mail for now"),
    450: reply(450, "4.2.1", "Recipient takes no mail for now"),
    550: reply(550, "5.2.1", "Recipient takes no mail"),
}


class Outcomes:
    """A service's count of messages and recipients by what became of them."""

    def __init__(self, services: SmtpServices, service: str) -> None:
        counter = services.metrics.counter("smtp_outcomes", "Messages and refused recipients", ("service", "outcome"))
        self._children = {name: counter.labels(service, name) for name in ("accepted", "refused", "deferred")}

    def count(self, outcome: str) -> None:
        """One more."""
        self._children[outcome].inc()


def refusal_of(resolution: Resolution) -> Reply | None:
    """Why an address of this installation is refused; None when it is accepted, or accepted and dropped."""
    match resolution.outcome:
        case "unknown":
            return UNKNOWN_USER
        case "not_local":
            return NOT_LOCAL
        case "disabled":
            return DISABLED.get(resolution.disabled_code or 550)
        case "accepted":
            return None


async def recipient_address(services: SmtpServices, rcpt: Rcpt) -> str:
    """The address meant; `Postmaster` alone is the one of this host's domain (RFC 5321 §4.5.1)."""
    if "@" in rcpt.recipient:
        return rcpt.recipient
    domain = services.hostname
    while "." in domain and not await services.directory.is_local_domain(domain):
        domain = domain.partition(".")[2]
    return f"postmaster@{domain}"


def folded(results: Sequence[RecipientResult], identifier: str) -> Reply:
    """One reply to the message for all its recipients (RFC 5321 §4.1.1.4).

    Positive when anything was accepted: what failed then is the queue's, which tries again or tells the sender. When
    nothing was accepted the sender keeps it all: for another try when one recipient could be served later.
    """
    if any(result.accepted for result in results):
        return reply(250, "2.0.0", f"Accepted as {identifier}")
    for result in results:
        if result.outcome == "deferred":
            return reply(result.smtp_code, result.enhanced_code, result.text)
    first = results[0]
    return reply(first.smtp_code, first.enhanced_code, first.text)
