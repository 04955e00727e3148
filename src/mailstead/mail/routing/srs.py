"""Return paths of forwarded mail: the Sender Rewriting Scheme.

    SRS0=HASH=TT=DOMAIN=LOCAL@us      of LOCAL@DOMAIN
    SRS1=HASH=FIRST==REST@us          of SRS0=REST@FIRST, and of SRS1=...=FIRST==REST at any other forwarder

A receiver checks SPF for the return path, so what is forwarded gets one at a domain of ours; a bounce to it comes back
here, is verified, and goes on to the sender. TT is the day, modulo 1024, in two digits of base 32. HASH is 40 bits of an
HMAC in base 32; letters count as one in both cases, for mail systems that change them. The key is derived from the
server's secret and from the month of TT, so it rotates by itself, and old addresses can be verified until they expire.
An SRS1 address has no day of ours: it is verified under the keys of the months within the lifetime.
"""

import base64
import hmac
import re

from mailstead.foundation.clock import Clock
from mailstead.foundation.crypto.derive import derive_key, keyed_hash
from mailstead.foundation.errors import PermanentError

_DAY = 86400
_MONTH = 32  # days
_DAYS = 1024
_HASH_LENGTH = 8
_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"
_PATH_LIMIT = 254  # RFC 5321 §4.5.3.1.3, without the brackets
_SRS = re.compile(r"srs([01])([=+-])(.*)", re.IGNORECASE | re.DOTALL)
_DOT_STRING = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+)*"
)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)


class ForgedReturnPathError(PermanentError):
    """The address is none that was made here."""

    smtp_code = 550
    enhanced_code = "5.7.1"
    public_text = "Not a return path of this server"


class ExpiredReturnPathError(PermanentError):
    """The address was made here too long ago."""

    smtp_code = 550
    enhanced_code = "5.1.1"
    public_text = "The return path has expired"


class UnforwardableSenderError(PermanentError):
    """The sender has no form that would fit into a return path."""

    public_text = "The sender's address is too long to be rewritten"


def is_srs(address: str) -> bool:
    """Whether an address has the form of a rewritten return path, ours or another's."""
    return _SRS.match(address.removeprefix('"')) is not None


def _unquoted(local: str) -> str:
    return _QUOTED_PAIR.sub(r"\1", local[1:-1]) if len(local) > 1 and local[0] == local[-1] == '"' else local


def _quoted(local: str) -> str:
    if _DOT_STRING.fullmatch(local):
        return local
    return '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'


class Srs:
    """Makes and reads return paths."""

    def __init__(self, secret: bytes, lifetime: float, clock: Clock) -> None:
        """`secret` is the server's; addresses are good for `lifetime` seconds, at most 31 months."""
        self._secret = derive_key(secret, "srs")
        self._lifetime = min(int(lifetime // _DAY), _DAYS - _MONTH)
        self._clock = clock

    def forward(self, sender: str, domain: str) -> str:
        """The return path at `domain` (one of ours) for mail of `sender` that is forwarded.

        Raises UnforwardableSenderError.
        """
        local, at, origin = sender.rpartition("@")
        local = _unquoted(local)
        if not at or not local or not origin:
            raise UnforwardableSenderError(detail=sender)
        known = _SRS.match(local)
        today = self._today()
        if known is None:
            stamp = _DIGITS[today % _DAYS >> 5] + _DIGITS[today % 32]
            said = f"{stamp}={origin}={local}"
            made = f"SRS0={self._hash(said, today // _MONTH)}={said}"
        else:
            # of SRS1 the first forwarder and what it wrote is kept, whoever forwarded between
            said = f"{origin}={known[2]}{known[3]}"
            if known[1] == "1":
                _, _, said = known[3].partition("=")
                if "=" not in said:
                    said = f"{origin}={known[2]}{known[3]}"
            made = f"SRS1={self._hash(said, today // _MONTH)}={said}"
        path = f"{_quoted(made)}@{domain}"
        if len(path.encode()) > _PATH_LIMIT:
            raise UnforwardableSenderError(detail=sender)
        return path

    def reverse(self, address: str) -> str:
        """The address that a return path of ours stands for. Raises ForgedReturnPathError, ExpiredReturnPathError."""
        known = _SRS.match(_unquoted(address.rpartition("@")[0]))
        if known is None:
            raise ForgedReturnPathError
        given, _, said = known[3].partition("=")
        return self._first(given, said) if known[1] == "0" else self._other(given, said)

    def _first(self, given: str, said: str) -> str:
        stamp, _, rest = said.partition("=")
        origin, separator, local = rest.partition("=")
        stamp = stamp.lower()
        if len(stamp) != 2 or not set(stamp) <= set(_DIGITS) or not separator or not origin or not local:
            raise ForgedReturnPathError
        age = (self._today() - (_DIGITS.index(stamp[0]) << 5 | _DIGITS.index(stamp[1]))) % _DAYS
        if not self._is_hash(given, said, (self._today() - age) // _MONTH):
            raise ForgedReturnPathError
        if age > self._lifetime:
            raise ExpiredReturnPathError
        return f"{_quoted(local)}@{origin}"

    def _other(self, given: str, said: str) -> str:
        origin, separator, rest = said.partition("=")
        month = self._today() // _MONTH
        months = range(month, month - 2 - self._lifetime // _MONTH, -1)
        if not separator or not origin or not rest or not any(self._is_hash(given, said, one) for one in months):
            raise ForgedReturnPathError
        return f"{_quoted(f'SRS0{rest}')}@{origin}"

    def _today(self) -> int:
        return int(self._clock.now() // _DAY)

    def _is_hash(self, given: str, said: str, month: int) -> bool:
        return hmac.compare_digest(given.lower().encode(), self._hash(said, month).encode())

    def _hash(self, said: str, month: int) -> str:
        key = derive_key(self._secret, f"srs {month}")
        digest = keyed_hash(key, said.lower().encode("utf-8", "surrogateescape"))
        return base64.b32encode(digest)[:_HASH_LENGTH].decode().lower()
