"""Gateways that hide who connects: behind a NAT or router without the PROXY protocol all clients have one address.

An address of a private network that greets with many names is none of a single client's. From then on nothing is held
against the address that may be anybody's doing: limits of the address, greylisting, SPF. `mailstead doctor` tells it.
"""

import hashlib
import ipaddress

import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.screening import ScreeningSettings
from mailstead.foundation.errors import MailsteadError
from mailstead.stores.bus.interface import Bus
from mailstead.stores.documents.interface import CollectionSpec, Documents, Index

log = structlog.get_logger("mailstead.screening")
_PRIVATE = tuple(
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
_DAY = 86400.0
_KNOWN_FOR = 30 * _DAY
_REFRESHED = 3600.0
_SPEC = CollectionSpec("gateway", (Index(("ends_at",), expire_after=0.0),))


class Gateways:
    """One for all connections of a service; what it finds is known to all processes."""

    def __init__(self, documents: Documents, bus: Bus, settings: ScreeningSettings, clock: Clock) -> None:
        self._documents = documents
        self._bus = bus
        self._most = settings.gateway_greetings
        self._clock = clock
        self._told_at: dict[str, float] = {}

    async def is_known(self, address: str) -> bool:
        """Whether the address was found to be a gateway's."""
        if not self._most or not _is_private(address):
            return False
        if address not in self._told_at and await self._bus.fetch(_key(address)) is None:
            return False
        await self._tell(address)
        return True

    async def greeted(self, address: str, hello: str) -> bool:
        """Count a greeting; whether the address is a gateway's. Names count once a day."""
        if not self._most or not _is_private(address):
            return False
        if await self.is_known(address):
            return True
        name = hashlib.blake2b(hello.lower().encode("utf-8", "replace"), digest_size=12).hexdigest()
        if await self._bus.increment(f"screening.greeting.{address}.{name}", _DAY) > 1:
            return False
        if await self._bus.increment(f"screening.greetings.{address}", _DAY) < self._most:
            return False
        log.warning("a gateway hides who connects; let it speak the PROXY protocol", client=address)
        await self._bus.store(_key(address), b"1", _KNOWN_FOR)
        await self._tell(address)
        return True

    async def _tell(self, address: str) -> None:
        """Keep for the doctor that it is in use, now and then."""
        now = self._clock.now()
        if now - self._told_at.get(address, -_KNOWN_FOR) < _REFRESHED:
            return
        self._told_at[address] = now
        try:
            collection = await self._documents.collection(_SPEC)
            kept = {"at": now, "ends_at": now + _KNOWN_FOR}
            if await collection.claim({"id": address}, kept) is None:
                await collection.insert({"id": address, **kept})
        except MailsteadError as error:
            log.warning("a gateway was not noted", client=address, why=str(error))


async def gateways_since(documents: Documents, since: float) -> list[str]:
    """Addresses that hid clients after `since`. Raises StoreUnavailableError."""
    collection = await documents.collection(_SPEC)
    return sorted(str(one["id"]) for one in await collection.find({}) if float(one["at"]) >= since)


def _key(address: str) -> str:
    return f"screening.gateway.{address}"


def _is_private(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in _PRIVATE)
