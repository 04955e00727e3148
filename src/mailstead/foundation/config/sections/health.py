"""Limits of the metrics and health endpoint."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, size


class HealthSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Metrics and health."""

    request_timeout: Annotated[float, duration("How long a request may take to arrive", least=0.01)] = 10.0
    request_limit: Annotated[int, size("Largest request line with header", least=256)] = 8 * 1024
