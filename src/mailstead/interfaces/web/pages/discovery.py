"""What mail programs fetch to set an account up, for anybody who asks: it tells nothing of who has an account."""

import re
from typing import Annotated, Any

from litestar import Controller, Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import QueryParameter

from mailstead.foundation.errors import InvalidError
from mailstead.interfaces.web.discovery.autoconfig import autoconfig
from mailstead.interfaces.web.discovery.autodiscover import REQUEST_LIMIT, asked_for, autodiscover
from mailstead.interfaces.web.discovery.profile import TYPE, profile, signed_profile
from mailstead.interfaces.web.discovery.servers import MailServers, mail_servers
from mailstead.interfaces.web.services import WebServices

_XML = "application/xml; charset=utf-8"
_HOST = re.compile(r"(?:autoconfig|autodiscover)\.([a-z0-9.-]{1,250})", re.IGNORECASE)
_ADDRESS = re.compile(r"[^@\s<>\"\\/]{1,64}@([A-Za-z0-9.-]{1,250})")
Address = Annotated[str, QueryParameter(name="emailaddress", max_length=320)]


def servers_of(services: WebServices) -> MailServers:
    """The servers of this installation."""
    return mail_servers(services.api.settings, services.api.hostname)


def profile_response(services: WebServices, content: bytes, address: str) -> Response[bytes]:
    """A profile as a download, signed where the certificate can."""
    name = re.sub(r"[^A-Za-z0-9.@_-]", "_", address)
    return Response(
        signed_profile(content, services.certificate),
        media_type=TYPE,
        headers={"Content-Disposition": f'attachment; filename="{name}.mobileconfig"'},
    )


class DiscoveryPages(Controller):
    """The well-known paths of autoconfig, autodiscover and profiles."""

    include_in_schema = False

    @get(["/mail/config-v1.1.xml", "/.well-known/autoconfig/mail/config-v1.1.xml"])
    async def autoconfig(
        self, request: Request[Any, Any, Any], services: WebServices, address: Address = ""
    ) -> Response[bytes]:
        """For Thunderbird and those who read its format."""
        named = _ADDRESS.fullmatch(address)
        asked = _HOST.fullmatch(request.url.hostname or "")
        domain = named[1] if named else asked[1] if asked else services.api.hostname
        return Response(autoconfig(servers_of(services), domain.lower()), media_type=_XML)

    @post(
        ["/autodiscover/autodiscover.xml", "/Autodiscover/Autodiscover.xml", "/AutoDiscover/AutoDiscover.xml"],
        status_code=200,
    )
    async def autodiscover(self, request: Request[Any, Any, Any], services: WebServices) -> Response[bytes]:
        """For Outlook: the address is in the request's document."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > REQUEST_LIMIT:
                raise InvalidError("The request is too long")
        address = asked_for(body)
        if not _ADDRESS.fullmatch(address):
            raise InvalidError("The request names no address")
        return Response(autodiscover(servers_of(services), address), media_type=_XML)

    @get("/c/{name:str}")
    async def profile(self, services: WebServices, name: str) -> Response[bytes]:
        """The profile of an address, without a password."""
        address = name.removesuffix(".mobileconfig")
        if address == name or not _ADDRESS.fullmatch(address):
            raise NotFoundException
        return profile_response(services, profile(servers_of(services), address), address)
