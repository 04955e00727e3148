"""What an evaluation of SPF came to."""

from typing import Literal

import msgspec

Outcome = Literal["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"]


class SpfResult(msgspec.Struct, frozen=True):
    """RFC 7208 §2.6. `domain` was checked, of the sender or, with `identity` "helo", of the client's greeting.

    `explanation` is the domain's own words for a fail (a stranger's words: printable ASCII), None without any; `reason`
    says in ours what led to the result: the mechanism that matched, or the error.
    """

    result: Outcome
    domain: str
    identity: Literal["mailfrom", "helo"] = "mailfrom"
    explanation: str | None = None
    reason: str = ""
