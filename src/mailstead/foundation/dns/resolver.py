"""The resolver: cache with TTL and negative caching, single flight, retries over the configured servers."""

import asyncio
import ipaddress
from collections import OrderedDict
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype

from mailstead.foundation.clock import Clock, SystemClock
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.dns.answer import Answer, ResolutionError
from mailstead.foundation.dns.exchange import EDNS_PAYLOAD, ExchangeError, exchange
from mailstead.foundation.errors import InvalidError

_PORT = 53
_CHAIN_LIMIT = 12
_NEGATIVE_DEFAULT = 60.0


class InvalidNameError(InvalidError):
    """The text is no domain name."""

    public_text = "Not a domain name"


def server_addresses(
    configured: tuple[str, ...], resolv_conf: Path = Path("/etc/resolv.conf")
) -> list[tuple[str, int]]:
    """Servers as address and port: those configured (`1.2.3.4`, `1.2.3.4:5353`, `[::1]:53`), else the system's."""
    if not configured:
        lines = resolv_conf.read_text("utf-8", "replace").splitlines() if resolv_conf.is_file() else []
        found = [line.split()[1] for line in lines if line.startswith("nameserver") and len(line.split()) > 1]
        return [(address.partition("%")[0], _PORT) for address in found] or [("127.0.0.1", _PORT)]
    servers = []
    for text in configured:
        host, port = text, str(_PORT)
        if text.startswith("["):
            host, _, rest = text[1:].partition("]")
            port = rest.removeprefix(":") or str(_PORT)
        elif text.count(":") == 1:
            host, _, port = text.partition(":")
        servers.append((str(ipaddress.ip_address(host)), int(port)))
    return servers


class Resolver:
    """Asks the configured servers; one query per question is on its way at a time, however many wait for it."""

    def __init__(self, servers: tuple[str, ...], settings: DnsSettings, clock: Clock | None = None) -> None:
        self._servers = server_addresses(servers)
        self._settings = settings
        self._clock = clock or SystemClock()
        self._cache: OrderedDict[tuple[str, str], tuple[float, Answer]] = OrderedDict()
        self._flights: dict[tuple[str, str], asyncio.Task[Answer]] = {}

    async def query(self, name: str, kind: str) -> Answer:
        """The records of type `kind` (MX, A, TXT, ...) at `name`.

        Raises ResolutionError when no server answers, InvalidNameError when `name` cannot be asked for.
        """
        try:
            asked = dns.name.from_text(name).canonicalize()
        except (dns.exception.DNSException, UnicodeError, ValueError) as error:
            raise InvalidNameError(detail=repr(name)) from error
        question = (asked.to_text(), kind)
        cached = self._cache.get(question)
        if cached is not None and cached[0] > self._clock.monotonic():
            self._cache.move_to_end(question)
            return cached[1]
        flight = self._flights.get(question)
        if flight is None:
            flight = asyncio.get_running_loop().create_task(self._ask(asked, kind))
            self._flights[question] = flight
            flight.add_done_callback(lambda done: self._landed(question, done))
        return await asyncio.shield(flight)

    def _landed(self, question: tuple[str, str], flight: "asyncio.Task[Answer]") -> None:
        self._flights.pop(question, None)
        if flight.cancelled() or flight.exception() is not None:
            return
        answer = flight.result()
        self._cache[question] = (self._clock.monotonic() + answer.ttl, answer)
        self._cache.move_to_end(question)
        while len(self._cache) > self._settings.cache_entries:
            self._cache.popitem(last=False)

    async def _ask(self, name: dns.name.Name, kind: str) -> Answer:
        why = ""
        for _ in range(self._settings.attempts):
            for server, port in self._servers:
                query = dns.message.make_query(name, kind, use_edns=0, payload=EDNS_PAYLOAD)
                query.flags |= dns.flags.AD
                try:
                    return self._read(await exchange(query, server, port, self._settings.timeout), name, kind)
                except ExchangeError as error:
                    why = str(error)
        raise ResolutionError(detail=f"{name.to_text()} {kind}: {why}")

    def _read(self, message: dns.message.Message, name: dns.name.Name, kind: str) -> Answer:
        wanted = dns.rdatatype.from_text(kind)
        authenticated = bool(message.flags & dns.flags.AD)
        ttl = self._settings.cache_most
        for _ in range(_CHAIN_LIMIT):
            found = message.get_rrset(message.answer, name, dns.rdataclass.IN, wanted)
            if found is not None:
                records = tuple(_text(record, wanted) for record in found)
                return Answer("found", records, min(ttl, float(found.ttl)), authenticated)
            alias = message.get_rrset(message.answer, name, dns.rdataclass.IN, dns.rdatatype.CNAME)
            if alias is None:
                break
            ttl = min(ttl, float(alias.ttl))
            name = alias[0].target
        authority = (rrset for rrset in message.authority if rrset.rdtype == dns.rdatatype.SOA)
        least = min((float(min(rrset.ttl, rrset[0].minimum)) for rrset in authority), default=_NEGATIVE_DEFAULT)
        negative = min(ttl, least, self._settings.cache_negative_most)
        if message.rcode() == dns.rcode.NXDOMAIN:
            return Answer("nxdomain", (), negative, authenticated)
        return Answer("nodata", (), negative, authenticated)


def _text(record: object, kind: int) -> str:
    if kind == dns.rdatatype.TXT:
        return b"".join(record.strings).decode("utf-8", "replace")  # type: ignore[attr-defined] # a TXT record by its type
    return record.to_text()  # type: ignore[attr-defined,no-any-return] # every record has it
