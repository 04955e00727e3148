"""What can go wrong with the other server."""

import re

from mailstead.foundation.errors import PermanentError

_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")
_TEXT_LIMIT = 200


class MigrationError(PermanentError):
    """The other server cannot be reached, refused, or sent what is no IMAP."""

    public_text = "The other server cannot be read"


class RefusedError(MigrationError):
    """The other server answered NO or BAD; the session can go on."""


def plain(octets: bytes) -> str:
    """What the server said, fit for a terminal."""
    return _UNPRINTABLE.sub("?", octets[:_TEXT_LIMIT].decode("ascii", "replace"))
