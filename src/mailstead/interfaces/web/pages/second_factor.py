"""The second step of a login: a one-time code or a recovery code."""

import hmac
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from mailstead.administration.second_factor import check_second_factor
from mailstead.foundation.errors import AuthenticationError, LimitExceededError
from mailstead.interfaces.api.access import SESSION_COOKIE
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.login import Next, begin_session, local_path, moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.interfaces.web.visitor import ForeignFormError, LoginNeededError, require_own_origin


class Code(msgspec.Struct, frozen=True):
    """The form."""

    code: Annotated[str, msgspec.Meta(max_length=100)]
    csrf: Annotated[str, msgspec.Meta(max_length=100)]
    next: str = "/"


class SecondFactorPages(Controller):
    """/login/second"""

    path = "/login/second"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, target: Next = "/") -> Response[bytes]:
        """The form, for who gave the password."""
        identity = await self._waiting(request, services)
        identity.close()
        return self._form(request, services, identity, target=local_path(target))

    @post("/", status_code=200)
    async def enter(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        data: Annotated[Code, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Take the code; the session that waited ends, and one under a new name begins."""
        require_own_origin(request)
        identity = await self._waiting(request, services)
        target = local_path(data.next)
        try:
            assert identity.session is not None
            assert identity.user is not None
            if not hmac.compare_digest(data.csrf.encode(), identity.session.csrf.encode()):
                raise ForeignFormError
            try:
                await check_second_factor(services.api.administration, identity.user, data.code)
            except (AuthenticationError, LimitExceededError) as error:
                problem = "limit" if isinstance(error, LimitExceededError) else "wrong"
                return self._form(request, services, identity, target=target, problem=problem, status=error.http_status)
            header = await begin_session(request, services, identity, confirmed=True)
            await services.api.identification.sessions.end(identity.actor.user_id, identity.session.id)
        finally:
            identity.close()
        return moved(target, header)

    @staticmethod
    async def _waiting(request: Request[Any, Any, Any], services: WebServices) -> Identity:
        """Who gave the password and not the code yet. Raises LoginNeededError."""
        text = request.cookies.get(SESSION_COOKIE)
        identity = await services.api.identification.by_session(text) if text else None
        if identity is None:
            raise LoginNeededError
        if identity.session is None or identity.session.confirmed_at is not None or identity.user is None:
            identity.close()
            raise LoginNeededError
        return identity

    @staticmethod
    def _form(
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        *,
        target: str,
        problem: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        return render(
            request,
            services,
            "second_factor.html",
            identity=identity,
            target=target,
            problem=problem,
            status=status,
        )
