"""Commands of the AUTHORIZATION state: who are you (RFC 1939 §4, RFC 5034), in safety (RFC 2595 §4)."""

from typing import TYPE_CHECKING

from mailstead.foundation.errors import AuthenticationError, MailsteadError
from mailstead.foundation.sasl.mechanism import (
    MECHANISMS,
    RESPONSE_LIMIT,
    Challenge,
    Credentials,
    Failed,
    Mechanism,
    decode_response,
)
from mailstead.protocols.pop3.lock import MaildropLock
from mailstead.protocols.pop3.maildrop import Maildrop
from mailstead.protocols.pop3.responses import END, error, ok
from mailstead.stores.directory.records import Account

if TYPE_CHECKING:
    from mailstead.protocols.pop3.session import Session

OFFERED = ("PLAIN",)
_PLAINTEXT = error("Use STLS first")


async def user(session: "Session", arguments: list[str]) -> None:
    """USER name: the same answer whether the account exists or not."""
    if not session.may_log_in:
        session.fail(_PLAINTEXT)
        return
    session.user = arguments[0]
    session.write(ok("Send PASS"))


async def password(session: "Session", arguments: list[str]) -> None:
    """PASS string: blanks belong to the password."""
    login, session.user = session.user, ""
    if not login:
        session.fail(error("USER comes first"))
        return
    await log_in(session, login, arguments[0])


async def auth(session: "Session", arguments: list[str]) -> None:
    """AUTH mechanism [initial-response]; without arguments the mechanisms are listed, as old clients expect."""
    if not session.may_log_in:
        session.fail(_PLAINTEXT)
        return
    if not arguments:
        session.write(ok() + b"".join(f"{name}\r\n".encode() for name in OFFERED) + END)
        return
    if arguments[0].upper() not in OFFERED:
        session.fail(error("No such mechanism"))
        return
    mechanism = MECHANISMS[arguments[0].upper()]()
    await _step(session, mechanism, arguments[1].encode() if len(arguments) > 1 else None)


async def _step(session: "Session", mechanism: Mechanism, line: bytes | None) -> None:
    """One step of the exchange; `line` is the client's, None when it sent no initial response."""
    if line == b"*":
        session.fail(error("Cancelled"))
        return
    response = None if line is None else decode_response(line)
    if line is not None and response is None:
        session.fail(error("Not base64"))
        return
    match mechanism.step(response):
        case Challenge(data):
            session.challenge(data, lambda answer: _step(session, mechanism, answer), RESPONSE_LIMIT)
        case Credentials(login, secret, authorize_as):
            if authorize_as and authorize_as.lower() != login.lower():
                session.fail(error("Nobody may act for another", "AUTH"))
                return
            await log_in(session, login, secret)
        case Failed(why):
            session.fail(error(f"Authentication failed: {why}"))


async def log_in(session: "Session", login: str, secret: str) -> None:
    """Verify, lock, open: all three or none (RFC 1939 §4)."""
    services = session.services
    try:
        account = await services.authenticator.authenticate(login, secret, service="pop3", peer=session.peer.address)
    except AuthenticationError as refused:
        services.logins.labels("refused").inc()
        session.fail(error(refused.public_text, "AUTH"))
        return
    except MailsteadError as problem:
        session.fail(_system(problem))
        return
    try:
        await _open(session, account)
    finally:
        account.key.close()


async def _open(session: "Session", account: Account) -> None:
    services = session.services
    lock = MaildropLock(services.bus, account.mailbox_id, session.peer.connection, services.settings.pop3.lease)
    try:
        await session.peer.hold_account(account.address)
        if not await lock.acquire():
            services.logins.labels("in_use").inc()
            session.fail(error("Another session has this mailbox", "IN-USE"))
            return
    except MailsteadError as problem:
        session.fail(_system(problem))
        return
    try:
        maildrop = await Maildrop.open(services.mailboxes, account)
    except MailsteadError as problem:
        await lock.release()
        session.fail(_system(problem))
        return
    services.logins.labels("accepted").inc()
    session.enter(account.address, maildrop, lock)
    session.write(ok(f"{maildrop.count} messages ({maildrop.size} octets)"))


def _system(problem: MailsteadError) -> bytes:
    """A failure that is not the credentials' (RFC 3206 §4)."""
    return error(problem.public_text, "SYS/TEMP" if problem.temporary else "SYS/PERM")


async def stls(session: "Session", _: list[str]) -> None:
    """STLS: what was said before is forgotten, what was sent already ends the session."""
    if not session.may_start_tls:
        session.fail(error("Command not permitted"))
        return
    session.start_tls()


async def utf8(session: "Session", _: list[str]) -> None:
    """UTF8 (RFC 6856 §2.1)."""
    session.utf8 = True
    session.write(ok("UTF8 enabled"))
