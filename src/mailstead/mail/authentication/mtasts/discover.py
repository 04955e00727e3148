"""Policies found, kept and renewed (RFC 8461 §3.3, §5.1).

A policy that is held applies until its max_age is over, whatever happens to DNS or the policy host: whoever stands in
the way cannot take it away.
"""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

import msgspec
import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.sections.mta_sts import MtaStsSettings
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.mail.authentication.mtasts.fetch import FetchError, fetch_policy
from mailstead.mail.authentication.mtasts.policy import StsPolicy, policy_id
from mailstead.mail.authentication.resolving import Resolving, lookup

log = structlog.get_logger("mailstead.mtasts")

_RETRY = 300.0  # seconds, RFC 8461 §3.3


class HeldPolicy(msgspec.Struct, frozen=True):
    """A policy with the id it was announced by, and when it was fetched (seconds since the epoch)."""

    policy: StsPolicy
    id: str
    fetched_at: float

    def is_good(self, now: float) -> bool:
        """Whether it still applies."""
        return self.fetched_at <= now < self.fetched_at + self.policy.max_age


class PolicyStore(Protocol):
    """Keeps policies beyond this process."""

    async def get(self, domain: str) -> HeldPolicy | None:
        """What is kept for `domain`, however old."""
        ...

    async def put(self, domain: str, held: HeldPolicy) -> None:
        """Keep a policy in place of an earlier one."""
        ...


class MemoryPolicies:
    """Policies of this process; those used longest ago go first past `limit`."""

    def __init__(self, limit: int = 10_000) -> None:
        self._held: OrderedDict[str, HeldPolicy] = OrderedDict()
        self._limit = limit

    async def get(self, domain: str) -> HeldPolicy | None:
        """See PolicyStore."""
        held = self._held.get(domain)
        if held is not None:
            self._held.move_to_end(domain)
        return held

    async def put(self, domain: str, held: HeldPolicy) -> None:
        """See PolicyStore."""
        self._held[domain] = held
        self._held.move_to_end(domain)
        while len(self._held) > self._limit:
            self._held.popitem(last=False)


class StsDiscovery:
    """Tells the policy of a domain. `context` gives a TLS context that verifies certificates."""

    def __init__(
        self,
        resolver: Resolving,
        context: Callable[[], ssl.SSLContext],
        policies: PolicyStore,
        settings: MtaStsSettings,
        clock: Clock,
        port: int | None = None,
    ) -> None:
        self._resolver = resolver
        self._context = context
        self._policies = policies
        self._settings = settings
        self._clock = clock
        self._port = settings.remote_port if port is None else port
        self._failed: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._flights: dict[str, asyncio.Task[StsPolicy | None]] = {}

    async def policy(self, domain: str) -> StsPolicy | None:
        """The policy that applies to mail for `domain` (lower-case A-labels) now; None without one, or switched off.

        A policy that cannot be had is as if there were none (RFC 8461 §3.3). Raises what the store of policies raises.
        """
        if not self._settings.enforce:
            return None
        flight = self._flights.get(domain)
        if flight is None:
            flight = self._flights[domain] = asyncio.get_running_loop().create_task(self._find(domain))
            flight.add_done_callback(lambda _: self._flights.pop(domain, None))
        return await asyncio.shield(flight)

    async def close(self) -> None:
        """Give up what is on its way."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _find(self, domain: str) -> StsPolicy | None:
        held = await self._policies.get(domain)
        if held is not None and not held.is_good(self._clock.now()):
            held = None
        try:
            identifier = policy_id((await lookup(self._resolver, f"_mta-sts.{domain}", "TXT")).records)
        except ResolutionError:
            identifier = ""
        if held is not None and identifier in ("", held.id) and not self._is_old(held):
            return held.policy
        if not identifier or self._failed_lately(domain, identifier):
            return held.policy if held is not None else None
        try:
            policy = await fetch_policy(
                domain,
                self._resolver,
                self._context(),
                port=self._port,
                timeout=self._settings.timeout,
                size_limit=self._settings.size_limit,
            )
        except FetchError as error:
            log.warning("MTA-STS policy not fetched", domain=domain, why=str(error), kept=held is not None)
            self._note_failure(domain, identifier)
            return held.policy if held is not None else None
        await self._policies.put(domain, HeldPolicy(policy, identifier, self._clock.now()))
        return policy

    def _is_old(self, held: HeldPolicy) -> bool:
        """Whether it is time to fetch it anew before it ends (RFC 8461 §3.3)."""
        return self._clock.now() > held.fetched_at + min(self._settings.refresh, held.policy.max_age / 2)

    def _failed_lately(self, domain: str, identifier: str) -> bool:
        return self._clock.monotonic() - self._failed.get((domain, identifier), -_RETRY) < _RETRY

    def _note_failure(self, domain: str, identifier: str) -> None:
        self._failed[domain, identifier] = self._clock.monotonic()
        while len(self._failed) > self._settings.failures_kept:
            self._failed.popitem(last=False)
