"""Tag lists (RFC 6376 §3.2), which DKIM, ARC, DMARC and the records of MTA-STS and TLSRPT are written in.

tag-list  = tag-spec *( ";" tag-spec ) [ ";" ]
tag-spec  = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
tag-name  = ALPHA *ALNUMPUNC
"""

import base64
import binascii
import re

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_SPACE = re.compile(r"[ \t\r\n]+")
TAGS_LIMIT = 100


class TagSyntaxError(Exception):
    """The text is no tag list; says why."""


def parse_tags(text: str) -> dict[str, str]:
    """Values by name in the order they are written, white space around them taken off.

    Raises TagSyntaxError: a name twice makes the whole list invalid (RFC 6376 §3.2).
    """
    tags: dict[str, str] = {}
    pieces = text.split(";", TAGS_LIMIT + 1)
    if len(pieces) > TAGS_LIMIT:
        raise TagSyntaxError("too many tags")
    if not pieces[-1].strip(" \t\r\n"):
        pieces.pop()
    for piece in pieces:
        name, equals, value = piece.partition("=")
        name = name.strip(" \t\r\n")
        if not equals or _NAME.fullmatch(name) is None:
            raise TagSyntaxError(f"{piece.strip()[:40]!r} is no tag")
        if name in tags:
            raise TagSyntaxError(f"{name}= twice")
        tags[name] = value.strip(" \t\r\n")
    return tags


def without_space(value: str) -> str:
    """`value` without folding and white space."""
    return _SPACE.sub("", value)


def base64_value(value: str) -> bytes:
    """What a base64 value with white space anywhere stands for. Raises TagSyntaxError."""
    try:
        return base64.b64decode(without_space(value), validate=True)
    except (binascii.Error, ValueError) as error:
        raise TagSyntaxError("not base64") from error


def colon_list(value: str) -> list[str]:
    """The items of a list with colons, white space around them taken off."""
    return [item.strip(" \t\r\n") for item in value.split(":")]
