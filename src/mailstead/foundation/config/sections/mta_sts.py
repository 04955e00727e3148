"""Options of MTA-STS: policies of others, and our own."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, number, size, switch, text


class MtaStsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """MTA-STS of other domains, and of ours."""

    enforce: Annotated[bool, switch("Look for other domains' policies and keep to them")] = True
    remote_port: Annotated[int, number("Port of others' policy hosts", least=1, most=65535)] = 443
    timeout: Annotated[float, duration("How long fetching a policy may take", least=1)] = 60.0
    size_limit: Annotated[int, size("Largest policy accepted", least=1024)] = 64 * 1024
    refresh: Annotated[float, duration("When a policy that is held is fetched anew", least=300)] = 86400.0
    failures_kept: Annotated[int, number("Failed fetches remembered for five minutes", least=1)] = 10_000
    publish: Annotated[
        Literal["off", "testing", "enforce"],
        text("Mode of the policy that is served for our domains (RFC 8461 §3.2); off: none"),
    ] = "testing"
    max_age: Annotated[float, duration("How long others keep our policy (RFC 8461 §3.2)", least=86400)] = 7 * 86400.0
