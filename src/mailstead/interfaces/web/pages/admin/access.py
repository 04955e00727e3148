"""Who may always send to this installation, and who never."""

from typing import Any

from litestar import Controller, Request, Response, get, post

from mailstead.administration.access_lists import list_access, remove_access, set_access
from mailstead.foundation.errors import InvalidError, PermanentError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.admin import require_administrator
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render


class AccessPages(Controller):
    """/admin/access"""

    path = "/admin/access"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """Both lists of the server."""
        return await self._page(request, services, identity)

    @post("/", status_code=200)
    async def change(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Allow, deny, or take an entry out."""
        require_administrator(identity)
        form = await request.form()
        value, action = str(form.get("value") or "").strip(), str(form.get("action") or "")
        administration, actor = services.api.administration, identity.actor
        try:
            match action:
                case "allow":
                    await set_access(administration, actor, "allow", value, note=str(form.get("note") or "").strip())
                case "deny":
                    await set_access(administration, actor, "deny", value, note=str(form.get("note") or "").strip())
                case "remove":
                    await remove_access(administration, actor, value)
                case _:
                    raise InvalidError("This cannot be done with entries")
        except PermanentError as error:
            return await self._page(
                request, services, identity, problem=error.public_text, typed=value, status=error.http_status
            )
        return moved("/admin/access")

    async def _page(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        *,
        problem: str = "",
        typed: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        require_administrator(identity)
        return render(
            request,
            services,
            "admin/access.html",
            identity=identity,
            entries=await list_access(services.api.administration, identity.actor),
            problem=problem,
            typed=typed,
            status=status,
        )
