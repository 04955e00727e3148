"""What a client's greeting says about it (RFC 5321 §4.1.1.1)."""

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Literal

from mailstead.mail.screening.reverse import Reverse

HelloOutcome = Literal["good", "ours", "bare", "literal", "address", "other"]


async def hello_outcome(
    hello: str, reverse: Reverse, hostname: str, is_local: Callable[[str], Awaitable[bool]]
) -> HelloOutcome:
    """What the name is: `ours`, which nobody else may say; the confirmed name (good); or what it looks like.

    bare: one word, no domain; literal: an address in brackets; address: one without, which is no greeting at all.
    """
    name = hello.lower().removesuffix(".")
    if name.startswith("["):
        inner = name[1:].removesuffix("]").removeprefix("ipv6:")
        return "literal" if inner != hostname else "ours"
    if name == hostname.lower() or await is_local(name):
        return "ours"
    try:
        ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        return "address"
    if "." not in name:
        return "bare"
    return "good" if reverse.outcome == "confirmed" and name == reverse.name else "other"
