"""The resolver: cache with TTL and negative caching, single flight, retries over the servers, CNAME chains followed."""

import asyncio
from typing import Literal

import dns.rdatatype

from mailstead.foundation.clock import Clock, SystemClock
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.dns.answer import Answer, ResolutionError
from mailstead.foundation.dns.cache import AnswerCache
from mailstead.foundation.dns.exchange import ExchangeError, exchange
from mailstead.foundation.dns.names import InvalidNameError, ascii_name
from mailstead.foundation.dns.record import alias_target, name_text, negative_ttl, record_text
from mailstead.foundation.dns.servers import Servers
from mailstead.foundation.dns.wire import CNAME, NXDOMAIN, SOA, MalformedError, Question, Reply, encode_name

__all__ = ["InvalidNameError", "Resolver"]

_CHAIN_LIMIT = 12


class Resolver:
    """Asks the configured servers; one query per question is on its way at a time, however many wait for it."""

    def __init__(self, servers: tuple[str, ...], settings: DnsSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        clock = clock or SystemClock()
        self._servers = Servers(servers, clock)
        self._cache = AnswerCache(settings, clock)
        self._flights: dict[tuple[str, str], asyncio.Task[Answer]] = {}

    async def query(self, name: str, kind: str, *, spaces: bool = False) -> Answer:
        """The records of type `kind` (MX, A, TXT, ...) at `name`, which may be internationalised.

        With `spaces` its labels may hold spaces, as those that macros of SPF make (RFC 7208 §7.1).
        Raises ResolutionError when no server answers, InvalidNameError when `name` cannot be asked for.
        """
        asked = ascii_name(name, spaces=spaces)
        question = (asked, kind)
        known = self._cache.get(question)
        if isinstance(known, ResolutionError):
            raise ResolutionError(detail=known.detail)
        if known is not None:
            return known
        flight = self._flights.get(question)
        if flight is None:
            flight = asyncio.get_running_loop().create_task(
                self._resolve(Question(encode_name(asked), dns.rdatatype.from_text(kind)))
            )
            self._flights[question] = flight
            flight.add_done_callback(lambda done: self._landed(question, done))
        return await asyncio.shield(flight)

    async def close(self) -> None:
        """Give up what is on its way."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    def _landed(self, question: tuple[str, str], flight: "asyncio.Task[Answer]") -> None:
        del self._flights[question]
        if flight.cancelled():
            return
        error = flight.exception()
        if error is None:
            self._cache.put(question, flight.result())
        elif isinstance(error, ResolutionError):
            self._cache.put_failure(question, error)

    async def _resolve(self, question: Question) -> Answer:
        """Ask, and ask again for the target of a CNAME whose records the server did not add."""
        chain = Chain(question, self._settings)
        for _ in range(_CHAIN_LIMIT):
            answer = await self._ask(chain)
            if answer is not None:
                return answer
        raise ResolutionError(detail=f"{name_text(question.name)}: the chain of aliases does not end")

    async def _ask(self, chain: "Chain") -> Answer | None:
        why = []
        for _ in range(self._settings.attempts):
            for server in self._servers.order():
                try:
                    return chain.read(await exchange(chain.question, server, self._settings.timeout))
                except (ExchangeError, MalformedError) as error:
                    self._servers.failed(server)
                    why.append(str(error))
        name, kind = (
            name_text(chain.question.name),
            dns.rdatatype.to_text(dns.rdatatype.RdataType.make(chain.question.kind)),
        )
        raise ResolutionError(detail=f"{name} {kind}: {'; '.join(why)}")


class Chain:
    """Where a chain of aliases stands: the question to ask, the least TTL, whether all of it was authenticated."""

    def __init__(self, question: Question, settings: DnsSettings) -> None:
        self.question = question
        self._settings = settings
        self._ttl = settings.cache_most
        self._authenticated = settings.trusted
        self._links = 0

    def read(self, reply: Reply) -> Answer | None:
        """What `reply` comes to; None: `question` has to be asked next.

        Raises ResolutionError when the chain loops, MalformedError when a record cannot be read.
        """
        name, ttl, followed = self.question.name, self._ttl, False
        authenticated = self._authenticated and reply.authenticated
        while True:
            found = reply.find(name, self.question.kind)
            if found:
                records = tuple(record_text(reply.wire, record) for record in found)
                ttl = min(ttl, *(float(record.ttl) for record in found))
                return self._answer("found", name, records, ttl, authenticated)
            alias = reply.find(name, CNAME)
            if not alias:
                break
            self._links += 1
            if self._links > _CHAIN_LIMIT:
                raise ResolutionError(detail=f"{name_text(name)}: the chain of aliases does not end")
            name, ttl, followed = alias_target(reply.wire, alias[0]), min(ttl, float(alias[0].ttl)), True
        absence = [negative_ttl(reply.wire, record) for record in reply.authorities if record.kind == SOA]
        if followed and not absence and reply.rcode != NXDOMAIN:
            self.question, self._ttl, self._authenticated = Question(name, self.question.kind), ttl, authenticated
            return None
        ttl = min(ttl, self._settings.cache_negative_most, float(min(absence, default=0)))
        return self._answer("nxdomain" if reply.rcode == NXDOMAIN else "nodata", name, (), ttl, authenticated)

    def _answer(
        self,
        outcome: Literal["found", "nodata", "nxdomain"],
        name: bytes,
        records: tuple[str, ...],
        ttl: float,
        authenticated: bool,
    ) -> Answer:
        return Answer(outcome, records, max(ttl, self._settings.cache_least), authenticated, name_text(name))
