"""The MTA-STS policy of each domain served here (RFC 8461 §3.2)."""

from typing import Any

from litestar import Controller, Request, Response, get
from litestar.exceptions import NotFoundException

from mailstead.administration.dns_records import own_sts_policy
from mailstead.interfaces.api.access import OPEN
from mailstead.interfaces.web.services import WebServices
from mailstead.mail.authentication.mtasts.policy import format_policy

_LABEL = "mta-sts."


class MtaStsPages(Controller):
    """/.well-known/mta-sts.txt at mta-sts.DOMAIN, open to all."""

    include_in_schema = False

    @get("/.well-known/mta-sts.txt", opt={"access": OPEN})
    async def show(self, request: Request[Any, Any, Any], services: WebServices) -> Response[bytes]:
        """The policy, where the domain is one of ours and a policy is published."""
        host = request.headers.get("host", "").partition(":")[0].lower()
        api = services.api
        policy = own_sts_policy(api.settings, api.hostname)
        if policy is None or not host.startswith(_LABEL):
            raise NotFoundException
        if not await api.administration.directory.is_local_domain(host.removeprefix(_LABEL)):
            raise NotFoundException
        return Response(format_policy(policy).encode("ascii"), media_type="text/plain")
