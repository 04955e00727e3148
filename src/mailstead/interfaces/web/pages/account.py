"""The account: its mailbox's passwords, sessions and tokens."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from mailstead.administration.passwords import add_password, remove_password
from mailstead.foundation.errors import NotFoundError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.discovery.phone_code import phone_code, picture
from mailstead.interfaces.web.discovery.profile import profile
from mailstead.interfaces.web.pages.discovery import profile_response, servers_of
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.stores.directory.records import Alias

_KINDS = ("app_password", "password", "recovery")


class NewPassword(msgspec.Struct, frozen=True):
    """The form that makes an app password."""

    label: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class Gone(msgspec.Struct, frozen=True):
    """The form that removes something by its id."""

    id: str


class Shown(msgspec.Struct, frozen=True):
    """The form that repeats a password that was just made."""

    password: Annotated[str, msgspec.Meta(max_length=1024)]


class AccountPages(Controller):
    """/account"""

    path = "/account"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """The overview."""
        return await self._page(request, services, identity)

    @post("/passwords", status_code=200)
    async def add(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[NewPassword, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Make an app password; the page that answers shows it this once."""
        assert identity.key is not None
        _, password = await add_password(
            services.api.administration,
            identity.actor,
            identity.address,
            password=None,
            label=data.label,
            current=identity.key,
        )
        return await self._page(request, services, identity, made=password, label=data.label)

    @post("/passwords/remove", status_code=200)
    async def remove(
        self,
        services: WebServices,
        identity: Identity,
        data: Annotated[Gone, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Remove a password; programs that use it are logged out."""
        await remove_password(services.api.administration, identity.actor, identity.address, data.id)
        return moved("/account/")

    @post("/passwords/profile", status_code=200)
    async def profile(
        self,
        services: WebServices,
        identity: Identity,
        data: Annotated[Shown, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """The configuration profile of Apple's systems with the password that the page just showed."""
        content = profile(servers_of(services), identity.address, data.password)
        return profile_response(services, content, identity.address)

    @post("/sessions/end", status_code=200)
    async def end(
        self,
        services: WebServices,
        identity: Identity,
        data: Annotated[Gone, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Log another browser out."""
        if not await services.api.identification.sessions.end(identity.actor.user_id, data.id):
            raise NotFoundError
        return moved("/account/")

    async def _page(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        *,
        made: str = "",
        label: str = "",
    ) -> Response[bytes]:
        alias = await services.api.administration.directory.get(Alias, identity.alias_id)
        if alias is None:
            raise NotFoundError
        sessions = await services.api.identification.sessions.of_user(identity.actor.user_id)
        return render(
            request,
            services,
            "account/account.html",
            identity=identity,
            alias=alias,
            slots=[slot for slot in alias.slots if slot.kind in _KINDS],
            sessions=[session for session in sessions if session.address == identity.address],
            current=identity.credential,
            made=made,
            label=label,
            servers=servers_of(services),
            code=picture(phone_code(servers_of(services), identity.address, made)) if made else "",
        )
