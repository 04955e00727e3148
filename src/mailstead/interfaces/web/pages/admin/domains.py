"""All domains: added, and removed when they have no addresses any more."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from mailstead.administration.domains import add_domain, list_domains, remove_domain, set_owner
from mailstead.foundation.errors import PermanentError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.admin import require_administrator
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.stores.directory.records import Alias, User


class DomainForm(msgspec.Struct, frozen=True):
    """The form that adds, gives or removes one."""

    name: Annotated[str, msgspec.Meta(max_length=253)]
    action: Annotated[str, msgspec.Meta(max_length=20)] = "add"
    owner: Annotated[str, msgspec.Meta(max_length=320)] = ""


class AdminDomainPages(Controller):
    """/admin/domains"""

    path = "/admin/domains"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """All of them."""
        return await self._page(request, services, identity)

    @post("/", status_code=200)
    async def change(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[DomainForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Add one (its records come next), give it to another user, or remove it."""
        require_administrator(identity)
        administration, actor = services.api.administration, identity.actor
        try:
            if data.action == "remove":
                await remove_domain(administration, actor, data.name, with_aliases=False)
                return moved("/admin/domains")
            if data.action == "owner":
                await set_owner(administration, actor, data.name, data.owner.strip().lower())
                return moved("/admin/domains")
            domain = await add_domain(administration, actor, data.name.strip(), owner_id=actor.user_id)
        except PermanentError as error:
            return await self._page(
                request, services, identity, problem=error.public_text, typed=data.name, status=error.http_status
            )
        return moved(f"/admin/setup/{domain.id}")

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
        directory = services.api.administration.directory
        counts: dict[str, int] = {}
        for alias in await directory.find(Alias):
            counts[alias.domain] = counts.get(alias.domain, 0) + 1
        return render(
            request,
            services,
            "admin/domains.html",
            identity=identity,
            domains=await list_domains(services.api.administration, identity.actor),
            owners={user.id: user.address for user in await directory.find(User)},
            counts=counts,
            problem=problem,
            typed=typed,
            status=status,
        )
