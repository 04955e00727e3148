"""One rule."""

from collections.abc import Callable

import msgspec

from mailstead.mail.screening.case import Case


class Rule(msgspec.Struct, frozen=True):
    """`points` are given when it `holds`; `name` stands in X-Spam-Status, `words` in the trace."""

    name: str
    points: float
    words: str
    holds: Callable[[Case], bool]
