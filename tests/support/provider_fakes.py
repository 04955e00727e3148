"""Stand-ins for the DNS providers' interfaces over HTTPS, made from their published references, not from our client.

They keep records as the providers do, and refuse what those refuse: wrong credentials, unknown zones, second copies.
"""

import hashlib
import hmac
import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

TOKEN, KEY, SECRET = "test-token/with+signs", "AKIDTEST", "secret/with+signs"
_XMLNS = "https://route53.amazonaws.com/doc/2013-04-01/"


@dataclass
class Fake:
    """What it holds: records of one zone. `broken` answers with that status and text instead."""

    zone: str
    port: int = 0
    records: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    broken: tuple[int, bytes] | None = None
    next_id: int = 1

    def keep(self, **record: Any) -> dict[str, Any]:
        record["id"] = self.next_id
        self.next_id += 1
        self.records.append(record)
        return record


class _Handler(BaseHTTPRequestHandler):
    fake: Fake
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else every answer waits for the client

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class says so
        pass

    def answer(self, status: int, content: Any) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.fake.requests.append(f"{self.command} {self.path}")
        if self.fake.broken is not None:
            self.answer(*self.fake.broken)
        elif not self.is_allowed(parts.path, parts.query, body):
            self.answer(403, {"errors": [{"code": 9109, "message": "Unauthorized"}]})
        else:
            self.carry_out(parts.path, query, body)

    do_GET = do_POST = do_DELETE = handle_one  # noqa: N815 the base class calls them so

    def is_allowed(self, path: str, query: str, body: bytes) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def carry_out(self, path: str, query: dict[str, str], body: bytes) -> None:
        raise NotImplementedError


class CloudflareHandler(_Handler):
    def carry_out(self, path: str, query: dict[str, str], body: bytes) -> None:
        if path == "/client/v4/zones":
            found = [{"id": "z1", "name": self.fake.zone}] if query["name"] == self.fake.zone else []
            self.answer(200, {"success": True, "result": found})
            return
        matched = re.fullmatch("/client/v4/zones/z1/dns_records(?:/([0-9]+))?", path)
        if matched is None:
            self.answer(404, {"success": False})
        elif self.command == "GET":
            records = [
                record | {"id": str(record["id"])}
                for record in self.fake.records
                if record["type"] == query["type"] and record["name"] == query["name"]
            ]
            start = (int(query["page"]) - 1) * int(query["per_page"])
            self.answer(200, {"success": True, "result": records[start : start + int(query["per_page"])]})
        elif self.command == "DELETE":
            self.fake.records[:] = [one for one in self.fake.records if str(one["id"]) != matched[1]]
            self.answer(200, {"success": True, "result": {"id": matched[1]}})
        else:
            self._create(json.loads(body))

    def _create(self, record: dict[str, Any]) -> None:
        if record["type"] == "SRV":  # the content is made of the data, the priority stands apart
            data = record["data"]
            record |= {
                "content": f"{data['weight']} {data['port']} {data['target']}",
                "priority": data["priority"],
            }
        if not record["name"].endswith(self.fake.zone) or any(
            (one["type"], one["name"], one["content"]) == (record["type"], record["name"], record["content"])
            for one in self.fake.records
        ):
            self.answer(400, {"success": False, "errors": [{"code": 81057, "message": "Record already exists."}]})
        else:
            self.answer(200, {"success": True, "result": self.fake.keep(**record)})


class DigitalOceanHandler(_Handler):
    def carry_out(self, path: str, query: dict[str, str], body: bytes) -> None:
        matched = re.fullmatch("/v2/domains/([^/]+)(/records)?(?:/([0-9]+))?", path)
        if matched is None or matched[1] != self.fake.zone:
            self.answer(404, {"id": "not_found", "message": "The resource you were accessing could not be found."})
        elif matched[2] is None:
            self.answer(200, {"domain": {"name": self.fake.zone}})
        elif self.command == "GET":
            relative = "@" if query["name"] == self.fake.zone else query["name"].removesuffix("." + self.fake.zone)
            records = [one for one in self.fake.records if one["type"] == query["type"] and one["name"] == relative]
            start = (int(query["page"]) - 1) * int(query["per_page"])
            self.answer(200, {"domain_records": records[start : start + int(query["per_page"])]})
        elif self.command == "DELETE":
            self.fake.records[:] = [one for one in self.fake.records if str(one["id"]) != matched[3]]
            self.answer(204, b"")
        else:
            record = json.loads(body)
            if record["type"] in ("MX", "SRV", "CNAME") and not record["data"].endswith("."):
                self.answer(422, {"id": "unprocessable_entity", "message": "Data needs to end with a dot (.)"})
                return
            if record["type"] in ("MX", "SRV", "CNAME"):
                record["data"] = record["data"].rstrip(".")  # as it is shown afterwards
            self.answer(201, {"domain_record": self.fake.keep(**record)})


