"""The outbound queue, for server admins."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, get, post
from litestar.params import QueryParameter

from mailstead.administration.queue import (
    Changed,
    drop_queued,
    hold_queued,
    list_queue,
    release_queued,
    retry_queued,
    show_queued,
)
from mailstead.interfaces.api.access import USER
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.mail.outbound.records import Consignment

_ACTIONS = {"retry": retry_queued, "hold": hold_queued, "release": release_queued, "drop": drop_queued}


class QueuedShown(msgspec.Struct, frozen=True):
    """What waits for one destination; `size` is in octets."""

    id: str
    queue_id: str
    state: str
    destination: str
    sender: str
    recipients: list[str]
    size: int
    attempts: int
    queued_at: str
    due_at: str
    last_error: str
    object: str = "queued"


def _shown(consignment: Consignment) -> QueuedShown:
    envelope = consignment.envelope
    return QueuedShown(
        consignment.id,
        consignment.queue_id,
        consignment.state,
        consignment.destination,
        envelope.sender,
        [recipient.address for recipient in envelope.recipients],
        consignment.size,
        consignment.attempts,
        moment(consignment.queued_at),
        moment(consignment.due_at),
        consignment.last_error,
    )


class QueueController(Controller):
    """/queue"""

    path = "/queue"
    tags = ("Queue",)
    opt = {"access": USER}

    @get("/", summary="What waits to be sent")
    async def list_all(
        self,
        identity: Identity,
        services: ApiServices,
        destination: str = "",
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    ) -> list[QueuedShown]:
        """Oldest first."""
        found = await list_queue(identity.actor, services.queue, limit=limit, destination=destination or None)
        return [_shown(consignment) for consignment in found]

    @get("/{queue_id:str}", summary="One queued message")
    async def show(self, queue_id: str, identity: Identity, services: ApiServices) -> list[QueuedShown]:
        """One entry for each destination."""
        return [_shown(consignment) for consignment in await show_queued(identity.actor, services.queue, queue_id)]

    @post("/{queue_id:str}/{action:str}", status_code=200, summary="Retry, hold, release or drop a queued message")
    async def act(
        self,
        queue_id: str,
        action: Literal["retry", "hold", "release", "drop"],
        identity: Identity,
        services: ApiServices,
    ) -> Changed:
        """How many of its destinations were changed; `busy` ones are being tried at that moment."""
        return await _ACTIONS[action](services.administration, identity.actor, services.queue, queue_id)
