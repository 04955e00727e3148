"""Messages that were deleted, brought back."""

from typing import Annotated

import msgspec
from litestar import Controller, post

from mailstead.interfaces.api.access import MAILBOX
from mailstead.interfaces.api.mailbox import opened
from mailstead.interfaces.api.moments import parse_moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity

_DAY = 86400.0


class UndeleteWanted(msgspec.Struct, frozen=True):
    """From when on what was deleted is to come back: a time, or days back from now."""

    since: str | None = None
    days: Annotated[float, msgspec.Meta(gt=0, le=3650)] = 1.0


class Undeleted(msgspec.Struct, frozen=True):
    """How many messages came back."""

    restored: int
    object: str = "undelete"


class UndeleteController(Controller):
    """/undelete"""

    path = "/undelete"
    tags = ("Messages",)
    opt = {"access": MAILBOX}

    @post("/", status_code=200, summary="Bring deleted messages back")
    async def undelete(self, data: UndeleteWanted, identity: Identity, services: ApiServices) -> Undeleted:
        """Each to the folder it was in, or to Restored where that is gone."""
        since = services.clock.now() - data.days * _DAY if data.since is None else parse_moment(data.since)
        mailbox = await opened(services, identity)
        restored = await services.mailboxes.run(mailbox.undelete, since)
        await services.administration.audit(identity.actor, "mailbox.undelete", identity.address, restored=restored)
        return Undeleted(restored)
