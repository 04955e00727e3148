"""A DAV server in this process, asked without sockets, and what answers say."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.interfaces.dav.application import DavApplication
from mailstead.protocols.dav.access import Access
from mailstead.protocols.dav.exchange import DavServices
from mailstead.protocols.dav.hooks import Hooks
from mailstead.protocols.dav.registry import registry
from mailstead.protocols.dav.server import DavServer
from mailstead.protocols.dav.xml.reader import Element, XmlBounds, read_xml
from support.installation import Installation, installation

D, C, A = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}", "{urn:ietf:params:xml:ns:carddav}"
S, APPLE = "{http://calendarserver.org/ns/}", "{http://apple.com/ns/ical/}"
NAMESPACES = (
    'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:A="urn:ietf:params:xml:ns:carddav"'
    ' xmlns:S="http://calendarserver.org/ns/" xmlns:I="http://apple.com/ns/ical/"'
)
_BOUNDS = XmlBounds(2**30, 64, 2**24)


class Reply(msgspec.Struct):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def xml(self) -> Element:
        return read_xml(self.body, _BOUNDS)

    @property
    def condition(self) -> str:
        """The precondition that failed, in Clark notation."""
        root = self.xml
        assert root.tag == f"{D}error"
        return root.children[0].tag

    @property
    def etag(self) -> str:
        return self.headers["etag"]

    def responses(self) -> dict[str, Element]:
        """DAV:response elements by href."""
        assert self.status == 207, self.body
        return {one.text_of(f"{D}href") or "": one for one in self.xml.all(f"{D}response")}

    def properties(self, href: str, status: int = 200) -> dict[str, Element]:
        """Properties of a resource that came with a status."""
        found: dict[str, Element] = {}
        for propstat in self.responses()[href].all(f"{D}propstat"):
            if f" {status} " in (propstat.text_of(f"{D}status") or ""):
                prop = propstat.first(f"{D}prop")
                assert prop is not None
                found |= {one.tag: one for one in prop.children}
        return found

    def text(self, href: str, name: str) -> str:
        return self.properties(href)[name].text

    def status_of(self, href: str) -> int:
        """The status of a response that has no properties."""
        return int((self.responses()[href].text_of(f"{D}status") or "").split()[1])

    @property
    def sync_token(self) -> str:
        return self.xml.text_of(f"{D}sync-token") or ""


class DavClient:
    """One account's requests."""

    def __init__(self, application: DavApplication, address: str, password: str) -> None:
        self._application = application
        self.address = address
        self.calendars = f"/dav/{address}/calendars/"
        self.contacts = f"/dav/{address}/contacts/"
        self.files = f"/dav/{address}/files/"
        self._authorization = "Basic " + base64.b64encode(f"{address}:{password}".encode()).decode()

    async def __call__(self, method: str, target: str, body: bytes | str = b"", **fields: str) -> Reply:
        """A request; `_` in the names of header fields stands for `-`, a field of None is left out."""
        octets = body.encode() if isinstance(body, str) else body
        path, _, query = target.partition("?")
        headers = {"host": "dav.example.test", "authorization": self._authorization}
        headers |= {name.replace("_", "-").lower(): value for name, value in fields.items()}
        if octets:
            headers["content-length"] = str(len(octets))
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "scheme": "https",
            "client": ("127.0.0.1", 1),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items() if value],
        }
        sent: list[dict[str, Any]] = []
        left = [{"type": "http.request", "body": octets, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return left.pop(0) if left else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self._application(scope, receive, send)
        start = sent[0]
        return Reply(
            start["status"],
            {name.decode(): value.decode() for name, value in start["headers"]},
            b"".join(one.get("body", b"") for one in sent[1:]),
        )

    async def propfind(self, path: str, *names: str, depth: str = "0", **fields: str) -> Reply:
        """PROPFIND of properties, written with the prefixes of NAMESPACES."""
        asked = "".join(f"<{name}/>" for name in names)
        body = f"<propfind {NAMESPACES}><prop>{asked}</prop></propfind>" if names else ""
        return await self("PROPFIND", path, body, depth=depth, **fields)

    async def report(self, path: str, name: str, inner: str, depth: str = "1") -> Reply:
        return await self("REPORT", path, f"<{name} {NAMESPACES}>{inner}</{name}>", depth=depth)

    async def sync(self, path: str, token: str = "", inner: str = "<prop><getetag/></prop>") -> Reply:
        return await self.report(
            path, "sync-collection", f"<sync-token>{token}</sync-token><sync-level>1</sync-level>{inner}", "0"
        )

    async def put(self, path: str, data: bytes | str, **fields: str) -> Reply:
        kind = "text/vcard" if "/contacts/" in path else "text/calendar"
        fields.setdefault("content_type", f"{kind}; charset=utf-8")
        return await self("PUT", path, data, **fields)


class CalDavCopy:
    """What a program that syncs knows of a collection."""

    def __init__(self, client: DavClient, path: str) -> None:
        self._client = client
        self._path = path
        self.token = ""
        self.etags: dict[str, str] = {}

    async def synchronise(self) -> tuple[set[str], set[str]]:
        """Hear of what changed; the hrefs that did, and those that are gone."""
        reply = await self._client.sync(self._path, self.token)
        changed, gone = set(), set()
        for href in reply.responses():
            properties = reply.properties(href)
            if properties:
                self.etags[href] = properties[f"{D}getetag"].text
                changed.add(href)
            else:
                assert reply.status_of(href) == 404
                del self.etags[href]
                gone.add(href)
        self.token = reply.sync_token
        return changed, gone


class DavHouse:
    """An installation with its server."""

    def __init__(self, made: Installation, application: DavApplication) -> None:
        self.made = made
        self.application = application

    def client(self, address: str = "alice@example.test", password: str | None = None) -> DavClient:
        return DavClient(self.application, address, password or self.made.passwords[address])


@asynccontextmanager
async def dav_house(
    folder: Path,
    settings: Settings | None = None,
    clock: Clock | None = None,
    access: Access | None = None,
    hooks: Hooks | None = None,
) -> AsyncIterator[DavHouse]:
    """alice and bob at example.test."""
    async with installation(folder, settings, clock) as made:
        services = DavServices(
            made.mailboxes, made.directory, made.settings, made.clock, access or Access(), hooks or Hooks()
        )
        server = DavServer(services, registry())
        yield DavHouse(made, DavApplication(server, made.authenticator, made.settings, "caldav"))


def calendar(*components: str) -> str:
    """A calendar of components."""
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *components, "END:VCALENDAR", ""))


def event(uid: str, start: str = "DTSTART:20260105T100000Z", *lines: str, end: str = "DURATION:PT1H") -> str:
    """An event without its calendar."""
    return "\r\n".join(
        ("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", start, *([end] if end else []), *lines, "END:VEVENT")
    )


def card(uid: str, name: str, *lines: str, version: str = "3.0") -> str:
    """A card."""
    return "\r\n".join(
        ("BEGIN:VCARD", f"VERSION:{version}", f"UID:{uid}", f"FN:{name}", f"N:{name};;;;", *lines, "END:VCARD", "")
    )
