"""A whole message, encrypted: its content fields and its body go inside, everything else stays where it was."""

import re

from mailstead.formats.message.header import first_values, header_end, iter_field_ranges
from mailstead.formats.message.parameters import parse_parameters
from mailstead.mail.encryption.errors import UnusableKeyError
from mailstead.mail.encryption.key import ENCRYPT
from mailstead.stores.directory.records import Encryption

_INLINE = re.compile(rb"\A\s*-----BEGIN PGP MESSAGE-----\s*$", re.MULTILINE)
_INLINE_ROOM = 1024


def is_encrypted(raw: bytes) -> bool:
    """Whether a message's content is encrypted already: PGP/MIME, S/MIME, or OpenPGP in its text."""
    end = header_end(raw, 0, len(raw))
    kind, parameters = parse_parameters(first_values(raw[:end], end).get(b"content-type", b""))
    if kind == b"multipart/encrypted":
        return True
    if kind in (b"application/pkcs7-mime", b"application/x-pkcs7-mime"):
        purpose = next((value.lower() for name, value in parameters if name == b"smime-type"), b"enveloped-data")
        return purpose in (b"enveloped-data", b"authenveloped-data")
    return kind in (b"", b"text/plain", b"text") and _INLINE.search(raw[end : end + _INLINE_ROOM]) is not None


def encrypt_message(raw: bytes, encryption: Encryption, now: float) -> bytes | None:
    """The message with its content encrypted; None when it is encrypted already.

    Takes time and memory linear in the message: call it on a thread. Raises UnusableKeyError.
    """
    if is_encrypted(raw):
        return None
    if encryption.expires_at is not None and encryption.expires_at <= now:
        raise UnusableKeyError("The key has expired")
    end = header_end(raw, 0, len(raw))
    outside, inside = [], []
    for name, begin, stop in iter_field_ranges(raw[:end]):
        key = name.lower()
        field = raw[begin:stop]
        if key.startswith(b"content-"):
            inside.append(field)
        elif key != b"mime-version":
            outside.append(field)
    entity = b"".join([*inside, b"\r\n", raw[end:]])
    fields, body = ENCRYPT[encryption.kind](entity, encryption.key)
    return b"".join([*outside, b"MIME-Version: 1.0\r\n", fields, b"\r\n", body])
