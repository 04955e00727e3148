"""Mailbox names in modified UTF-7 (RFC 3501 §5.1.3), as IMAP and Maildir++ write them."""

import base64
import binascii
import re

_SHIFTED = re.compile(r"&(?:([A-Za-z0-9+,]*)-)?")
_BEYOND = re.compile(r"[^\x20-\x7e]+")


def decode_utf7(text: str) -> str:
    """The name. Raises ValueError."""

    def decoded(found: re.Match[str]) -> str:
        if found[1] is None:
            raise ValueError(f"not modified UTF-7: {text!r}")
        if not found[1]:
            return "&"
        padded = found[1].replace(",", "/") + "=" * (-len(found[1]) % 4)
        try:
            return base64.b64decode(padded).decode("utf-16-be")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError(f"not modified UTF-7: {text!r}") from error

    return _SHIFTED.sub(decoded, text)


def encode_utf7(name: str) -> str:
    """The name in modified UTF-7."""

    def encoded(found: re.Match[str]) -> str:
        text = base64.b64encode(found[0].encode("utf-16-be", "surrogatepass")).decode().rstrip("=")
        return f"&{text.replace('/', ',')}-"

    return _BEYOND.sub(encoded, name.replace("&", "&-"))
