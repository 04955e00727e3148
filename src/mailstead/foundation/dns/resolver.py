"""The resolver: cache with TTL and negative caching, single flight, retries over the servers, CNAME chains followed."""

import asyncio
from typing import Literal

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.rrset

from mailstead.foundation.clock import Clock, SystemClock
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.dns.answer import Answer, ResolutionError
from mailstead.foundation.dns.cache import AnswerCache
from mailstead.foundation.dns.exchange import EDNS_PAYLOAD, ExchangeError, exchange
from mailstead.foundation.dns.names import InvalidNameError, question_name
from mailstead.foundation.dns.servers import Servers

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

    async def query(self, name: str, kind: str) -> Answer:
        """The records of type `kind` (MX, A, TXT, ...) at `name`, which may be internationalised.

        Raises ResolutionError when no server answers, InvalidNameError when `name` cannot be asked for.
        """
        asked = question_name(name)
        question = (asked.to_text(), kind)
        known = self._cache.get(question)
        if isinstance(known, ResolutionError):
            raise ResolutionError(detail=known.detail)
        if known is not None:
            return known
        flight = self._flights.get(question)
        if flight is None:
            flight = asyncio.get_running_loop().create_task(self._resolve(asked, dns.rdatatype.from_text(kind)))
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

    async def _resolve(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> Answer:
        """Ask, and ask again for the target of a CNAME whose records the server did not add."""
        chain = _Chain(name, kind, self._settings)
        for _ in range(_CHAIN_LIMIT):
            answer = chain.read(await self._ask(chain.name, kind))
            if answer is not None:
                return answer
        raise ResolutionError(detail=f"{name.to_text()}: the chain of aliases does not end")

    async def _ask(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.message.Message:
        why = []
        for _ in range(self._settings.attempts):
            for server in self._servers.order():
                query = dns.message.make_query(name, kind, use_edns=0, payload=EDNS_PAYLOAD)
                query.flags |= dns.flags.AD  # asks for the flag in the answer, without the signatures (RFC 6840 §5.7)
                try:
                    return await exchange(query, server, self._settings.timeout)
                except ExchangeError as error:
                    self._servers.failed(server)
                    why.append(str(error))
        raise ResolutionError(detail=f"{name.to_text()} {dns.rdatatype.to_text(kind)}: {'; '.join(why)}")


class _Chain:
    """Where a chain of aliases stands: the name to ask for, the least TTL, whether all of it was authenticated."""

    def __init__(self, name: dns.name.Name, kind: dns.rdatatype.RdataType, settings: DnsSettings) -> None:
        self.name = name
        self._kind = kind
        self._settings = settings
        self._ttl = settings.cache_most
        self._authenticated = settings.trusted
        self._links = 0

    def read(self, message: dns.message.Message) -> Answer | None:
        """What `message` comes to; None: `name` has to be asked for next. Raises ResolutionError when it loops."""
        self._authenticated = self._authenticated and bool(message.flags & dns.flags.AD)
        followed = False
        while True:
            found = message.get_rrset(message.answer, self.name, dns.rdataclass.IN, self._kind)
            if found is not None:
                records = tuple(_text(record) for record in found)
                return self._answer("found", records, min(self._ttl, float(found.ttl)))
            alias = message.get_rrset(message.answer, self.name, dns.rdataclass.IN, dns.rdatatype.CNAME)
            if alias is None:
                break
            self._links += 1
            if self._links > _CHAIN_LIMIT:
                raise ResolutionError(detail=f"{self.name.to_text()}: the chain of aliases does not end")
            self._ttl = min(self._ttl, float(alias.ttl))
            self.name = alias[0].target.canonicalize()
            followed = True
        if message.rcode() == dns.rcode.NXDOMAIN:
            return self._answer("nxdomain", (), self._negative_ttl(message))
        if followed and not _start_of_authority(message):
            return None
        return self._answer("nodata", (), self._negative_ttl(message))

    def _answer(self, outcome: Literal["found", "nodata", "nxdomain"], records: tuple[str, ...], ttl: float) -> Answer:
        canonical = self.name.to_text(omit_final_dot=True)
        return Answer(outcome, records, max(ttl, self._settings.cache_least), self._authenticated, canonical)

    def _negative_ttl(self, message: dns.message.Message) -> float:
        """RFC 2308 §5: as long as the SOA says; not at all without one."""
        said = (min(float(rrset.ttl), float(rrset[0].minimum)) for rrset in _start_of_authority(message))
        return min(self._ttl, self._settings.cache_negative_most, min(said, default=0.0))


def _start_of_authority(message: dns.message.Message) -> list[dns.rrset.RRset]:
    return [rrset for rrset in message.authority if rrset.rdtype == dns.rdatatype.SOA]


def _text(record: dns.rdata.Rdata) -> str:
    if isinstance(record, dns.rdtypes.ANY.TXT.TXT):
        return b"".join(record.strings).decode("utf-8", "replace")
    return record.to_text()
