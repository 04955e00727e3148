"""What a run knows besides script and message."""

from collections.abc import Mapping

import msgspec

from mailstead.formats.sieve.program import Include, Program
from mailstead.mail.filtering.actions import AskListed


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """The delivery: envelope addresses, the owner's addresses, times in seconds since the epoch, offsets in minutes.

    `sender` is "" for notices. `recipient` is the envelope's address that led to the mailbox. `spam` is from 0 (surely
    good) to 1 (surely junk), None when nobody looked; `virus` as RFC 5235 §3.3 counts: 0 not looked at, 1 clean, 5 found.
    """

    sender: str
    recipient: str
    owner_addresses: frozenset[str]
    now: float
    zone_offset: int = 0
    hostname: str = "localhost"
    remote_host: str = ""
    remote_ip: str = ""
    version: str = ""
    spam: float | None = None
    virus: int = 0

    @property
    def items(self) -> Mapping[str, str]:
        """Items of the environment test (RFC 5183 §4.1)."""
        return {
            "domain": self.hostname.partition(".")[2] or self.hostname,
            "host": self.hostname,
            "location": "MDA",
            "name": "Mailstead",
            "phase": "during",
            "remote-host": self.remote_host,
            "remote-ip": self.remote_ip,
            "version": self.version,
        }


class Answers(msgspec.Struct, frozen=True):
    """Answers so far; `folders` (name -> special use) is None until asked for.

    `listed` has the member found, "" for none, None when one of the names is not that of a list; `members` has None for
    a list whose addresses cannot be told.
    """

    folders: Mapping[str, str] | None = None
    seen: Mapping[str, bool] = {}
    scripts: Mapping[Include, Program | None] = {}
    listed: Mapping[AskListed, str | None] = {}
    members: Mapping[str, tuple[str, ...] | None] = {}
