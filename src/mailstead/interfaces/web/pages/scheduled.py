"""What waits to be sent: seen, sent at once, or taken back to be changed or dropped."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter

from mailstead.administration.sending import send_now
from mailstead.foundation.errors import InvalidError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.compose import taken_back
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.interfaces.web.zone import zone_of

_MOST = 500


class WaitingAction(msgspec.Struct, frozen=True):
    """What to do with a message that waits; `id` is its trace id."""

    id: Annotated[str, msgspec.Meta(max_length=100)]
    action: Annotated[str, msgspec.Meta(max_length=10)]


class ScheduledPages(Controller):
    """/mail/scheduled"""

    path = "/mail/scheduled"
    include_in_schema = False

    @get("/")
    async def show(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        told: Annotated[str, QueryParameter(max_length=20)] = "",
    ) -> Response[bytes]:
        """All of this mailbox, the first to go first."""
        return render(
            request,
            services,
            "mail/scheduled.html",
            identity=identity,
            waiting=await services.api.sent.waiting({"alias_id": identity.alias_id}, _MOST),
            zone=zone_of(request).key,
            told=told,
        )

    @post("/", status_code=200)
    async def act(
        self,
        services: WebServices,
        identity: Identity,
        data: Annotated[WaitingAction, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Send now, change (it is a draft again and opened), or do not send (it is a draft again)."""
        match data.action:
            case "now":
                await send_now(services.api.administration, identity.actor, services.api.queue, data.id)
                await services.api.sent.released(data.id)
                return moved("/mail/scheduled/?told=now")
            case "edit":
                return moved(f"/mail/compose?draft={await taken_back(services, identity, data.id)}")
            case "cancel":
                await taken_back(services, identity, data.id)
                return moved("/mail/scheduled/?told=draft")
            case _:
                raise InvalidError("This cannot be done with queued mail")
