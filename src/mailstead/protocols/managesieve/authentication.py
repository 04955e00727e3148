"""STARTTLS, AUTHENTICATE and UNAUTHENTICATE (RFC 5804 §2.1, §2.2, §2.14.1)."""

from typing import TYPE_CHECKING

from mailstead.foundation.errors import AuthenticationError, MailsteadError
from mailstead.foundation.sasl.mechanism import MECHANISMS, Challenge, Credentials, Failed, Mechanism, decode_response
from mailstead.protocols.managesieve.parser import Argument
from mailstead.protocols.managesieve.responses import no, ok, refusal

if TYPE_CHECKING:
    from mailstead.protocols.managesieve.session import Session

OFFERED = ("PLAIN",)


async def starttls(session: "Session", _: tuple[Argument, ...]) -> None:
    """What was sent already ends the session; the capabilities are told anew under TLS."""
    if session.may_start_tls:
        session.wants_tls = True
    else:
        session.fail(no("TLS cannot be started now"))


async def authenticate(session: "Session", arguments: tuple[Argument, ...]) -> None:
    """AUTHENTICATE mechanism [initial-response]."""
    if not session.may_log_in:
        session.fail(no("Use STARTTLS first", "ENCRYPT-NEEDED"))
        return
    octets = arguments[0]
    assert isinstance(octets, bytes)
    name = octets.decode("ascii", "replace").upper()
    if name not in OFFERED:
        session.fail(no("There is no such mechanism"))
        return
    initial = arguments[1] if len(arguments) > 1 else None
    await step(session, MECHANISMS[name](), initial if isinstance(initial, bytes) else None)


async def step(session: "Session", mechanism: Mechanism, line: bytes | None) -> None:
    """One step of the exchange; `line` is the client's, None when it sent no initial response."""
    if line == b"*":
        session.fail(no("Cancelled"))
        return
    response = None if line is None else decode_response(line)
    if line is not None and response is None:
        session.fail(no("Not base64"))
        return
    match mechanism.step(response):
        case Challenge(data):
            session.challenge(data, mechanism)
        case Credentials(login, secret, authorize_as):
            if authorize_as and authorize_as.lower() != login.lower():
                session.fail(no("Nobody may act for another"))
                return
            await _log_in(session, login, secret)
        case Failed(why):
            session.fail(no(f"Authentication failed: {why}"))


async def _log_in(session: "Session", login: str, secret: str) -> None:
    services = session.services
    try:
        account = await services.authenticator.authenticate(login, secret, service="sieve", peer=session.peer.address)
    except AuthenticationError as refused:
        services.logins.labels("refused").inc()
        session.fail(no(refused.public_text))
        return
    except MailsteadError as problem:
        session.fail(refusal(problem))
        return
    account.key.close()  # scripts are not in the mailbox
    try:
        await session.peer.hold_account(account.address)
    except MailsteadError as problem:
        session.fail(refusal(problem))
        return
    services.logins.labels("accepted").inc()
    session.enter(account.address, account.mailbox_id)
    session.write(ok("Logged in"))


async def unauthenticate(session: "Session", _: tuple[Argument, ...]) -> None:
    """Back to where the session was before the login; TLS stays."""
    session.leave()
    session.write(ok())
