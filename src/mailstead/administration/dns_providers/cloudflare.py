"""Cloudflare, by version 4 of its interface: a token with Zone.DNS Edit and Zone Read."""

from typing import Any
from urllib.parse import quote

import msgspec

from mailstead.administration.dns_providers.https import HttpsClient
from mailstead.administration.dns_providers.json_api import JsonApi, fields_of, whole
from mailstead.administration.dns_providers.provider import (
    DnsProviderError,
    UnsupportedRecordError,
    quoted,
    same_value,
    unquoted,
    zone_candidates,
)

HOST = "api.cloudflare.com"
_ROOT = "/client/v4"
_PAGE = 100
_PAGES_LIMIT = 50


class _Zone(msgspec.Struct, frozen=True):
    id: str
    name: str


class _Zones(msgspec.Struct, frozen=True):
    result: list[_Zone]


class _Record(msgspec.Struct, frozen=True):
    id: str
    type: str
    name: str
    content: str
    priority: int | None = None


class _Records(msgspec.Struct, frozen=True):
    result: list[_Record]


class Cloudflare:
    """See DnsProvider."""

    def __init__(self, client: HttpsClient, token: str) -> None:
        self._api = JsonApi(client, token)
        self._zones: dict[str, str] = {}

    async def values(self, name: str, kind: str) -> tuple[str, ...]:
        """See DnsProvider."""
        return tuple(value for _, value in await self._records(name, kind))

    async def add(self, name: str, kind: str, value: str, ttl: int = 3600) -> None:
        """See DnsProvider."""
        if any(same_value(kind, value, known) for _, known in await self._records(name, kind)):
            return
        record = {"type": kind, "name": name, "ttl": ttl} | _fields(kind, value)
        await self._api.change("POST", f"{await self._zone(name)}/dns_records", record)

    async def remove(self, name: str, kind: str, value: str) -> None:
        """See DnsProvider."""
        for identifier, known in await self._records(name, kind):
            if same_value(kind, value, known):
                await self._api.change("DELETE", f"{await self._zone(name)}/dns_records/{quote(identifier, safe='')}")

    async def _zone(self, name: str) -> str:
        """The path of the zone that holds `name`."""
        for candidate in zone_candidates(name):
            if candidate not in self._zones:
                found = await self._api.ask(f"{_ROOT}/zones?name={quote(candidate)}", _Zones)
                for zone in found.result:
                    self._zones[zone.name.lower()] = zone.id
            if candidate in self._zones:
                return f"{_ROOT}/zones/{quote(self._zones[candidate], safe='')}"
        raise DnsProviderError(detail=f"Cloudflare has no zone for {name}")

    async def _records(self, name: str, kind: str) -> list[tuple[str, str]]:
        zone = await self._zone(name)
        found: list[tuple[str, str]] = []
        for page in range(1, _PAGES_LIMIT + 1):
            asked = f"{zone}/dns_records?type={kind}&name={quote(name)}&per_page={_PAGE}&page={page}"
            records = (await self._api.ask(asked, _Records)).result
            found += [(record.id, _value(record)) for record in records if record.type == kind]
            if len(records) < _PAGE:
                return found
        raise DnsProviderError(detail=f"{name} has too many {kind} records")


def _value(record: _Record) -> str:
    match record.type:
        case "TXT":
            return unquoted(record.content)
        case "MX":
            return f"{record.priority or 0} {record.content.rstrip('.')}."
        case "SRV":  # the priority stands beside what the content has: weight, port and target
            fields = record.content.split()
            if len(fields) == 3:
                fields.insert(0, str(record.priority or 0))
            return " ".join(fields).rstrip(".") + "."
        case "CNAME":
            return record.content.rstrip(".") + "."
        case _:
            return record.content


def _fields(kind: str, value: str) -> dict[str, Any]:
    match kind:
        case "TXT":
            return {"content": quoted(value)}
        case "MX":
            priority, host = fields_of(kind, value, 2)
            return {"priority": whole(priority), "content": host.rstrip(".")}
        case "CNAME":
            return {"content": value.rstrip("."), "proxied": False}
        case "A" | "AAAA":
            return {"content": value, "proxied": False}
        case "SRV":
            priority, weight, port, target = fields_of(kind, value, 4)
            numbers = {"priority": whole(priority), "weight": whole(weight), "port": whole(port)}
            return {"data": numbers | {"target": target.rstrip(".")}}
        case "CAA":
            flags, tag, text = fields_of(kind, value, 3)
            return {"data": {"flags": whole(flags), "tag": tag, "value": unquoted(text)}}
        case "TLSA":
            usage, selector, matching, digest = fields_of(kind, value, 4)
            numbers = {"usage": whole(usage), "selector": whole(selector), "matching_type": whole(matching)}
            return {"data": numbers | {"certificate": digest}}
        case _:
            raise UnsupportedRecordError(detail=f"no way to publish {kind} at Cloudflare is known")
