"""Identifiers that sort by time of creation (ULID: 48 bits of milliseconds, 80 random bits, Crockford's base 32)."""

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(a + b for a in _ALPHABET for b in _ALPHABET)


def new_ulid(now: float | None = None) -> str:
    """A new identifier of 26 lower-case characters.

    `now` is the time in seconds since the Unix epoch; the system's time when left out.
    """
    milliseconds = int((time.time() if now is None else now) * 1000)
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])
