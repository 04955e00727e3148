"""How many live connections there are."""

from collections import Counter

from mailstead.foundation.errors import LimitExceededError


class TooManySocketsError(LimitExceededError):
    """The mailbox has as many live connections as it may."""

    public_text = "Too many live connections"


class Sockets:
    """How many live connections each mailbox has in this process."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    def enter(self, mailbox_id: str) -> None:
        """Raises TooManySocketsError."""
        if self._open[mailbox_id] >= self._most:
            raise TooManySocketsError
        self._open[mailbox_id] += 1

    def leave(self, mailbox_id: str) -> None:
        """The connection ended."""
        self._open[mailbox_id] -= 1
        if not self._open[mailbox_id]:
            del self._open[mailbox_id]
