"""AUTH (RFC 4954)."""

import base64
from typing import TYPE_CHECKING

from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.net.errors import ConnectionLimitError
from mailstead.foundation.sasl.mechanism import (
    MECHANISMS,
    RESPONSE_LIMIT,
    Challenge,
    Credentials,
    Failed,
    Mechanism,
    decode_response,
)
from mailstead.protocols.smtp.reply import reply, reply_to_error

if TYPE_CHECKING:
    from mailstead.protocols.smtp.session import Session

OFFERED = ("PLAIN", "LOGIN")
_ALREADY = reply(503, "5.5.1", "You are logged in")
_UNPROTECTED = reply(538, "5.7.11", "Say STARTTLS first")
_NO_MECHANISM = reply(504, "5.5.4", "No such mechanism")
_NO_INITIAL_RESPONSE = reply(501, "5.7.0", "This mechanism begins with the server")
_CANCELLED = reply(501, "5.7.0", "Cancelled")
_NOT_BASE64 = reply(501, "5.5.2", "Not base64")
_NOT_FOR_OTHERS = reply(535, "5.7.8", "Nobody may act for another")
_WELCOME = reply(235, "2.7.0", "You are logged in")
_SYNTAX = reply(501, "5.5.4", "Syntax: AUTH mechanism [initial response]")


async def auth(session: "Session", argument: str) -> None:
    """AUTH mechanism [initial-response]."""
    words = argument.split(" ")
    if session.account is not None:
        session.send(_ALREADY)
    elif not words[0] or len(words) > 2:
        session.send(_SYNTAX)
    elif not session.may_log_in:
        session.send(_UNPROTECTED)
    elif words[0].upper() not in OFFERED:
        session.send(_NO_MECHANISM)
    else:
        mechanism = MECHANISMS[words[0].upper()]()
        await _step(session, mechanism, words[1].encode() if len(words) > 1 else None)


async def _step(session: "Session", mechanism: Mechanism, line: bytes | None) -> None:
    """One step of the exchange; `line` is the client's, None when it sent no initial response."""
    if line == b"*":
        session.send(_CANCELLED)
        return
    response = None if line is None else decode_response(line)
    if line is not None and response is None:
        session.send(_NOT_BASE64)
        return
    match mechanism.step(response):
        case Challenge(data):
            challenge = reply(334, "", base64.b64encode(data).decode())
            session.ask(challenge, lambda answer: _step(session, mechanism, answer), RESPONSE_LIMIT)
        case Credentials(login, secret, authorize_as):
            if authorize_as and authorize_as.lower() != login.lower():
                session.send(_NOT_FOR_OTHERS)
                return
            await _log_in(session, login, secret)
        case Failed(why):
            session.send(reply(501, "5.5.2", f"Authentication failed: {why}"))


async def _log_in(session: "Session", login: str, secret: str) -> None:
    services = session.services
    try:
        account = await services.authenticator.authenticate(
            login, secret, service=session.role.service, peer=session.peer.address
        )
        account.key.close()  # sending needs no mailbox
        await session.peer.hold_account(account.address)
    except ConnectionLimitError as error:
        session.close(reply_to_error(error))
    except MailsteadError as error:
        session.send(reply_to_error(error))
    else:
        session.account = account
        session.send(_WELCOME)
