"""Responses (RFC 5804 §1.3, §4).

response = ("OK" / "NO" / "BYE") [SP "(" resp-code ")"] [SP string] CRLF
"""

import re

from mailstead.foundation.errors import AlreadyExistsError, MailsteadError, NotFoundError
from mailstead.stores.scripts.scripts import ActiveScriptError, ScriptQuotaError

_QUOTED_LIMIT = 1000
_UNQUOTABLE = re.compile(rb"[\r\n\x00]")


def string(octets: bytes) -> bytes:
    """Octets as a quoted string when that can hold them, else as a literal."""
    if len(octets) <= _QUOTED_LIMIT and not _UNQUOTABLE.search(octets):
        return b'"' + octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    return b"{%d}\r\n%s" % (len(octets), octets)


def response(kind: str, text: str = "", code: str = "") -> bytes:
    """A response line; `text` may come from a peer and may hold anything."""
    shown = kind.encode()
    if code:
        shown += f" ({code})".encode()
    if text:
        shown += b" " + string(text.encode("utf-8", "replace"))
    return shown + b"\r\n"


def ok(text: str = "", code: str = "") -> bytes:
    """It was done."""
    return response("OK", text, code)


def no(text: str, code: str = "") -> bytes:
    """It was not."""
    return response("NO", text, code)


def bye(text: str, code: str = "") -> bytes:
    """The end, by the server."""
    return response("BYE", text, code)


def refusal(error: MailsteadError) -> bytes:
    """NO with the code that the error has in this protocol."""
    match error:
        case ScriptQuotaError(largest=True):
            code = "QUOTA/MAXSIZE"
        case ScriptQuotaError():
            code = "QUOTA/MAXSCRIPTS"
        case ActiveScriptError():
            code = "ACTIVE"
        case NotFoundError():
            code = "NONEXISTENT"
        case AlreadyExistsError():
            code = "ALREADYEXISTS"
        case _:
            code = "TRYLATER" if error.temporary else ""
    return no(error.public_text, code)
