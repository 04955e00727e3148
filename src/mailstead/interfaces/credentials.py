"""Where credentials may be taken, and how they are written in a header."""

import base64
import binascii
from ipaddress import ip_address

from mailstead.foundation.errors import AuthenticationError, PermissionDeniedError


class InsecureError(PermissionDeniedError):
    """Credentials came in the clear."""

    public_text = "Credentials are taken over HTTPS only"


def may_be_taken(scheme: str, peer: str, *, insecure_auth: bool) -> bool:
    """Whether credentials may be taken: under TLS, from this host, or where a setting for tests allows it."""
    if scheme in ("https", "wss"):
        return True
    try:
        return ip_address(peer).is_loopback or insecure_auth
    except ValueError:
        return True  # a unix socket


def basic_credentials(rest: str) -> tuple[str, str]:
    """User and password of Basic (RFC 7617 §2). Raises AuthenticationError."""
    try:
        user, colon, password = base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise AuthenticationError from None
    if not colon:
        raise AuthenticationError
    return user, password
