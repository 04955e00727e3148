"""The security of the account: one-time codes, passkeys, sessions, and what was done."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from mailstead.administration.auditing import audit_of
from mailstead.administration.passkeys import passkeys
from mailstead.administration.second_factor import (
    begin_second_factor,
    confirm_second_factor,
    factors,
    remove_second_factor,
)
from mailstead.foundation.errors import MailsteadError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.discovery.phone_code import picture
from mailstead.interfaces.web.pages.aliases import require_user
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render


class OneTimeCode(msgspec.Struct, frozen=True):
    """A form with a code; `secret` repeats the key that is being proved."""

    code: Annotated[str, msgspec.Meta(max_length=100)]


Given = Annotated[OneTimeCode, Body(media_type=RequestEncodingType.URL_ENCODED)]


class SecurityPages(Controller):
    """/account/security"""

    path = "/account/security"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """The overview."""
        require_user(identity)
        return await self._page(request, services, identity)

    @post("/codes", status_code=200)
    async def begin(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Show a new key as a picture and as text; it counts when a code of it was given."""
        require_user(identity)
        secret, address = await begin_second_factor(services.api.administration, identity.actor)
        return await self._page(request, services, identity, secret=secret, code=picture(address))

    @post("/codes/confirm", status_code=200)
    async def confirm(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, data: Given
    ) -> Response[bytes]:
        """Switch codes on; the page shows the recovery codes this once."""
        require_user(identity)
        administration = services.api.administration
        try:
            recovery = await confirm_second_factor(administration, identity.actor, data.code)
        except MailsteadError as error:
            store = factors(administration)
            factor = await store.of_user(identity.actor.user_id)
            if factor is None or factor.is_on:
                raise
            return await self._page(
                request,
                services,
                identity,
                secret=store.secret(factor),
                problem=error.public_text,
                status=error.http_status,
            )
        return await self._page(request, services, identity, recovery=recovery)

    @post("/codes/remove", status_code=200)
    async def remove(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, data: Given
    ) -> Response[bytes]:
        """Log in by the password alone again; a code proves that it is the owner who wants so."""
        require_user(identity)
        try:
            await remove_second_factor(services.api.administration, identity.actor, identity.actor.user_id, data.code)
        except MailsteadError as error:
            return await self._page(request, services, identity, problem=error.public_text, status=error.http_status)
        return moved("/account/security")

    @post("/sessions/end-others", status_code=200)
    async def end_others(self, services: WebServices, identity: Identity) -> Response[bytes]:
        """Log out everywhere but here."""
        require_user(identity)
        await services.api.identification.sessions.end_all(identity.actor.user_id, except_id=identity.credential)
        return moved("/account/security")

    async def _page(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        *,
        secret: str = "",
        code: str = "",
        recovery: list[str] | None = None,
        problem: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        administration = services.api.administration
        factor = await factors(administration).of_user(identity.actor.user_id)
        sessions = await services.api.identification.sessions.of_user(identity.actor.user_id)
        return render(
            request,
            services,
            "account/security.html",
            identity=identity,
            factor=factor if factor is not None and factor.is_on else None,
            passkeys=await passkeys(administration).of_user(identity.actor.user_id),
            sessions=sessions,
            current=identity.credential,
            audit=await audit_of(administration, identity.address),
            secret=secret,
            code=code,
            recovery=recovery or [],
            problem=problem,
            status=status,
        )
