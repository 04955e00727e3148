"""Options of the DNS resolver."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, secret_text, size, switch


class DnsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """DNS."""

    timeout: Annotated[float, duration("How long one server may take to answer")] = 3.0
    attempts: Annotated[int, number("How often the list of servers is gone through", least=1)] = 2
    cache_entries: Annotated[int, number("Answers kept", least=1)] = 50_000
    cache_size: Annotated[int, size("Room for answers kept", least=1024)] = 32 * 1024 * 1024
    cache_most: Annotated[float, duration("Longest time an answer is kept")] = 86400.0
    cache_least: Annotated[float, duration("Shortest time an answer is kept; 0: as its server says")] = 1.0
    cache_negative_most: Annotated[float, duration("Longest time an answer that says no is kept")] = 900.0
    cache_failure: Annotated[float, duration("How long a question that nobody answered is not asked again")] = 1.0
    trusted: Annotated[
        bool, switch("The servers validate DNSSEC and the way to them is safe: believe what they call authenticated")
    ] = False
    publish_url: Annotated[
        str,
        secret_text(
            "DNS provider that publishes records for domains and certificates; empty: none",
            pattern=r"^((cloudflare|digitalocean|route53|rfc2136)://\S+)?$",
            allowed="cloudflare://TOKEN@ or digitalocean://TOKEN@ or route53://KEY:SECRET@ or"
            " rfc2136://KEYNAME:SECRET@ADDRESS[:PORT]",
        ),
    ] = ""
    publish_timeout: Annotated[float, duration("How long a DNS provider may take for one answer", least=0.1)] = 20.0
    publish_ttl: Annotated[int, number("Seconds that others may keep what is published", least=30, most=86400)] = 3600
