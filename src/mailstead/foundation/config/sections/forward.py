"""Options of mail that aliases pass on."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, listing, number, switch, text


class ForwardSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Forwarding."""

    srs: Annotated[bool, switch("Forward with a return path of the alias's domain (SRS), so that SPF holds")] = True
    srs_lifetime: Annotated[float, duration("How long bounces to a rewritten return path are taken", least=86400)] = (
        21 * 86400.0
    )
    seal: Annotated[bool, switch("Seal forwarded mail with ARC (RFC 8617)")] = True
    rewrite_from: Annotated[
        Literal["needed", "never"],
        text("Put the alias into From where the author's DMARC policy would else refuse the forwarded copy, or never"),
    ] = "needed"
    keep_tag: Annotated[bool, switch("Pass the +tag of an address on to the addresses its alias forwards to")] = True
    depth_limit: Annotated[int, number("Aliases that one message is passed through here", least=1)] = 10
    targets_limit: Annotated[int, number("Addresses that one recipient leads to", least=1)] = 200
    private_networks: Annotated[
        tuple[str, ...],
        listing("Networks of hosts that aliases may forward to though they are not public", each="networks"),
    ] = ()
