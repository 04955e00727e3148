"""What a DNS query came to."""

from typing import Literal

import msgspec

from mailstead.foundation.errors import TemporaryError


class ResolutionError(TemporaryError):
    """No server gave an answer: a timeout, SERVFAIL, or garbage. Nothing is known about the name."""

    smtp_code = 451
    enhanced_code = "4.4.3"
    public_text = "DNS lookup failed for now"


class Answer(msgspec.Struct, frozen=True):
    """Records in presentation form (TXT: strings joined), the CNAME chain followed.

    `outcome`: found; nodata, the name exists without such records; nxdomain, no such name (RFC 2308 §2).
    `authenticated`: the server set AD (RFC 4035 §3.2.3) and Settings call the servers and the way to them trusted.
    `ttl`: seconds that the answer may still be used. `canonical`: the name at the chain's end, without the final dot.
    """

    outcome: Literal["found", "nodata", "nxdomain"]
    records: tuple[str, ...]
    ttl: float
    authenticated: bool
    canonical: str = ""

    def aged(self, ttl: float) -> "Answer":
        """The same answer with another time to live."""
        return Answer(self.outcome, self.records, ttl, self.authenticated, self.canonical)
