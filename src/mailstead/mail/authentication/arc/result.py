"""What a message's chain came to."""

from typing import Literal

import msgspec


class ArcResult(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 8617 §4.4. `instances` is the number of sets, `sealers` their domains from the first to the newest.

    `oldest_pass` is the lowest instance whose message signature still holds, 0 when all do. `first_results` is the value
    of the first set's results. Errors of DNS make a chain fail for good (RFC 8617 §5.2.1).
    """

    result: Literal["none", "pass", "fail"]
    instances: int = 0
    reason: str = ""
    sealers: tuple[str, ...] = ()
    oldest_pass: int = 0
    first_results: bytes = b""


NO_CHAIN = ArcResult(result="none")
