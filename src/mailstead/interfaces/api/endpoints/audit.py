"""Who did what: the audit log."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter

from mailstead.administration.auditing import list_audit
from mailstead.interfaces.api.access import USER
from mailstead.interfaces.api.moments import moment, parse_moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity


class AuditShown(msgspec.Struct, frozen=True):
    """One action: who, what (`alias.add`), to what, and how."""

    id: str
    at: str
    actor: str
    action: str
    target: str
    detail: dict[str, Any]
    object: str = "audit"


class AuditController(Controller):
    """/audit"""

    path = "/audit"
    tags = ("Administration",)
    opt = {"access": USER}

    @get("/", summary="What was changed, and by whom")
    async def list_all(
        self,
        identity: Identity,
        services: ApiServices,
        domain: Annotated[str, QueryParameter(max_length=253, description="Of one domain and its addresses")] = "",
        target: Annotated[str, QueryParameter(max_length=320, description="Of one address, user or message")] = "",
        since: str = "",
        after: Annotated[str, QueryParameter(max_length=100, description="Go on after the entry of this id")] = "",
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    ) -> list[AuditShown]:
        """Newest first: all for server admins, a domain's for its admins, else one's own actions."""
        found = await list_audit(
            services.administration,
            identity.actor,
            limit=limit,
            domain=domain,
            target=target,
            since=parse_moment(since) if since else 0.0,
            after=after,
        )
        return [AuditShown(one.id, moment(one.at), one.actor, one.action, one.target, one.detail) for one in found]
