"""MAIL and RCPT: the envelope."""

import re
from typing import TYPE_CHECKING

from mailstead.foundation.identifiers import new_ulid
from mailstead.protocols.smtp.commands import parse_mail, parse_rcpt
from mailstead.protocols.smtp.message import TOO_BIG
from mailstead.protocols.smtp.reply import Reply, reply

if TYPE_CHECKING:
    from mailstead.protocols.smtp.session import Session

_SENDER_OK = reply(250, "2.1.0", "Sender accepted")
_RECIPIENT_OK = reply(250, "2.1.5", "Recipient accepted")
_TOO_MANY_RECIPIENTS = reply(452, "4.5.3", "Too many recipients")
_TOO_MANY_TRANSACTIONS = reply(421, "4.7.0", "Enough messages over one connection")
_NO_TLS = reply(530, "5.7.10", "REQUIRETLS needs TLS here first")
_ULID = re.compile(r"[0-9a-hjkmnp-tv-z]{26}")


async def mail(session: "Session", argument: str) -> None:
    """MAIL (RFC 5321 §4.1.1.2); a size that is declared too large is refused here (RFC 1870 §6.1)."""
    settings = session.services.settings
    parsed = parse_mail(argument, session.role.bodies, holds=session.role.offers_login)
    if session.transactions >= settings.smtp.transactions_limit:
        session.close(_TOO_MANY_TRANSACTIONS)
        return
    if parsed.size > settings.message.size_limit:
        session.send(TOO_BIG)
        return
    if parsed.require_tls and session.tls is None:
        session.send(_NO_TLS)
        return
    refusal = await session.role.sender(session, parsed)
    if refusal is not None:
        session.send(refusal)
        return
    # over LMTP our own mx names the message's way by its ENVID, so that the trace goes on
    known = session.role.is_lmtp and _ULID.fullmatch(parsed.envelope_id)
    session.begin(parsed.envelope_id if known else new_ulid(session.services.clock.now()), parsed)
    session.moved("MAIL")
    session.send(_SENDER_OK)


async def rcpt(session: "Session", argument: str) -> None:
    """RCPT (RFC 5321 §4.1.1.3)."""
    transaction = session.transaction
    assert transaction is not None
    parsed = parse_rcpt(argument, utf8=transaction.mail.smtputf8)
    if len(transaction.accepted) >= session.services.settings.message.recipients_limit:
        session.send(_TOO_MANY_RECIPIENTS)
        return
    outcome = await session.role.recipient(session, parsed)
    if isinstance(outcome, Reply):
        session.send(outcome)
        _note_refusal(session, parsed.recipient, outcome)
        return
    transaction.accepted.append(outcome)
    session.moved("RCPT")
    session.send(_RECIPIENT_OK)


def _note_refusal(session: "Session", recipient: str, refusal: Reply) -> None:
    transaction = session.transaction
    assert transaction is not None
    text = refusal.encoded.decode().strip()
    session.role.count("refused")
    session.services.note(
        session.role.service,
        transaction.id,
        "refused",
        f"{recipient}, from {transaction.mail.sender or 'the null sender'} at {session.peer.address}: {text}",
        recipient,
        transaction.mail.sender,
    )
