"""How a delivery is signed, and how a receiver checks it.

webhook-id: the same for every attempt of one delivery. webhook-timestamp: seconds of this attempt.
webhook-signature: "v1," and base64 of HMAC-SHA256 over `id.timestamp.body` with the domain's key (the scheme of
standardwebhooks.com, with the key's text as the HMAC key). X-Webhook-Signature: hexadecimal HMAC-SHA256 over the body
alone, as receivers written for Forward Email expect it; it protects against no replay, so new receivers use the other.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence

TOLERANCE = 300.0
"""Seconds that a timestamp may be off before a delivery counts as replayed."""


class SignatureError(ValueError):
    """The delivery was not signed with the key, or is too old."""


def _signed(key: bytes, identifier: str, timestamp: str, body: Sequence[bytes]) -> str:
    made = hmac.new(key, f"{identifier}.{timestamp}.".encode(), hashlib.sha256)
    for piece in body:
        made.update(piece)
    return base64.b64encode(made.digest()).decode()


def signature_headers(key: bytes, body: Sequence[bytes], *, identifier: str, now: float) -> dict[str, str]:
    """The fields that sign `body` (in pieces) at `now`."""
    plain = hmac.new(key, digestmod=hashlib.sha256)
    for piece in body:
        plain.update(piece)
    timestamp = str(int(now))
    return {
        "webhook-id": identifier,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{_signed(key, identifier, timestamp, body)}",
        "X-Webhook-Signature": plain.hexdigest(),
    }


def verify_signature(headers: Mapping[str, str], body: bytes, key: bytes, now: float) -> str:
    """The delivery's id, when it was signed with `key` less than TOLERANCE ago; a receiver takes each id once.

    `headers` by names in lower case. Raises SignatureError.
    """
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not identifier or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise SignatureError("no id or timestamp")
    if abs(now - int(timestamp)) > TOLERANCE:
        raise SignatureError("the timestamp is too far from now")
    wanted = f"v1,{_signed(key, identifier, timestamp, [body])}".encode()
    given = headers.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(wanted, one.encode("utf-8", "replace")) for one in given):
        raise SignatureError("the signature does not hold")
    return identifier
