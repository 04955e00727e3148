"""Who may always send, and who never: to this installation, or to one domain."""

from typing import Any

from litestar import Controller, Request, Response, get, post

from mailstead.administration.access_lists import list_access, remove_access, set_access
from mailstead.administration.aliases import find_domain
from mailstead.foundation.errors import InvalidError, PermanentError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.admin import require_administrator
from mailstead.interfaces.web.pages.aliases import require_user
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render

_PATHS = ["/admin/access", "/account/domains/{name:str}/access"]


class AccessPages(Controller):
    """/admin/access and /account/domains/NAME/access"""

    include_in_schema = False

    @get(_PATHS)
    async def show(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, name: str = ""
    ) -> Response[bytes]:
        """Both lists, of the server without a name."""
        return await self._page(request, services, identity, name)

    @post(_PATHS, status_code=200)
    async def change(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, name: str = ""
    ) -> Response[bytes]:
        """Allow, deny, or take an entry out."""
        _require(identity, name)
        form = await request.form()
        value, note = str(form.get("value") or "").strip(), str(form.get("note") or "").strip()
        administration, actor = services.api.administration, identity.actor
        try:
            match str(form.get("action") or ""):
                case "allow":
                    await set_access(administration, actor, "allow", value, scope=name, note=note)
                case "deny":
                    await set_access(administration, actor, "deny", value, scope=name, note=note)
                case "remove":
                    await remove_access(administration, actor, value, scope=name)
                case _:
                    raise InvalidError("This cannot be done with entries")
        except PermanentError as error:
            return await self._page(
                request, services, identity, name, problem=error.public_text, typed=value, status=error.http_status
            )
        return moved(request.url.path)

    @staticmethod
    async def _page(
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        name: str,
        *,
        problem: str = "",
        typed: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        _require(identity, name)
        entries = await list_access(services.api.administration, identity.actor, name)
        return render(
            request,
            services,
            "access.html",
            identity=identity,
            domain=await find_domain(services.api.administration, name) if name else None,
            entries=entries,
            problem=problem,
            typed=typed,
            status=status,
        )


def _require(identity: Identity, name: str) -> None:
    if name:
        require_user(identity)
    else:
        require_administrator(identity)
