"""Whether short work is done where it is asked for, on the event loop, or handed to a thread.

A hop to a thread costs more than most reads of a mailbox, but a slow disk must not hold up everybody: after a call that
took long the next ones go to threads for a while.
"""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_LONG = 0.010
_REST = 20


class Pace:
    """What calls of one kind took of late."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = 0

    def is_quick(self) -> bool:
        """Whether the next call may be made on the spot."""
        if self._rest:
            self._rest -= 1
            return False
        return True

    def timed(self, function: Callable[[], T]) -> T:
        """Call `function`, and remember when that took long."""
        begun = time.perf_counter()
        try:
            return function()
        finally:
            if time.perf_counter() - begun > _LONG:
                self._rest = _REST
