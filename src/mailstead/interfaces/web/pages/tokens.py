"""API tokens of the user: made with scopes, shown once, revoked."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from mailstead.administration.tokens import add_token, list_tokens, remove_token
from mailstead.foundation.errors import PermanentError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.account import Gone
from mailstead.interfaces.web.pages.aliases import require_user
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.stores.access.tokens import Scope

PATH = "/account/tokens"
_Ticked = Annotated[str, msgspec.Meta(max_length=20)]


class NewToken(msgspec.Struct, frozen=True):
    """The form that makes a token; a scope is empty for no."""

    label: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    read: _Ticked = ""
    write: _Ticked = ""
    send: _Ticked = ""
    admin: _Ticked = ""

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Those that were ticked."""
        ticked: dict[Scope, str] = {"read": self.read, "write": self.write, "send": self.send, "admin": self.admin}
        return tuple(scope for scope, value in ticked.items() if value)


class TokenPages(Controller):
    """/account/tokens"""

    path = PATH
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """The list with the form for a new one."""
        return await self._page(request, services, identity, NewToken(read="yes"))

    @post("/", status_code=200)
    async def add(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[NewToken, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Make a token; the page that answers shows it this once."""
        require_user(identity)
        try:
            _, text = await add_token(
                services.api.administration,
                identity.actor,
                services.api.identification.tokens,
                identity.actor.user_id,
                label=data.label.strip(),
                scopes=data.scopes,
            )
        except PermanentError as error:
            return await self._page(request, services, identity, data, problem=error)
        return await self._page(request, services, identity, NewToken(read="yes"), made=text)

    @post("/remove", status_code=200)
    async def remove(
        self,
        services: WebServices,
        identity: Identity,
        data: Annotated[Gone, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Revoke a token."""
        require_user(identity)
        tokens = services.api.identification.tokens
        await remove_token(services.api.administration, identity.actor, tokens, identity.actor.user_id, data.id)
        return moved(f"{PATH}/")

    async def _page(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        form: NewToken,
        *,
        problem: PermanentError | None = None,
        made: str = "",
    ) -> Response[bytes]:
        require_user(identity)
        tokens = services.api.identification.tokens
        return render(
            request,
            services,
            "account/tokens.html",
            identity=identity,
            status=200 if problem is None else problem.http_status,
            tokens=await list_tokens(identity.actor, tokens, identity.actor.user_id),
            form=form,
            problem="" if problem is None else problem.public_text,
            made=made,
        )
