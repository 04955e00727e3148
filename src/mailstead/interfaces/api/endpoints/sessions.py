"""Logins of the user in browsers."""

import msgspec
from litestar import Controller, delete, get

from mailstead.foundation.errors import NotFoundError
from mailstead.interfaces.api.access import USER
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity


class SessionShown(msgspec.Struct, frozen=True):
    """A login in a browser."""

    id: str
    email: str
    ip: str
    user_agent: str
    created_at: str
    seen_at: str
    expires_at: str
    is_current: bool
    object: str = "session"


class SessionController(Controller):
    """/sessions"""

    path = "/sessions"
    tags = ("Account",)
    opt = {"access": USER}

    @get("/", summary="Your logins in browsers")
    async def list_all(self, identity: Identity, services: ApiServices) -> list[SessionShown]:
        """Those that have not ended."""
        return [
            SessionShown(
                one.id,
                one.address,
                one.peer,
                one.agent,
                moment(one.created_at),
                moment(one.seen_at),
                moment(one.expires_at),
                identity.session is not None and one.id == identity.session.id,
            )
            for one in await services.identification.sessions.of_user(identity.actor.user_id)
        ]

    @delete("/{session_id:str}", status_code=204, summary="End a login")
    async def end(self, session_id: str, identity: Identity, services: ApiServices) -> None:
        """Effective at once."""
        if not await services.identification.sessions.end(identity.actor.user_id, session_id):
            raise NotFoundError("There is no such session")
        await services.administration.audit(identity.actor, "session.end", identity.actor.user_id)

    @delete("/", status_code=204, summary="End all other logins")
    async def end_all(self, identity: Identity, services: ApiServices) -> None:
        """The one that asks goes on."""
        current = identity.session.id if identity.session is not None else ""
        ended = await services.identification.sessions.end_all(identity.actor.user_id, except_id=current)
        await services.administration.audit(identity.actor, "session.end-all", identity.actor.user_id, ended=ended)
