"""What the list of sent messages keeps of one that the API or the web took."""

from mailstead.interfaces.identity import Identity
from mailstead.mail.outbound.agent import Submitted
from mailstead.stores.sent.sent import SentMessage, SentRecipient

_SUBJECT_LIMIT = 998


def noted(identity: Identity, submitted: Submitted, *, sender: str, subject: str, size: int, now: float) -> SentMessage:
    """The entry of a message that `sender` wrote at `now` (seconds since the epoch); `size` in octets."""
    results = tuple(SentRecipient(one.address, one.outcome, one.smtp_code, one.text) for one in submitted.results)
    subject = subject[:_SUBJECT_LIMIT]
    words = (subject, sender, submitted.message_id, *(one.address for one in results))
    return SentMessage(
        id=submitted.trace_id,
        user_id=identity.actor.user_id,
        alias_id=identity.alias_id,
        domain=sender.rpartition("@")[2].lower(),
        sender=sender,
        subject=subject,
        message_id=submitted.message_id,
        recipients=results,
        size=size,
        created_at=now,
        send_at=submitted.release_at,
        search="\n".join(words).casefold(),
    )