class Route53Handler(_Handler):
    def is_allowed(self, path: str, query: str, body: bytes) -> bool:
        given = re.fullmatch(
            "AWS4-HMAC-SHA256 Credential=([^/]+)/([0-9]{8})/us-east-1/route53/aws4_request, "
            "SignedHeaders=host;x-amz-date, Signature=([0-9a-f]{64})",
            self.headers["Authorization"],
        )
        assert given is not None
        stamp = self.headers["X-Amz-Date"]
        request = (
            f"{self.command}\n{path}\n{query}\nhost:{self.headers['Host']}\nx-amz-date:{stamp}\n\n"
            f"host;x-amz-date\n{hashlib.sha256(body).hexdigest()}"
        )
        signed = (
            f"AWS4-HMAC-SHA256\n{stamp}\n{given[2]}/us-east-1/route53/aws4_request\n"
            f"{hashlib.sha256(request.encode()).hexdigest()}"
        )
        key = b"AWS4" + SECRET.encode()
        for part in (given[2], "us-east-1", "route53", "aws4_request", signed):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return given[1] == KEY and key.hex() == given[3]

    def carry_out(self, path: str, query: dict[str, str], body: bytes) -> None:
        if path == "/2013-04-01/hostedzonesbyname":  # those from that name on, in the order of names
            self._say(
                "ListHostedZonesByNameResponse",
                f"<HostedZones><HostedZone><Id>/hostedzone/Z1</Id><Name>{self.fake.zone}.</Name>"
                "<Config><PrivateZone>false</PrivateZone></Config></HostedZone></HostedZones>",
            )
        elif path == "/2013-04-01/hostedzone/Z1/rrset":
            sets = [one for one in self.fake.records if one["name"] >= query["name"]][:1]
            self._say(
                "ListResourceRecordSetsResponse", f"<ResourceRecordSets>{''.join(map(_set, sets))}</ResourceRecordSets>"
            )
        elif path == "/2013-04-01/hostedzone/Z1/rrset/" and self.command == "POST":
            self._change(body)
        else:
            self.answer(404, b"<ErrorResponse><Error><Code>NoSuchHostedZone</Code></Error></ErrorResponse>")

    def _change(self, body: bytes) -> None:
        space = {"r": _XMLNS}
        (change,) = ElementTree.fromstring(body).findall(".//r:Change", space)
        name = change.findtext(".//r:Name", "", space).rstrip(".")
        kind, ttl = change.findtext(".//r:Type", "", space), change.findtext(".//r:TTL", "", space)
        values = [value.text or "" for value in change.findall(".//r:Value", space)]
        wanted = {"name": name, "type": kind, "ttl": ttl, "values": values}
        known = [one for one in self.fake.records if (one["name"], one["type"]) == (name, kind)]
        is_bad = kind == "SRV" and any(len(value.split()) != 4 for value in values)
        if change.findtext("r:Action", "", space) == "DELETE":
            is_bad = not (known and _same(known[0], wanted))
        if is_bad:
            self.answer(400, b"<ErrorResponse><Error><Code>InvalidChangeBatch</Code></Error></ErrorResponse>")
            return
        for one in known:
            self.fake.records.remove(one)
        if change.findtext("r:Action", "", space) == "UPSERT":
            self.fake.keep(**wanted)
        self._say("ChangeResourceRecordSetsResponse", "<ChangeInfo><Status>PENDING</Status></ChangeInfo>")

    def _say(self, name: str, content: str) -> None:
        self.answer(200, f'<?xml version="1.0"?><{name} xmlns="{_XMLNS}">{content}</{name}>'.encode())


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(one[field] == other[field] for field in ("ttl", "values"))


def _set(one: dict[str, Any]) -> str:
    values = "".join(f"<ResourceRecord><Value>{value}</Value></ResourceRecord>" for value in one["values"])
    return (
        f"<ResourceRecordSet><Name>{one['name']}.</Name><Type>{one['type']}</Type><TTL>{one['ttl']}</TTL>"
        f"<ResourceRecords>{values}</ResourceRecords></ResourceRecordSet>"
    )


@contextmanager
def provider_fake(handler: type[_Handler], zone: str, context: ssl.SSLContext) -> Iterator[Fake]:
    """A fake on loopback under TLS."""
    fake = Fake(zone)
    bound = type("Bound", (handler,), {"fake": fake})
    with ThreadingHTTPServer(("127.0.0.1", 0), bound) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        fake.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield fake
        finally:
            server.shutdown()
            thread.join()
