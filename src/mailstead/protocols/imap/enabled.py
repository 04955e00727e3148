"""What a client has switched on for its session (RFC 5161, RFC 7162 §3.1)."""


class Enabled:
    """Switches that change what is sent; none is ever switched off again."""

    __slots__ = ("condstore", "qresync", "rev2", "uidonly", "utf8_accept")

    def __init__(self) -> None:
        self.condstore = self.qresync = self.rev2 = self.uidonly = self.utf8_accept = False

    @property
    def utf8(self) -> bool:
        """Whether mailbox names go in UTF-8 (RFC 9051 §5.1, RFC 6855 §3)."""
        return self.rev2 or self.utf8_accept
