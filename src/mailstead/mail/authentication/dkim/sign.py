"""Signing with every key of a domain (RFC 6376 §5, RFC 8301, RFC 8463), no length limit."""

import base64
import hashlib
from collections.abc import Iterable, Sequence

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mailstead.foundation.crypto.dkim_keys import Algorithm, PrivateKey
from mailstead.mail.authentication.dkim.canonical import Canonicalization, relaxed_field
from mailstead.mail.authentication.dkim.hashing import BodyForm, HeaderForms, hash_body
from mailstead.mail.authentication.message import CheckedMessage

# What a signature covers; From once more than it stands there, so that another cannot be added (RFC 6376 §8.15)
SIGNED_FIELDS = (
    b"from", b"from", b"sender", b"reply-to", b"to", b"cc", b"subject", b"date", b"message-id", b"in-reply-to",
    b"references", b"mime-version", b"content-type", b"content-transfer-encoding", b"content-disposition",
    b"list-id", b"list-unsubscribe", b"list-unsubscribe-post", b"tls-required",
    b"tls-report-domain", b"tls-report-submitter",
)  # fmt: skip
_FOLD = 72


class SigningKey(msgspec.Struct, frozen=True):
    """A loaded key."""

    domain: str
    selector: str
    algorithm: Algorithm
    key: PrivateKey

    def sign(self, signed: bytes) -> bytes:
        """The signature over `signed`, by SHA-256."""
        if isinstance(self.key, Ed25519PrivateKey):
            return self.key.sign(hashlib.sha256(signed).digest())  # RFC 8463 §3
        return self.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())


class Coverage(msgspec.Struct, frozen=True):
    """What signatures of one message have in common: the fields they cover, and the body's hash."""

    names: tuple[bytes, ...]
    covered: bytes
    body_hash: str
    header_form: Canonicalization
    body_form: Canonicalization


def sign(
    header: bytes,
    body: Iterable[bytes],
    keys: Sequence[SigningKey],
    now: int,
    *,
    header_form: Canonicalization = "relaxed",
    body_form: Canonicalization = "relaxed",
) -> bytes:
    """DKIM-Signature fields, one per key, to be put in front of `header`. Takes about 0.5 ms per RSA key."""
    coverage = cover(CheckedMessage(header, lambda: body, 0), header_form, body_form)
    return b"".join(signed_field(b"DKIM-Signature", "v=1", key, coverage, now) for key in keys)


def cover(
    message: CheckedMessage,
    header_form: Canonicalization = "relaxed",
    body_form: Canonicalization = "relaxed",
    names: Sequence[bytes] = SIGNED_FIELDS,
) -> Coverage:
    """What a signature over `message` covers: of `names` those that are there, the lowest field of each first."""
    present = {field.key for field in message.fields}
    names = tuple(name for name in names if name in present or name == b"from")
    form = BodyForm(body_form, None)
    digest = hash_body(message, (form,))[form].digest
    covered = HeaderForms(message.fields).covered(names, header_form, -1)
    return Coverage(names, covered, base64.b64encode(digest).decode(), header_form, body_form)


def signed_field(name: bytes, first: str, key: SigningKey, coverage: Coverage, now: int) -> bytes:
    """The field `name` that signs `coverage` with `key`; `first` is its first tag. With its line break."""
    tags = [
        f"{first}; a={key.algorithm}; c={coverage.header_form}/{coverage.body_form}; d={key.domain}; s={key.selector};",
        f"t={now}; bh={coverage.body_hash};",
        *_folded(f"h={b':'.join(coverage.names).decode()};"),
        "b=",
    ]
    value = (" " + "\r\n\t".join(tags)).encode()
    own = name + b":" + value if coverage.header_form == "simple" else relaxed_field(name, value)
    return name + b":" + value + folded_base64(key.sign(coverage.covered + own)) + b"\r\n"


def folded_base64(data: bytes) -> bytes:
    """Base64 in lines of a field."""
    encoded = base64.b64encode(data)
    return b"\r\n\t".join(encoded[start : start + _FOLD] for start in range(0, len(encoded), _FOLD))


def _folded(text: str) -> list[str]:
    lines, current = [], ""
    for piece in text.split(":"):
        joined = f"{current}:{piece}" if current else piece
        if len(joined) > _FOLD and current:
            lines.append(current + ":")
            current = piece
        else:
            current = joined
    return [*lines, current]
