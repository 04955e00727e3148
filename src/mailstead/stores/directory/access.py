"""Lists of who may and who may not send here: of the server, and of each domain."""

import ipaddress
from collections.abc import Iterable
from typing import Literal

import msgspec

from mailstead.foundation.dns.names import InvalidNameError, ascii_name
from mailstead.foundation.errors import InvalidError
from mailstead.stores.directory.names import split_address

AccessKind = Literal["address", "domain", "network"]
AccessVerdict = Literal["allow", "deny"]
_RANK: dict[AccessKind, int] = {"address": 1000, "domain": 500, "network": 0}


class AccessEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry. `scope` is a domain of ours, "" for the server; a domain's entries come before the server's.

    `value` is an address, a domain with those below it, or a network, as `kind` says.
    """

    id: str
    scope: str
    verdict: AccessVerdict
    kind: AccessKind
    value: str
    note: str = ""
    created_at: float = 0.0
    created_by: str = ""
    version: int = 0


def access_value(text: str) -> tuple[AccessKind, str]:
    """Kind and compared form of what a person wrote: `192.0.2.0/24`, `ann@example.com`, `example.com`, `@example.com`.

    Raises InvalidError.
    """
    text = text.strip().lower()
    try:
        return "network", str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        pass
    if "@" in text.lstrip("@"):
        local, domain = split_address(text)
        return "address", f"{local}@{domain}"
    name = text.removeprefix("@").removeprefix("*").removeprefix(".")
    try:
        found = ascii_name(name)
    except InvalidNameError as error:
        raise InvalidError(f"{text[:100]}: neither an address, a domain, nor a network") from error
    if "." not in found:
        raise InvalidError(f"{text[:100]}: neither an address, a domain, nor a network")
    return "domain", found


class AccessIndex:
    """Entries of one scope, to be asked often. Of entries that match, the narrowest decides; of two alike, deny."""

    def __init__(self, entries: Iterable[AccessEntry]) -> None:
        self._exact: dict[tuple[AccessKind, str], AccessEntry] = {}
        self._networks: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, AccessEntry]] = []
        for entry in entries:
            if entry.kind == "network":
                self._networks.append((ipaddress.ip_network(entry.value), entry))
                continue
            known = self._exact.get((entry.kind, entry.value))
            if known is None or entry.verdict == "deny":
                self._exact[entry.kind, entry.value] = entry

    def __bool__(self) -> bool:
        return bool(self._exact or self._networks)

    def of_sender(self, sender: str) -> AccessEntry | None:
        """The entry about a mail address."""
        sender = sender.lower()
        return self._exact.get(("address", sender)) or self.of_host(sender.rpartition("@")[2])

    def of_host(self, name: str) -> AccessEntry | None:
        """The entry about a host name or domain, or the nearest domain above it."""
        if not self._exact:
            return None
        name = name.lower().removesuffix(".")
        while name:
            found = self._exact.get(("domain", name))
            if found is not None:
                return found
            name = name.partition(".")[2]
        return None

    def of_client(self, address: str) -> AccessEntry | None:
        """The entry about a client's address."""
        if not self._networks:
            return None
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return None
        found = [
            (network.prefixlen, entry.verdict == "deny", entry)
            for network, entry in self._networks
            if parsed in network
        ]
        return max(found, key=lambda one: one[:2])[2] if found else None


def narrowest(entries: Iterable[AccessEntry | None]) -> AccessEntry | None:
    """The entry that decides: addresses before domains before networks, long before short, deny before allow."""
    present = [entry for entry in entries if entry is not None]
    return max(present, key=_narrowness) if present else None


def _narrowness(entry: AccessEntry) -> tuple[int, bool]:
    extent = int(entry.value.rpartition("/")[2]) if entry.kind == "network" else entry.value.count(".")
    return _RANK[entry.kind] + extent, entry.verdict == "deny"
