"""DigitalOcean, by version 2 of its interface: a token that may write domains."""

from typing import Any
from urllib.parse import quote

import msgspec

from mailstead.administration.dns_providers.https import HttpsClient
from mailstead.administration.dns_providers.json_api import JsonApi, fields_of, whole
from mailstead.administration.dns_providers.provider import (
    DnsProviderError,
    UnsupportedRecordError,
    same_value,
    unquoted,
    zone_candidates,
)

HOST = "api.digitalocean.com"
_ROOT = "/v2/domains"
_PAGE = 200
_PAGES_LIMIT = 50


class _Record(msgspec.Struct, frozen=True):
    id: int
    type: str
    name: str
    data: str
    priority: int | None = None
    port: int | None = None
    weight: int | None = None
    flags: int | None = None
    tag: str | None = None


class _Records(msgspec.Struct, frozen=True):
    domain_records: list[_Record]


class DigitalOcean:
    """See DnsProvider."""

    def __init__(self, client: HttpsClient, token: str) -> None:
        self._api = JsonApi(client, token)
        self._known: dict[str, bool] = {}

    async def values(self, name: str, kind: str) -> tuple[str, ...]:
        """See DnsProvider."""
        return tuple(value for _, value in await self._records(await self._zone(name), name, kind))

    async def add(self, name: str, kind: str, value: str, ttl: int = 3600) -> None:
        """See DnsProvider."""
        zone = await self._zone(name)
        if any(same_value(kind, value, known) for _, known in await self._records(zone, name, kind)):
            return
        relative = "@" if name == zone else name.removesuffix("." + zone)
        record = {"type": kind, "name": relative, "ttl": ttl} | _fields(kind, value)
        await self._api.change("POST", f"{_ROOT}/{quote(zone)}/records", record)

    async def remove(self, name: str, kind: str, value: str) -> None:
        """See DnsProvider."""
        zone = await self._zone(name)
        for identifier, known in await self._records(zone, name, kind):
            if same_value(kind, value, known):
                await self._api.change("DELETE", f"{_ROOT}/{quote(zone)}/records/{identifier}")

    async def _zone(self, name: str) -> str:
        for candidate in zone_candidates(name):
            if candidate not in self._known:
                answer = await self._api.send("GET", f"{_ROOT}/{quote(candidate)}")
                if not answer.is_good and answer.status != 404:
                    raise answer.refuse()
                self._known[candidate] = answer.is_good
            if self._known[candidate]:
                return candidate
        raise DnsProviderError(detail=f"DigitalOcean has no domain for {name}")

    async def _records(self, zone: str, name: str, kind: str) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        for page in range(1, _PAGES_LIMIT + 1):
            asked = f"{_ROOT}/{quote(zone)}/records?type={kind}&name={quote(name)}&per_page={_PAGE}&page={page}"
            records = (await self._api.ask(asked, _Records)).domain_records
            found += [(record.id, _value(record, zone)) for record in records if record.type == kind]
            if len(records) < _PAGE:
                return found
        raise DnsProviderError(detail=f"{name} has too many {kind} records")


def _value(record: _Record, zone: str) -> str:
    host = (zone if record.data == "@" else record.data.rstrip(".")) + "."
    match record.type:
        case "TXT":
            return unquoted(record.data)
        case "MX":
            return f"{record.priority or 0} {host}"
        case "SRV":
            return f"{record.priority or 0} {record.weight or 0} {record.port or 0} {host}"
        case "CNAME":
            return host
        case "CAA":
            return f'{record.flags or 0} {record.tag or ""} "{record.data}"'
        case _:
            return record.data


def _fields(kind: str, value: str) -> dict[str, Any]:
    match kind:
        case "TXT" | "A" | "AAAA" | "CNAME":
            return {"data": value}
        case "MX":
            priority, host = fields_of(kind, value, 2)
            return {"priority": whole(priority), "data": host}
        case "SRV":
            priority, weight, port, target = fields_of(kind, value, 4)
            return {"priority": whole(priority), "weight": whole(weight), "port": whole(port), "data": target}
        case "CAA":
            flags, tag, text = fields_of(kind, value, 3)
            return {"flags": whole(flags), "tag": tag, "data": unquoted(text)}
        case _:
            raise UnsupportedRecordError(detail=f"DigitalOcean publishes no {kind} records")
