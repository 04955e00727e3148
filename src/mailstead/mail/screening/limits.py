"""How much one client, network or sender domain may send in a time, counted over the bus for all processes."""

import ipaddress

from mailstead.foundation.config.sections.screening import ScreeningSettings
from mailstead.foundation.net.limits import address_group
from mailstead.mail.screening.refusal import Refusal, sayable
from mailstead.stores.bus.interface import NAME_LIMIT, Bus

_V4_PREFIX, _V6_PREFIX = 24, 48


def network_of(address: str) -> str:
    """The network that a client counts in: IPv4 /24, IPv6 /48; other texts as they are."""
    group = address_group(address)
    try:
        parsed = ipaddress.ip_address(group.partition("/")[0])
    except ValueError:
        return group
    prefix = _V4_PREFIX if parsed.version == 4 else _V6_PREFIX
    return str(ipaddress.ip_network(f"{parsed}/{prefix}", strict=False))


class Limits:
    """Counters of one window each; a counter begins with its first event and ends with its window."""

    def __init__(self, bus: Bus, settings: ScreeningSettings) -> None:
        self._bus = bus
        self._settings = settings

    async def message(self, address: str, sender_domain: str, *, is_hidden: bool = False) -> Refusal | None:
        """Count a message that begins; why it is too much. A hidden client's address is not its own."""
        settings = self._settings
        counted: list[tuple[str, str, int]] = []
        if not is_hidden:
            counted.append(("address", address_group(address), settings.messages_per_address))
            counted.append(("network", network_of(address), settings.messages_per_network))
        if sender_domain:
            counted.append(("domain", sender_domain, settings.messages_per_sender_domain))
        for kind, name, most in counted:
            if await self._count("messages", kind, name) > most:
                text = f"Too many messages from {sayable(name)} for now, come back later"
                return Refusal(450 if kind == "domain" else 421, "4.7.0", text, closes=kind != "domain")
        return None

    async def recipient(self, address: str) -> Refusal | None:
        """Count a recipient; why it is too much."""
        if await self._count("recipients", "address", address_group(address)) > self._settings.recipients_per_address:
            return Refusal(452, "4.5.3", f"Too many recipients from {address} for now, come back later")
        return None

    async def unknown_recipient(self, address: str) -> Refusal | None:
        """Count a recipient that does not exist; why nothing more is listened to."""
        await self._count("unknown", "address", address_group(address))
        return await self.guesses(address)

    async def guesses(self, address: str) -> Refusal | None:
        """Why a client that named too many recipients that do not exist is not listened to, or None."""
        key = self._key("unknown", "address", address_group(address))
        if await self._bus.counter(key) > self._settings.unknown_recipients:
            return Refusal(421, "4.7.0", "Too many recipients that do not exist, come back later", closes=True)
        return None

    async def _count(self, what: str, kind: str, name: str) -> int:
        return await self._bus.increment(self._key(what, kind, name), self._settings.window)

    @staticmethod
    def _key(what: str, kind: str, name: str) -> str:
        return f"screening.{what}.{kind}.{name}"[:NAME_LIMIT]
