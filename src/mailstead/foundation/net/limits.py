"""How many connections an address and an account may have."""

import ipaddress
from collections import defaultdict

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.net.connection import UNIX
from mailstead.foundation.net.errors import ConnectionLimitError

_WINDOW = 60.0
_WINDOWS_LIMIT = 100_000
_IPV6_PREFIX = 64


def address_group(address: str) -> str:
    """The unit that limits count: an IPv4 address, an IPv6 /64; other names (unix) as they are."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(parsed) >> _IPV6_PREFIX << _IPV6_PREFIX, _IPV6_PREFIX)))
    return str(parsed)


class Networks:
    """A set of networks."""

    def __init__(self, texts: tuple[str, ...]) -> None:
        self._networks = tuple(ipaddress.ip_network(text, strict=False) for text in texts)

    def __contains__(self, address: str) -> bool:
        if not self._networks:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._networks)


class ConnectionLimits:
    """Counts what one service has open; memory is bounded by the connections and one window of addresses."""

    def __init__(self, settings: NetworkSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._exempt = Networks(settings.exempt)
        self._total = 0
        self._addresses: defaultdict[str, int] = defaultdict(int)
        self._accounts: defaultdict[str, int] = defaultdict(int)
        self._windows: dict[str, list[float]] = {}

    def admit(self, address: str) -> None:
        """Count a new connection. Raises ConnectionLimitError, and then nothing was counted but its attempt.

        A unix socket's peers count in the total only.
        """
        if self._total >= self._settings.connections:
            raise ConnectionLimitError("Too many connections")
        group = address_group(address)
        if address != UNIX.address and address not in self._exempt:
            if self._addresses.get(group, 0) >= self._settings.connections_per_address:
                raise ConnectionLimitError("Too many connections from your address")
            self._count_rate(group)
        self._addresses[group] += 1
        self._total += 1

    def _count_rate(self, group: str) -> None:
        now = self._clock.monotonic()
        self._forget_windows(now)
        window = self._windows.get(group)
        if window is None:
            self._windows[group] = window = [now, 0]
        window[1] += 1
        if window[1] > self._settings.connection_rate:
            raise ConnectionLimitError("Too many new connections from your address")

    def _forget_windows(self, now: float) -> None:
        """Windows stand in the order they began, so the ones that are over stand first."""
        while self._windows:
            group, (began, _) = next(iter(self._windows.items()))
            if now - began < _WINDOW and len(self._windows) < _WINDOWS_LIMIT:
                return
            del self._windows[group]

    def hold(self, account: str) -> None:
        """Count a connection for `account`. Raises ConnectionLimitError."""
        if self._accounts.get(account, 0) >= self._settings.connections_per_account:
            raise ConnectionLimitError("Too many connections of this account")
        self._accounts[account] += 1

    def release(self, address: str, account: str) -> None:
        """The connection from `address`, held for `account` (empty: none), is gone."""
        self._total -= 1
        _less(self._addresses, address_group(address))
        if account:
            _less(self._accounts, account)


def _less(counts: defaultdict[str, int], key: str) -> None:
    counts[key] -= 1
    if counts[key] <= 0:
        del counts[key]
