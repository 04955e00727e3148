"""mailto URIs of notify (RFC 5436 §2.2, RFC 6068).

mailto = "mailto:" [addr *("," addr)] ["?" name "=" value *("&" name "=" value)]
"""

from urllib.parse import unquote

import msgspec

from mailstead.formats.sieve.checks import is_address

_LIMIT = 2000
_RECIPIENTS = 10


class Mailto(msgspec.Struct, frozen=True):
    """What a URI says; other fields than these are passed over, for they could speak for the owner."""

    recipients: tuple[str, ...]
    subject: str
    body: str


def parse_mailto(method: str) -> Mailto | None:
    """The parts of a URI, None when it is no mailto with one to ten addresses."""
    scheme, colon, rest = method.partition(":")
    if not colon or scheme.lower() != "mailto" or len(method) > _LIMIT:
        return None
    path, _, query = rest.partition("?")
    recipients = [unquote(part).strip() for part in path.split(",") if part.strip()]
    fields: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        lowered = unquote(name).lower()
        if lowered == "to":
            recipients += [part.strip() for part in unquote(value).split(",") if part.strip()]
        else:
            fields.setdefault(lowered, unquote(value))
    if not 0 < len(recipients) <= _RECIPIENTS or not all(map(is_address, recipients)):
        return None
    return Mailto(tuple(dict.fromkeys(recipients)), fields.get("subject", ""), fields.get("body", ""))
