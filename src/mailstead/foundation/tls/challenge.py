"""What an ACME authority wants to see (RFC 8555 §8)."""

from typing import Literal

import msgspec


class Challenge(msgspec.Struct, frozen=True):
    """What the authority looks for: under http-01 `text` at the URL with `token`, under dns-01 a TXT record of `name`."""

    kind: Literal["http-01", "dns-01"]
    name: str
    token: str
    text: str

    @property
    def record(self) -> str:
        """The name of the TXT record (RFC 8555 §8.4)."""
        return f"_acme-challenge.{self.name}"
