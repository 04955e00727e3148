"""The queue of mail that goes out, with what can be done about it."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter

from mailstead.administration.queue import (
    drop_queued,
    hold_queued,
    list_queue,
    release_queued,
    retry_queued,
    show_queued,
)
from mailstead.foundation.errors import InvalidError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.admin import require_administrator
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render

_SHOWN = 200
_ACTIONS = {"retry": retry_queued, "hold": hold_queued, "release": release_queued, "drop": drop_queued}


class QueueAction(msgspec.Struct, frozen=True):
    """The form of a message's buttons."""

    queue_id: Annotated[str, msgspec.Meta(max_length=100)]
    action: Annotated[str, msgspec.Meta(max_length=20)]


class QueuePages(Controller):
    """/admin/queue"""

    path = "/admin/queue"
    include_in_schema = False

    @get("/")
    async def show(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        destination: Annotated[str, QueryParameter(max_length=253)] = "",
    ) -> Response[bytes]:
        """The oldest of what waits, of all destinations or one."""
        require_administrator(identity)
        found = await list_queue(
            identity.actor, services.api.queue, limit=_SHOWN, destination=destination.strip().lower() or None
        )
        total = await services.api.queue.count()
        return render(
            request,
            services,
            "admin/queue.html",
            identity=identity,
            consignments=found,
            total=total,
            destination=destination,
        )

    @get("/{queue_id:str}")
    async def show_one(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, queue_id: str
    ) -> Response[bytes]:
        """One message and its way."""
        require_administrator(identity)
        consignments = await show_queued(identity.actor, services.api.queue, queue_id)
        ways = await services.api.trace.ways(consignments[0].trace_id)
        return render(request, services, "admin/queued.html", identity=identity, consignments=consignments, ways=ways)

    @post("/", status_code=200)
    async def act(
        self,
        services: WebServices,
        identity: Identity,
        data: Annotated[QueueAction, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Try now, hold, release or drop."""
        require_administrator(identity)
        action = _ACTIONS.get(data.action)
        if action is None:
            raise InvalidError("This cannot be done with queued mail")
        await action(services.api.administration, identity.actor, services.api.queue, data.queue_id)
        return moved("/admin/queue" if data.action == "drop" else f"/admin/queue/{data.queue_id}")
