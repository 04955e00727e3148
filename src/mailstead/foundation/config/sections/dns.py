"""Options of the DNS resolver."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, switch


class DnsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """DNS."""

    timeout: Annotated[float, duration("How long one server may take to answer")] = 3.0
    attempts: Annotated[int, number("How often the list of servers is gone through", least=1)] = 2
    cache_entries: Annotated[int, number("Answers kept", least=1)] = 50_000
    cache_most: Annotated[float, duration("Longest time an answer is kept")] = 86400.0
    cache_negative_most: Annotated[float, duration("Longest time an answer that says no is kept")] = 900.0
    trusted: Annotated[bool, switch("The servers validate DNSSEC and the way to them is safe")] = False
