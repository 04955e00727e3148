"""Mailbox names on the wire of IMAP4rev1: modified UTF-7 (RFC 3501 §5.1.3)."""

import base64
import binascii
import re

from mailstead.protocols.imap.parser import CommandError

_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")
_BEYOND = re.compile(r"[^\x20-\x7e]+")


def decode_name(text: str) -> str:
    """A name as a client wrote it. Raises CommandError."""

    def decoded(found: re.Match[str]) -> str:
        if not found[1]:
            return "&"
        padded = found[1].replace(",", "/") + "=" * (-len(found[1]) % 4)
        try:
            return base64.b64decode(padded).decode("utf-16-be")
        except (binascii.Error, UnicodeDecodeError):
            raise CommandError("Bad mailbox name") from None

    return _SHIFTED.sub(decoded, text)


def encode_name(name: str) -> str:
    """A name as a client reads it."""

    def encoded(found: re.Match[str]) -> str:
        text = base64.b64encode(found[0].encode("utf-16-be", "surrogatepass")).decode().rstrip("=")
        return f"&{text.replace('/', ',')}-"

    return _BEYOND.sub(encoded, name.replace("&", "&-"))
