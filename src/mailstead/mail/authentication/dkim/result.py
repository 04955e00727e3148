"""What one signature came to."""

from typing import Literal

import msgspec

Outcome = Literal["pass", "fail", "policy", "neutral", "temperror", "permerror"]


class DkimResult(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 8601 §2.7.1. `reason` says in plain words why it is no pass, or what to know of one.

    `unsigned_octets` of the body follow those that were signed (`l=`): anyone may have added them. `is_testing`: the key
    says that its domain only tries DKIM. `signature` holds the beginning of `b=`, which tells signatures apart.
    """

    result: Outcome
    domain: str = ""
    selector: str = ""
    reason: str = ""
    identity: str = ""
    algorithm: str = ""
    signature: str = ""
    unsigned_octets: int = 0
    is_testing: bool = False

    @property
    def vouches(self) -> bool:
        """Whether the domain answers for the whole message."""
        return self.result == "pass" and not self.unsigned_octets
