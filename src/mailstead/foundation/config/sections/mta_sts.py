"""Options of MTA-STS for outgoing mail."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, size, switch


class MtaStsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """MTA-STS of other domains."""

    enforce: Annotated[bool, switch("Look for other domains' policies and keep to them")] = True
    timeout: Annotated[float, duration("How long fetching a policy may take", least=1)] = 60.0
    size_limit: Annotated[int, size("Largest policy accepted", least=1024)] = 64 * 1024
    refresh: Annotated[float, duration("When a policy that is held is fetched anew", least=300)] = 86400.0
    failures_kept: Annotated[int, number("Failed fetches remembered for five minutes", least=1)] = 10_000
