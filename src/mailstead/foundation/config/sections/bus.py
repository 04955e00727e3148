"""Options of the bus."""

from typing import Annotated, Literal

import msgspec

from mailstead.foundation.config.option import duration, number, size, text


class BusSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The bus."""

    on_loss: Annotated[
        Literal["open", "closed"],
        text("While the bus is lost: open (each process counts for itself) or closed (what needs it fails for now)"),
    ] = "open"
    timeout: Annotated[float, duration("How long one operation may take", least=0.01)] = 2.0
    probe_interval: Annotated[float, duration("Silence after which the connection is tried", least=0.1)] = 15.0
    takeover_wait: Annotated[float, duration("How long a call waits for a lost bus before on_loss decides")] = 0.5
    retry_interval: Annotated[float, duration("Longest pause between attempts to come back", least=0.01)] = 2.0
    entry_limit: Annotated[int, number("Counters, leases and values kept in memory", least=100)] = 200_000
    payload_limit: Annotated[int, size("Largest event or value", least=1024)] = 256 * 1024
    backlog_limit: Annotated[int, size("Bytes that wait for a slow process", least=64 * 1024)] = 8 * 1024**2
    namespace: Annotated[str, text("Start of every Redis key and channel", pattern="^[A-Za-z0-9_-]+$")] = "mailstead"
