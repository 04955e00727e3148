"""How many connections an address and an account may have."""

import ipaddress
from collections import OrderedDict, defaultdict

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.network import NetworkSettings
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
            return address == "unix"
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
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def admit(self, address: str) -> None:
        """Count a new connection. Raises ConnectionLimitError, and then nothing was counted."""
        if self._total >= self._settings.connections:
            raise ConnectionLimitError("Too many connections")
        if address not in self._exempt:
            group = address_group(address)
            if self._addresses[group] >= self._settings.connections_per_address:
                raise ConnectionLimitError("Too many connections from your address")
            self._count_rate(group)
        self._addresses[address_group(address)] += 1
        self._total += 1

    def _count_rate(self, group: str) -> None:
        now = self._clock.monotonic()
        began, count = self._windows.pop(group, (now, 0))
        if now - began >= _WINDOW:
            began, count = now, 0
        self._windows[group] = (began, count + 1)
        if len(self._windows) > _WINDOWS_LIMIT:
            self._windows.popitem(last=False)
        if count >= self._settings.connection_rate:
            raise ConnectionLimitError("Too many new connections from your address")

    def hold(self, account: str) -> None:
        """Count a connection for `account`. Raises ConnectionLimitError."""
        if self._accounts[account] >= self._settings.connections_per_account:
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
