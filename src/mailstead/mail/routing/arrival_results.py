"""What this installation found out about a message when it arrived, read back from the message's own header.

The mail exchanger puts our Authentication-Results above its Received field and takes away what strangers wrote in our
name; a session of ours that came later put its Received above that (LMTP), or never had such a field (submission). So a
field of ours counts only when nothing but trace fields of this host stands above it.
"""

import re

import msgspec

from mailstead.formats.message.header import header_end, iter_field_ranges
from mailstead.mail.authentication.dmarc.organization import aligned
from mailstead.mail.authentication.results.field import (
    AuthenticationResults,
    MethodResult,
    ResultsSyntaxError,
    parse_results,
)

_LMTP = re.compile(rb"\swith\s+(?:UTF8)?LMTP[SA]*\s", re.IGNORECASE)
_POLICY = re.compile(rb"\bdmarc\s*=\s*pass\s*\(p=(quarantine|reject)\b", re.IGNORECASE)
_ABOVE = (b"return-path", b"delivered-to")
_SETS = re.compile(rb"\barc\s*=\s*[a-z]+\s*\(i=([0-9]{1,2})\)", re.IGNORECASE)


class ArrivalResults(msgspec.Struct, frozen=True):
    """`value` is the field's, folded as it stands; `arc_sets` is how many sets of ARC it has, 0 without any."""

    value: bytes
    results: tuple[MethodResult, ...]
    arc_sets: int

    def result(self, method: str) -> str:
        """The first result of a method, "none" when it was not looked at."""
        return next((one.result for one in self.results if one.method == method), "none")

    @property
    def is_forged(self) -> bool:
        """Whether the return path may be somebody else's: a notice to it could reach one who never wrote (RFC 3834 §2).

        SPF proves the return path, whoever the author is: a list's, say, that DMARC fails for.
        """
        spf, dmarc = self.result("spf"), self.result("dmarc")
        return "pass" not in (spf, dmarc) and (dmarc == "fail" or spf in ("fail", "softfail"))

    @property
    def needs_other_author(self) -> bool:
        """Whether DMARC held by SPF alone, under a policy that refuses the copy whose return path is another."""
        if _POLICY.search(self.value) is None:
            return False
        author = next((one.property("header.from") for one in self.results if one.method == "dmarc"), "").lower()
        return not any(
            one.method == "dkim"
            and one.result == "pass"
            and aligned(one.property("header.d").lower(), author, strict=False)
            for one in self.results
        )


def arrival_results(start: bytes, identifier: str) -> ArrivalResults | None:
    """Our results in a message's header (`start` is its beginning); None when it did not come through our checks."""
    header = start[: header_end(start, 0, len(start))]
    for name, begin, end in iter_field_ranges(header):
        key = name.lower()
        value = header[begin:end].partition(b":")[2]
        if key == b"received":
            if _LMTP.search(value) is None:
                return None
        elif key == b"authentication-results":
            read = _read(value, identifier)
            if read is None:
                return None
            sets = _SETS.search(value)
            text = value.removesuffix(b"\n").removesuffix(b"\r").lstrip(b" \t")
            return ArrivalResults(text, read.results, int(sets[1]) if sets else 0)
        elif key not in _ABOVE and not key.startswith((b"x-", b"arc-")):
            return None
    return None


def _read(value: bytes, identifier: str) -> AuthenticationResults | None:
    try:
        read = parse_results(value)
    except ResultsSyntaxError:
        return None
    return read if read.identifier.lower() == identifier.lower() else None
