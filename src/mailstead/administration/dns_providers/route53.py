"""Amazon Route 53, by its interface of 2013-04-01, signed with Signature Version 4.

A key needs route53:ListHostedZonesByName, ListResourceRecordSets and ChangeResourceRecordSets. There a name's records of
one type are one set that is replaced whole: two writers at once can undo each other's change.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from urllib.parse import quote
from xml.sax.saxutils import escape

from mailstead.administration.dns_providers.https import HttpsClient
from mailstead.administration.dns_providers.provider import (
    DnsProviderError,
    quoted,
    same_value,
    unquoted,
    zone_candidates,
)
from mailstead.formats.reports.errors import ReportError
from mailstead.formats.reports.xml import Element, parse_xml

HOST = "route53.amazonaws.com"
_ROOT = "/2013-04-01"
_REGION, _SERVICE = "us-east-1", "route53"
_NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"


def _hash(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Signer:
    """Signature Version 4 with one key for one service."""

    def __init__(self, key: str, secret: str, region: str = _REGION, service: str = _SERVICE) -> None:
        self._key = key
        self._secret = secret
        self._region = region
        self._service = service

    def authorization(self, method: str, host: str, path: str, query: str, body: bytes, stamp: str) -> str:
        """The Authorization field for a request with the fields Host and X-Amz-Date (`stamp`: 20150830T123600Z).

        `path` and `query` as they are sent; the query's names in order.
        """
        fields = f"host:{host}\nx-amz-date:{stamp}\n"
        digest = hashlib.sha256(body).hexdigest()
        request = "\n".join((method, path, query, fields, "host;x-amz-date", digest))
        scope = f"{stamp[:8]}/{self._region}/{self._service}/aws4_request"
        to_sign = "\n".join(("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(request.encode()).hexdigest()))
        key = f"AWS4{self._secret}".encode()
        for part in scope.split("/"):
            key = _hash(key, part)
        signature = _hash(key, to_sign).hex()
        return f"AWS4-HMAC-SHA256 Credential={self._key}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"


class Route53:
    """See DnsProvider. `now` gives seconds since the epoch: a signature is good for some minutes."""

    def __init__(
        self, client: HttpsClient, host: str, key: str, secret: str, now: Callable[[], float] = time.time
    ) -> None:
        self._client = client
        self._host = host
        self._signer = Signer(key, secret)
        self._now = now
        self._zones: dict[str, str] = {}

    async def values(self, name: str, kind: str) -> tuple[str, ...]:
        """See DnsProvider."""
        return (await self._set(name, kind))[0]

    async def add(self, name: str, kind: str, value: str, ttl: int = 3600) -> None:
        """See DnsProvider."""
        known, _ = await self._set(name, kind)
        if not any(same_value(kind, value, one) for one in known):
            await self._change("UPSERT", name, kind, (*known, value), ttl)

    async def remove(self, name: str, kind: str, value: str) -> None:
        """See DnsProvider."""
        known, ttl = await self._set(name, kind)
        kept = tuple(one for one in known if not same_value(kind, value, one))
        if kept == known:
            return
        if kept:
            await self._change("UPSERT", name, kind, kept, ttl)
        else:
            await self._change("DELETE", name, kind, known, ttl)

    async def _zone(self, name: str) -> str:
        for candidate in zone_candidates(name):
            if candidate not in self._zones:
                query = f"dnsname={quote(candidate, safe='')}&maxitems=1"
                root = await self._request("GET", f"{_ROOT}/hostedzonesbyname", query)
                with _Reading():
                    for zone in root.child("HostedZones").children("HostedZone"):
                        if zone.child("Name").text.lower() == candidate + "." and not _is_private(zone):
                            self._zones[candidate] = zone.child("Id").text.rpartition("/")[2]
            if candidate in self._zones:
                return self._zones[candidate]
        raise DnsProviderError(detail=f"Route 53 has no public zone for {name}")

    async def _set(self, name: str, kind: str) -> tuple[tuple[str, ...], int]:
        """The values of the set, and its TTL in seconds."""
        query = f"maxitems=1&name={quote(name, safe='')}&type={kind}"
        root = await self._request("GET", f"{_ROOT}/hostedzone/{await self._zone(name)}/rrset", query)
        with _Reading():
            for found in root.child("ResourceRecordSets").children("ResourceRecordSet"):
                if (found.child("Name").text.lower(), found.child("Type").text) != (name + ".", kind):
                    continue
                if not found.has("ResourceRecords"):
                    raise DnsProviderError(detail=f"{name} {kind} is an alias at Route 53")
                values = [
                    record.child("Value").text for record in found.child("ResourceRecords").children("ResourceRecord")
                ]
                texts = tuple(unquoted(value) if kind == "TXT" else value for value in values)
                return texts, int(found.child("TTL").text)
        return (), 0

    async def _change(self, action: str, name: str, kind: str, values: tuple[str, ...], ttl: int) -> None:
        written = (quoted(value) if kind == "TXT" else value for value in values)
        records = "".join(f"<ResourceRecord><Value>{escape(value)}</Value></ResourceRecord>" for value in written)
        body = (
            f'<?xml version="1.0" encoding="UTF-8"?><ChangeResourceRecordSetsRequest xmlns="{_NAMESPACE}">'
            f"<ChangeBatch><Changes><Change><Action>{action}</Action><ResourceRecordSet>"
            f"<Name>{escape(name)}.</Name><Type>{kind}</Type><TTL>{ttl}</TTL>"
            f"<ResourceRecords>{records}</ResourceRecords>"
            "</ResourceRecordSet></Change></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
        )
        await self._request("POST", f"{_ROOT}/hostedzone/{await self._zone(name)}/rrset/", "", body.encode())

    async def _request(self, method: str, path: str, query: str, body: bytes = b"") -> Element:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._now()))
        headers = {
            "Host": self._host,
            "X-Amz-Date": stamp,
            "Authorization": self._signer.authorization(method, self._host, path, query, body, stamp),
            "Content-Type": "application/xml",
        }
        answer = await self._client.request(method, f"{path}?{query}" if query else path, headers, body)
        if not answer.is_good:
            raise answer.refuse()
        with _Reading():
            return parse_xml(answer.body)


class _Reading:
    """Turns what an answer lacks into the provider's error."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, ReportError | ValueError):
            raise DnsProviderError(detail=f"an answer that cannot be read: {error}") from error


def _is_private(zone: Element) -> bool:
    return (
        zone.has("Config")
        and zone.child("Config").has("PrivateZone")
        and (zone.child("Config").child("PrivateZone").text == "true")
    )
