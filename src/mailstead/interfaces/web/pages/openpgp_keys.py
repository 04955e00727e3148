"""The Web Key Directory of the domains served here (draft-koch-openpgp-webkey-service)."""

from typing import Any

from litestar import Controller, Request, Response, get
from litestar.exceptions import NotFoundException

from mailstead.administration.encryption import published_key
from mailstead.interfaces.api.access import OPEN
from mailstead.interfaces.web.services import WebServices

_LABEL = "openpgpkey."
_HEADERS = {"access-control-allow-origin": "*"}


def _host(request: Request[Any, Any, Any]) -> str:
    return request.headers.get("host", "").partition(":")[0].lower().removeprefix(_LABEL)


class OpenPgpKeyPages(Controller):
    """/.well-known/openpgpkey by both methods, open to all."""

    include_in_schema = False

    @get("/.well-known/openpgpkey/hu/{digest:str}", opt={"access": OPEN})
    async def direct(self, request: Request[Any, Any, Any], services: WebServices, digest: str) -> Response[bytes]:
        """The key of an address at the host's own domain."""
        return await _key(services, _host(request), digest)

    @get("/.well-known/openpgpkey/{domain:str}/hu/{digest:str}", opt={"access": OPEN})
    async def advanced(self, services: WebServices, domain: str, digest: str) -> Response[bytes]:
        """The key of an address at `domain`."""
        return await _key(services, domain.lower(), digest)

    @get("/.well-known/openpgpkey/policy", opt={"access": OPEN})
    async def policy(self, request: Request[Any, Any, Any], services: WebServices) -> Response[bytes]:
        """An empty policy: the sign that there is a directory."""
        return await _policy(services, _host(request))

    @get("/.well-known/openpgpkey/{domain:str}/policy", opt={"access": OPEN})
    async def policy_of(self, services: WebServices, domain: str) -> Response[bytes]:
        """The same by the advanced method."""
        return await _policy(services, domain.lower())


async def _key(services: WebServices, domain: str, digest: str) -> Response[bytes]:
    found = await published_key(services.api.administration.directory, domain, digest)
    if found is None:
        raise NotFoundException
    return Response(found, media_type="application/octet-stream", headers=_HEADERS)


async def _policy(services: WebServices, domain: str) -> Response[bytes]:
    if not await services.api.administration.directory.is_local_domain(domain):
        raise NotFoundException
    return Response(b"", media_type="text/plain", headers=_HEADERS)
