"""Options of checking who sent arriving mail."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, listing, switch, text


class AuthenticationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Authentication of arriving mail (SPF, DKIM, DMARC, ARC)."""

    check: Annotated[bool, switch("Check who sent arriving mail, and write the results into its header")] = True
    timeout: Annotated[
        float,
        duration("How long checks of one message may take; what is not known by then is a temporary error", least=1),
    ] = 25.0
    spf_timeout: Annotated[float, duration("How long an evaluation of SPF may take", least=1)] = 20.0
    identifier: Annotated[str, text("Name in Authentication-Results; empty: the host name")] = ""
    on_reject: Annotated[
        Literal["refuse", "junk", "deliver"],
        text("Mail that fails DMARC where its domain asks for rejection: refuse it, put it into Junk, or deliver it"),
    ] = "refuse"
    on_quarantine: Annotated[
        Literal["junk", "deliver"],
        text("Mail that fails DMARC where its domain asks for quarantine: put it into Junk, or deliver it"),
    ] = "junk"
    bimi: Annotated[
        bool,
        switch("Look up the brand indicator (BIMI) of authors who pass DMARC, and write BIMI-Location for programs"),
    ] = False
    arc_trusted: Annotated[
        tuple[str, ...], listing("Domains of forwarders whose ARC seals may override a failed DMARC", each="domains")
    ] = ()
