"""Where messages went, in plain words."""

from typing import Annotated

import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter

from mailstead.foundation.errors import PermissionDeniedError
from mailstead.interfaces.api.endpoints.emails import StepShown
from mailstead.interfaces.api.moments import moment, parse_moment
from mailstead.interfaces.api.seen_way import seen_by
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity


class TraceShown(msgspec.Struct, frozen=True):
    """The way of one message."""

    id: str
    steps: list[StepShown]
    object: str = "trace"


class TraceController(Controller):
    """/trace"""

    path = "/trace"
    tags = ("Trace",)

    @get("/", summary="The way of messages")
    async def find(
        self,
        identity: Identity,
        services: ApiServices,
        q: Annotated[str, QueryParameter(description="An address, a Message-ID or a queue id", min_length=1)],
        since: str = "",
        limit: Annotated[int, QueryParameter(ge=1, le=200)] = 20,
    ) -> list[TraceShown]:
        """Server admins find everything, others what they sent, and of what they received nothing of other recipients."""
        await services.trace.flush()
        ways = await services.trace.ways(q, parse_moment(since) if since else 0.0, limit)
        if not identity.actor.is_admin:
            if "@" in q and not await services.administration.directory.may_send_as(identity.actor.user_id, q):
                raise PermissionDeniedError("This is no address of yours")
            ways = [seen for way in ways if (seen := seen_by(way, identity.address)) is not None]
        return [
            TraceShown(
                way.trace_id,
                [StepShown(moment(entry.at), entry.service, entry.event, entry.text) for entry in way.entries],
            )
            for way in ways
        ]
