"""People with an account."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from mailstead.administration.second_factor import remove_second_factor
from mailstead.administration.users import add_user, find_user, list_users, remove_user, set_user
from mailstead.foundation.crypto.passwords import new_app_password
from mailstead.foundation.errors import InvalidError, PermanentError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.admin import require_administrator
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render


class NewUser(msgspec.Struct, frozen=True):
    """The form that adds one; `admin` is empty for no."""

    address: Annotated[str, msgspec.Meta(max_length=320)]
    admin: Annotated[str, msgspec.Meta(max_length=5)] = ""


class UserAction(msgspec.Struct, frozen=True):
    """The form that changes one."""

    address: Annotated[str, msgspec.Meta(max_length=320)]
    action: Annotated[str, msgspec.Meta(max_length=20)]


class UserPages(Controller):
    """/admin/users"""

    path = "/admin/users"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """All of them."""
        return await self._page(request, services, identity)

    @post("/", status_code=200)
    async def add(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[NewUser, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Add one; the page that answers shows the password this once."""
        require_administrator(identity)
        try:
            user, password = await add_user(
                services.api.administration,
                identity.actor,
                data.address.strip(),
                password=None,
                is_admin=bool(data.admin),
            )
        except PermanentError as error:
            return await self._page(
                request, services, identity, problem=error.public_text, status=error.http_status, typed=data.address
            )
        return await self._page(request, services, identity, made=password, address=user.address)

    @post("/change", status_code=200)
    async def change(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[UserAction, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Give or take the role, make a new password, switch the second factor off, or remove."""
        require_administrator(identity)
        administration, actor = services.api.administration, identity.actor
        user = await find_user(administration, data.address)
        if user.id == actor.user_id and data.action in ("demote", "remove"):
            raise InvalidError("Nobody takes the role from himself")
        try:
            match data.action:
                case "promote" | "demote":
                    is_admin = data.action == "promote"
                    await set_user(administration, actor, user.address, password=None, is_admin=is_admin)
                case "password":
                    password = new_app_password()
                    await set_user(administration, actor, user.address, password=password, is_admin=None)
                    await services.api.identification.sessions.end_all(user.id, except_id=identity.credential)
                    return await self._page(request, services, identity, made=password, address=user.address)
                case "second-factor":
                    await remove_second_factor(administration, actor, user.id, None)
                case "remove":
                    await remove_user(administration, actor, user.address)
                    await services.api.identification.sessions.end_all(user.id)
                case _:
                    raise InvalidError("This cannot be done with users")
        except PermanentError as error:
            return await self._page(request, services, identity, problem=error.public_text, status=error.http_status)
        return moved("/admin/users")

    async def _page(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        *,
        made: str = "",
        address: str = "",
        problem: str = "",
        typed: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        require_administrator(identity)
        return render(
            request,
            services,
            "admin/users.html",
            identity=identity,
            users=await list_users(services.api.administration, identity.actor),
            made=made,
            address=address,
            problem=problem,
            typed=typed,
            status=status,
        )
