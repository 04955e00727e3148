"""Options of the trace of messages."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number


class TraceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The trace of messages."""

    retention: Annotated[float, duration("How long the way of a message can be read", least=60.0)] = 30 * 86400.0
    flush_interval: Annotated[float, duration("Longest wait of an entry before it is written", least=0.01)] = 0.25
    batch_limit: Annotated[int, number("Entries written at once", least=1)] = 500
    buffer_limit: Annotated[int, number("Entries that wait; more are dropped and counted", least=10)] = 20_000
    keys_limit: Annotated[int, number("Addresses and ids by which one entry is found", least=1)] = 120
    text_limit: Annotated[int, number("Characters of one entry's text", least=100)] = 1000
