"""One-click List-Unsubscribe (RFC 8058): who presses the button is not written to by the domain any more.

    token = base64url( MAC (12 octets) sender's domain LF recipient )

The token says all there is to know, so that nothing is kept until somebody uses it; nobody makes one without the
server's secret. Each recipient has one of their own: only mail for one recipient alone can have it.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

import msgspec

from mailstead.formats.message.header import first_values
from mailstead.foundation.errors import NotFoundError

_MAC_SIZE = 12
_TOKEN_LIMIT = 1024
_BULK = (b"bulk", b"list")
PATH = "/unsubscribe/"


class Unsubscription(msgspec.Struct, frozen=True):
    """What a token stands for."""

    domain: str
    recipient: str


def unsubscribe_token(secret: bytes, wanted: Unsubscription) -> str:
    """The token of a domain and a recipient."""
    text = f"{wanted.domain}\n{wanted.recipient}".encode()
    mac = hmac.digest(secret, text, "sha256")[:_MAC_SIZE]
    return base64.urlsafe_b64encode(mac + text).decode("ascii").rstrip("=")


def read_unsubscribe_token(secret: bytes, token: str) -> Unsubscription:
    """What a token of ours stands for. Raises NotFoundError for any other text."""
    try:
        octets = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)) if len(token) <= _TOKEN_LIMIT else b""
    except (binascii.Error, ValueError):
        octets = b""
    mac, text = octets[:_MAC_SIZE], octets[_MAC_SIZE:]
    if not text or not hmac.compare_digest(mac, hmac.new(secret, text, hashlib.sha256).digest()[:_MAC_SIZE]):
        raise NotFoundError("This link is not one of ours")
    domain, _, recipient = text.decode().partition("\n")
    return Unsubscription(domain, recipient)


def unsubscribe_fields(secret: bytes, hostname: str, header: bytes, sender: str, recipients: Sequence[str]) -> bytes:
    """The two fields (RFC 8058 §3.1) for bulk mail that has none, b"" for all other mail."""
    values = first_values(header, len(header))
    if len(recipients) != 1 or b"list-unsubscribe" in values or values.get(b"precedence", b"").lower() not in _BULK:
        return b""
    wanted = Unsubscription(sender.rpartition("@")[2].lower(), recipients[0].lower())
    token = unsubscribe_token(secret, wanted)
    return (
        f"List-Unsubscribe: <https://{hostname}{PATH}{token}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    ).encode("ascii")
