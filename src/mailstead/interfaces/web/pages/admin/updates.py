"""Updates: what runs, how the last one ended, and asking the host's updater for more."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

import mailstead
from mailstead.foundation.errors import InvalidError, PermanentError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.admin import require_administrator
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render


class UpdateWanted(msgspec.Struct, frozen=True):
    """What is asked for; `version` is empty for the newest of the channel."""

    action: Annotated[str, msgspec.Meta(max_length=10)]
    version: Annotated[str, msgspec.Meta(max_length=30, pattern=r"^(v?\d+\.\d+\.\d+[0-9A-Za-z.+-]*)?$")] = ""


class UpdatePages(Controller):
    """/admin/updates"""

    path = "/admin/updates"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """Where it stands."""
        return self._page(request, services, identity)

    @post("/", status_code=200)
    async def ask(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[UpdateWanted, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Ask for an update, or for the version before."""
        require_administrator(identity)
        try:
            match data.action:
                case "now" | "rollback":
                    version = data.version.strip() if data.action == "now" else ""
                    await services.updating.ask(identity.actor, data.action, version)
                case _:
                    raise InvalidError("This cannot be done with updates")
        except PermanentError as error:
            return self._page(request, services, identity, problem=error.public_text, status=error.http_status)
        return moved("/admin/updates")

    @staticmethod
    def _page(
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        *,
        problem: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        require_administrator(identity)
        return render(
            request,
            services,
            "admin/updates.html",
            identity=identity,
            version=mailstead.__version__,
            standing=services.updating.standing(),
            problem=problem,
            status=status,
        )
