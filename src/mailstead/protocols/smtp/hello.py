"""EHLO, HELO, LHLO and STARTTLS: who is there, what is offered, and protection."""

from typing import TYPE_CHECKING

from mailstead.protocols.smtp.commands import CommandSyntaxError, parse_hello
from mailstead.protocols.smtp.reply import reply

if TYPE_CHECKING:
    from mailstead.protocols.smtp.session import Session

_TLS_RUNS = reply(503, "5.5.1", "TLS runs already")
_NO_TLS = reply(454, "4.7.0", "TLS is not available")


async def ehlo(session: "Session", argument: str) -> None:
    """EHLO, or LHLO over LMTP: the extensions (RFC 5321 §4.1.1.1, RFC 2033 §4.1)."""
    _enter(session, parse_hello(argument), extended=True)
    session.send(reply(250, "", f"{session.services.hostname} greets {session.hello}", *extensions(session)))


async def helo(session: "Session", argument: str) -> None:
    """HELO."""
    _enter(session, parse_hello(argument), extended=False)
    session.send(reply(250, "", session.services.hostname))


def _enter(session: "Session", name: str, *, extended: bool) -> None:
    session.hello = name
    session.is_extended = extended
    session.reset("READY")


def extensions(session: "Session") -> list[str]:
    """What is offered in the session's present state, with the limits a client can keep to (RFC 9422)."""
    settings = session.services.settings
    found = [
        "PIPELINING",
        f"SIZE {settings.message.size_limit}",
        "8BITMIME",
        "SMTPUTF8",
        "ENHANCEDSTATUSCODES",
        "DSN",
        "CHUNKING",
        f"LIMITS MAILMAX={settings.smtp.transactions_limit} RCPTMAX={settings.message.recipients_limit}",
    ]
    if "BINARYMIME" in session.role.bodies:
        found.append("BINARYMIME")
    found += session.role.extensions(session)
    if session.tls is not None:
        found.append("REQUIRETLS")  # never offered in the clear (RFC 8689 §2)
    if session.may_start_tls:
        found.append("STARTTLS")
    if session.may_log_in:
        found.append("AUTH PLAIN LOGIN")
    return [*found, "HELP"]


async def starttls(session: "Session", argument: str) -> None:
    """STARTTLS (RFC 3207 §4)."""
    if argument:
        raise CommandSyntaxError("STARTTLS takes no argument")
    if session.tls is not None:
        session.send(_TLS_RUNS)
    elif not session.may_start_tls:
        session.send(_NO_TLS)
    else:
        session.wants_tls = True
