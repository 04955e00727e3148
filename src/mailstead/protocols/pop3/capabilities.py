"""CAPA (RFC 2449 §5) and LANG (RFC 6856 §3)."""

from typing import TYPE_CHECKING

from mailstead.protocols.pop3.responses import END, error, ok

if TYPE_CHECKING:
    from mailstead.protocols.pop3.session import Session

_LANGUAGE, _LANGUAGE_NAME = "en", "English"


def capabilities(session: "Session") -> list[str]:
    """What can be used in the session's present state."""
    found = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER", "UTF8 USER", "LANG"]
    if session.may_log_in:
        found += ["USER", "SASL PLAIN"]
    if session.may_start_tls:
        found.append("STLS")
    found.append("IMPLEMENTATION Mailstead")
    return found


async def capa(session: "Session", _: list[str]) -> None:
    """CAPA."""
    lines = [ok("Capability list follows"), *(f"{line}\r\n".encode() for line in capabilities(session)), END]
    session.write(b"".join(lines))


async def lang(session: "Session", arguments: list[str]) -> None:
    """LANG [range]: texts are in English only."""
    if not arguments:
        session.write(ok("Language listing follows:") + f"{_LANGUAGE} {_LANGUAGE_NAME}\r\n".encode() + END)
    elif arguments[0] == "*" or arguments[0].lower().split("-")[0] == _LANGUAGE:
        session.write(ok(f"{_LANGUAGE} Language is {_LANGUAGE_NAME}"))
    else:
        session.fail(error("No such language"))
