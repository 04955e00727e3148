"""Options of `mailstead doctor`: whom it asks about this host."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, listing


class DoctorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The examination."""

    timeout: Annotated[float, duration("How long one check may take", least=0.1)] = 15.0
    blocklists: Annotated[tuple[str, ...], listing("DNS blocklists of addresses that are asked", each="domains")] = (
        "zen.spamhaus.org",
        "bl.spamcop.net",
        "b.barracudacentral.org",
        "psbl.surriel.com",
    )
    domain_blocklists: Annotated[
        tuple[str, ...], listing("DNS blocklists of domains that are asked", each="domains")
    ] = ("dbl.spamhaus.org",)
    time_servers: Annotated[
        tuple[str, ...], listing("NTP servers that the clock is compared with; empty: it is not", each="domains")
    ] = ("pool.ntp.org", "time.cloudflare.com")
    probed: Annotated[
        tuple[str, ...],
        listing("Domains whose mail servers show whether port 25 is open from here; empty: not tried", each="domains"),
    ] = ("gmail.com", "outlook.com", "yahoo.com")
