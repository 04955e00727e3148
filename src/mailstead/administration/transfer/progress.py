"""How far an import or export came, told by the thread that works to whoever watches; and how it is stopped."""

from typing import Literal

from mailstead.foundation.errors import TemporaryError

Reason = Literal["cancelled", "drained", "lost"]


class TransferStoppedError(TemporaryError):
    """The work was asked to stop; what was done is kept."""

    public_text = "Stopped"


class Progress:
    """Counted by one thread, read by another."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.done = 0
        self.reason: Reason | None = None

    def begun(self, total: int | None) -> "Progress":
        """Say how many there will be; what is returned is called as they are done."""
        self.total = total
        return self

    def __call__(self, count: int) -> None:
        """Count. Raises TransferStoppedError when the work is to stop."""
        self.done += count
        self.check()

    def stop(self, reason: Reason) -> None:
        """Let the next step be the last; the first reason stands."""
        self.reason = self.reason or reason

    def check(self) -> None:
        """Raises TransferStoppedError when the work is to stop."""
        if self.reason is not None:
            raise TransferStoppedError
