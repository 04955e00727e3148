"""DATA and BDAT, and what is done when a message is whole."""

from functools import partial
from typing import TYPE_CHECKING

from mailstead.foundation.errors import MailsteadError
from mailstead.protocols.smtp.commands import Bdat, CommandSyntaxError, parse_bdat
from mailstead.protocols.smtp.received import header_facts
from mailstead.protocols.smtp.reply import Reply, reply, reply_to_error
from mailstead.protocols.smtp.states import TRANSITIONS, WHY_NOT
from mailstead.protocols.smtp.transaction import Transaction

if TYPE_CHECKING:
    from mailstead.protocols.smtp.session import Session

TOO_BIG = reply(552, "5.3.4", "The message is too large")
_GO_ON = reply(354, "", "Send the message, end with CR LF . CR LF")
_NO_ROOM = reply(452, "4.3.1", "No room for the message now")
_BARE_NEWLINE = reply(554, "5.5.2", "The message has a CR or LF that is not part of a CR LF")
_LOOP = reply(554, "5.4.6", "Too many hops: the message goes round in circles")
_BINARY = reply(503, "5.5.1", "BODY=BINARYMIME goes by BDAT")
_NOT_NOW = reply(451, "4.3.0", "Cannot take the message now")


async def data(session: "Session", argument: str) -> None:
    """DATA (RFC 5321 §4.1.1.4)."""
    transaction = session.transaction
    assert transaction is not None
    if argument:
        raise CommandSyntaxError("DATA takes no argument")
    if transaction.mail.body == "BINARYMIME":
        session.reset("FAILED")  # RFC 3030 §3
        session.send(_BINARY)
        return
    session.begin_data()
    session.send(_GO_ON)


async def bdat(session: "Session", argument: str) -> None:
    """BDAT (RFC 3030 §2). The octets of a chunk that is refused are still read, and thrown away.

    Where a chunk without a readable size, or of a size beyond reason, ends is not known or too far off: the
    conversation ends, for no octet of a message may ever be read as a command.
    """
    try:
        chunk = parse_bdat(argument)
    except CommandSyntaxError as error:
        session.close(reply_to_error(error))
        return
    if chunk.size > 2 * session.services.settings.message.size_limit:
        session.close(TOO_BIG)
        return
    keeps = session.state in TRANSITIONS["BDAT"]
    session.begin_chunk(
        chunk.size, keeps=keeps, done=partial(_chunk_taken if keeps else _chunk_refused, session, chunk)
    )


async def _chunk_refused(session: "Session", chunk: Bdat) -> None:
    if session.role.is_lmtp and session.state == "MAIL" and chunk.is_last:
        session.reset("READY")  # no recipient was accepted: no reply (RFC 2033 §4.3)
        return
    session.send(reply(503, "5.5.1", WHY_NOT[session.state]))


async def _chunk_taken(session: "Session", chunk: Bdat) -> None:
    transaction = session.transaction
    assert transaction is not None
    if chunk.is_last:
        has_bare_newline = session.end_of_chunks() and transaction.mail.body != "BINARYMIME"
        await finish_message(session, has_bare_newline=has_bare_newline)
        return
    if transaction.is_too_big or transaction.storage_failed:
        session.reset("FAILED")
        session.send(TOO_BIG if transaction.is_too_big else _NO_ROOM)
        return
    session.moved("BDAT")
    session.send(reply(250, "2.0.0", f"{chunk.size} octets taken"))


async def finish_message(session: "Session", *, has_bare_newline: bool) -> None:
    """The message is whole: check it, deliver it, answer; the transaction is over either way."""
    transaction = session.transaction
    assert transaction is not None
    try:
        refusal = _refusal(session, transaction, has_bare_newline)
        if refusal is not None:
            answers = [refusal] * (len(transaction.accepted) if session.role.is_lmtp else 1)
            _note_refusal(session, transaction, refusal)
        else:
            answers = await _deliver(session, transaction)
    finally:
        session.reset("READY")
    if not all(answer.is_error for answer in answers):
        session.message_was_accepted()
    for answer in answers:
        session.send(answer)


def _refusal(session: "Session", transaction: Transaction, has_bare_newline: bool) -> Reply | None:
    if transaction.storage_failed:
        return _NO_ROOM
    if transaction.is_too_big:
        return TOO_BIG
    if has_bare_newline and not session.role.accepts_bare_newlines:
        return _BARE_NEWLINE
    return None


async def _deliver(session: "Session", transaction: Transaction) -> list[Reply]:
    try:
        facts = header_facts(transaction.spool)
        if facts.hops > session.services.settings.message.hops_limit:
            _note_refusal(session, transaction, _LOOP)
            return [_LOOP] * (len(transaction.accepted) if session.role.is_lmtp else 1)
        return await session.role.message(session, transaction, facts)
    except MailsteadError as error:
        answer = reply_to_error(error)
        _note_refusal(session, transaction, answer, why=str(error))
    except OSError as error:
        answer = _NOT_NOW
        _note_refusal(session, transaction, answer, why=str(error))
    return [answer] * (len(transaction.accepted) if session.role.is_lmtp else 1)


def _note_refusal(session: "Session", transaction: Transaction, answer: Reply, why: str = "") -> None:
    recipients = [one.recipient.address for one in transaction.accepted]
    session.role.count("refused" if answer.code >= 500 else "deferred")
    text = f"message of {transaction.octets} octets from {transaction.mail.sender or 'the null sender'}"
    session.services.note(
        session.role.service,
        transaction.id,
        "refused",
        f"{text} at {session.peer.address}: {answer.encoded.decode().strip()}{f' ({why})' if why else ''}",
        transaction.mail.sender,
        *recipients,
    )
