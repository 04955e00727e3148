"""Passkeys: made on the page of security, and logged in with. The browser's part needs JavaScript."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from mailstead.administration.actor import Actor
from mailstead.administration.passkeys import (
    Site,
    add_passkey,
    begin_passkey,
    begin_passkey_login,
    log_in_by_passkey,
    remove_passkey,
)
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.net.limits import address_group
from mailstead.interfaces.api.access import is_safe, peer_of
from mailstead.interfaces.credentials import InsecureError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.account import Gone
from mailstead.interfaces.web.pages.aliases import require_user
from mailstead.interfaces.web.pages.login import begin_session, local_path, moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import language_of
from mailstead.interfaces.web.told import told
from mailstead.interfaces.web.visitor import require_own_origin
from mailstead.stores.directory.authentication import TooManyFailuresError


class Made(msgspec.Struct, frozen=True):
    """What the browser made; `secret` is its prf's in base64url."""

    credential: dict[str, Any]
    label: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    secret: Annotated[str, msgspec.Meta(max_length=100)] = ""


class Proof(msgspec.Struct, frozen=True):
    """What the browser proves itself with."""

    credential: dict[str, Any]
    secret: Annotated[str, msgspec.Meta(max_length=100)] = ""
    next: str = "/"


def site_of(request: Request[Any, Any, Any]) -> Site:
    """The site as the browser names it; the authenticator signs for no other."""
    return Site(request.url.hostname or "", f"{request.url.scheme}://{request.url.netloc}")


def _json(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(
        value.encode() if isinstance(value, str) else msgspec.json.encode(value),
        status_code=status,
        media_type="application/json",
        headers=headers or {},
    )


class PasskeyPages(Controller):
    """/login/passkey and /account/security/passkeys"""

    include_in_schema = False

    @post("/login/passkey/options", status_code=200)
    async def begin_login(self, request: Request[Any, Any, Any], services: WebServices) -> Response[bytes]:
        """What the browser has to sign."""
        require_own_origin(request)
        await self._count(request, services)
        return _json(await begin_passkey_login(services.api.administration, site_of(request)))

    @post("/login/passkey", status_code=200)
    async def log_in(self, request: Request[Any, Any, Any], services: WebServices, data: Proof) -> Response[bytes]:
        """Begin a session by a passkey, which stands for both factors."""
        require_own_origin(request)
        if not is_safe(request, services.api):
            raise InsecureError
        await self._count(request, services)
        api = services.api
        try:
            found = await log_in_by_passkey(
                api.administration, site_of(request), credential=data.credential, secret=data.secret
            )
        except MailsteadError as error:
            return _json({"problem": told(language_of(request, services), error.public_text)}, error.http_status)
        identity = Identity(
            "session",
            True,
            Actor(found.alias.address, "user", found.user.id, found.user.is_admin),
            found.user,
            frozenset(),
            found.credential,
            found.alias.address,
            found.alias.id,
            found.alias.mailbox_id,
            found.key,
        )
        try:
            header = await begin_session(request, services, identity, confirmed=True)
        finally:
            identity.close()
        return _json({"next": local_path(data.next)}, headers=header)

    @post("/account/security/passkeys/options", status_code=200)
    async def begin(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """What the browser needs to make a passkey."""
        require_user(identity)
        return _json(await begin_passkey(services.api.administration, identity.actor, site_of(request)))

    @post("/account/security/passkeys", status_code=200)
    async def add(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, data: Made
    ) -> Response[bytes]:
        """Keep a passkey."""
        require_user(identity)
        assert identity.key is not None
        try:
            await add_passkey(
                services.api.administration,
                identity.actor,
                site_of(request),
                credential=data.credential,
                label=data.label,
                secret=data.secret,
                key=identity.key,
            )
        except MailsteadError as error:
            return _json({"problem": told(language_of(request, services), error.public_text)}, error.http_status)
        return _json({"next": "/account/security"})

    @post("/account/security/passkeys/remove", status_code=200)
    async def remove(
        self,
        services: WebServices,
        identity: Identity,
        data: Annotated[Gone, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Forget a passkey; sessions that it began end."""
        require_user(identity)
        await remove_passkey(services.api.administration, identity.actor, data.id)
        return moved("/account/security")

    @staticmethod
    async def _count(request: Request[Any, Any, Any], services: WebServices) -> None:
        """Raises TooManyFailuresError: anybody may ask, and each asking leaves a challenge behind."""
        login = services.api.settings.login
        key = f"login.passkey.{address_group(peer_of(request))}"
        if await services.api.bus.increment(key, login.failures_window) > login.failures_per_address * 2:
            raise TooManyFailuresError
