"""What a subscription of the bus got."""


class Heard:
    """Collects events and counts gaps."""

    def __init__(self) -> None:
        self.events: list[tuple[str, bytes]] = []
        self.gaps = 0

    def event(self, channel: str, payload: bytes) -> None:
        """One event."""
        self.events.append((channel, payload))

    def gap(self) -> None:
        """Events may have been lost."""
        self.gaps += 1
