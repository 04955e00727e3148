"""How much an account and a domain may send in a day: counters on the bus, which every process shares.

Beside them the documents keep what was reached, for a bus that forgot it (a restart), and for people to see. Counted
are recipients elsewhere: what stays in this installation is nobody else's trouble. A day is one of UTC.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Literal

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.errors import LimitExceededError
from mailstead.stores.bus.interface import Bus
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.names import InvalidAddressError
from mailstead.stores.documents.interface import CollectionSpec, Documents, DuplicateError, Index

Kind = Literal["account", "domain"]
_KEPT = 2 * 86400.0
USES = CollectionSpec("sending_use", (Index(("at",), expire_after=_KEPT),))


class SendingLimitError(LimitExceededError):
    """The day's limit is used up; it begins anew at 00:00 UTC."""

    smtp_code = 450
    enhanced_code = "4.7.1"
    public_text = "The day's sending limit is used up"


class Use(msgspec.Struct, frozen=True):
    """What was sent today; `limit` 0: none."""

    kind: Kind
    name: str
    sent: int
    limit: int


class SendingLimits:
    """Counts and limits of a day."""

    def __init__(
        self, directory: Directory, documents: Documents, bus: Bus, settings: SendingSettings, clock: Clock
    ) -> None:
        self._directory = directory
        self._documents = documents
        self._bus = bus
        self._settings = settings
        self._clock = clock

    async def use(self, account: str, domain: str) -> list[Use]:
        """Today's use of an account and of a domain. Raises StoreUnavailableError, BusLostError."""
        return [
            Use(kind, name, await self._sent(self._key(kind, name)), await self._limit(kind, name))
            for kind, name in _named(account, domain)
        ]

    async def _sent(self, key: str) -> int:
        return max(await self._bus.counter(key), await self._kept(key))

    async def _kept(self, key: str) -> int:
        document = await (await self._documents.collection(USES)).get(key)
        return 0 if document is None else int(document["sent"])

    async def _keep(self, key: str, sent: int) -> None:
        """Write down what was reached, never less than before."""
        collection = await self._documents.collection(USES)
        changes = {"sent": sent, "at": self._clock.now()}
        while await collection.claim({"id": key, "sent": {"$lt": sent}}, changes) is None:
            if await collection.get(key) is not None:
                return
            with suppress(DuplicateError):
                await collection.insert({"id": key, **changes})
                return

    async def charge(self, account: str, domain: str, recipients: int) -> None:
        """Count so many recipients, or none of them. Raises SendingLimitError, StoreUnavailableError, BusLostError."""
        counted: list[tuple[str, int]] = []
        for kind, name in _named(account, domain) if recipients else ():
            limit = await self._limit(kind, name)
            key = self._key(kind, name)
            sent = await self._bus.increment(key, _KEPT, recipients)
            if sent == recipients and (before := await self._kept(key)):
                sent = await self._bus.increment(key, _KEPT, before)  # the bus began anew within the day
            counted.append((key, sent))
            if limit and sent > limit:
                for one, _ in counted:
                    await self._bus.increment(one, _KEPT, -recipients)
                raise SendingLimitError(
                    f"{name} may send to {limit} recipients elsewhere a day and has {max(limit - sent + recipients, 0)}"
                    " left; it begins anew at 00:00 UTC"
                )
        for key, sent in counted:
            await self._keep(key, sent)

    async def _limit(self, kind: Kind, name: str) -> int:
        if kind == "domain":
            domain = await self._directory.domain(name)
            own = domain.sending_limit if domain is not None else None
            return self._settings.domain_daily if own is None else own
        try:
            alias = await self._directory.alias(name)
        except InvalidAddressError:
            alias = None
        own = alias.sending_limit if alias is not None else None
        return self._settings.account_daily if own is None else own

    def _key(self, kind: Kind, name: str) -> str:
        day = datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y%m%d")
        return f"sending.{kind}.{name}.{day}"


def _named(account: str, domain: str) -> list[tuple[Kind, str]]:
    found: list[tuple[Kind, str]] = [("account", account), ("domain", domain)]
    return [(kind, name) for kind, name in found if name]
