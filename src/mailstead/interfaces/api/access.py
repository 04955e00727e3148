"""The dependency that gives every endpoint its `identity`, after access, CSRF and rate are checked.

An endpoint says in `opt` who may ask: `access=OPEN` anybody, `ANY` (the default) whoever proves who they are, `USER` a
user's token or session, `MAILBOX` who opened a mailbox, or a user's token that names one of the user's by `alias`.
"""

import hmac
from collections.abc import AsyncIterator
from ipaddress import ip_address
from typing import Any

import msgspec
from litestar import Request

from mailstead.foundation.errors import AuthenticationError, LimitExceededError, PermissionDeniedError
from mailstead.foundation.net.limits import address_group
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.directory.names import InvalidAddressError
from mailstead.stores.directory.records import Alias

OPEN, ANY, USER, MAILBOX = "open", "any", "user", "mailbox"
SESSION_COOKIE = "mailstead_session"
CSRF_HEADER = "x-csrf-token"
_SAFE = ("GET", "HEAD", "OPTIONS")


class InsecureError(PermissionDeniedError):
    """Credentials came in the clear."""

    public_text = "Credentials are taken over HTTPS only"


class TooManyRequestsError(LimitExceededError):
    """More requests than the window allows."""

    public_text = "Rate limit exceeded"


def peer_of(request: Request[Any, Any, Any]) -> str:
    """The client's address."""
    return request.client.host if request.client is not None else ""


def is_safe(request: Request[Any, Any, Any], services: ApiServices) -> bool:
    """Whether credentials may be taken: under TLS, from this host, or where a setting for tests allows it."""
    if request.url.scheme in ("https", "wss"):
        return True
    peer = peer_of(request)
    try:
        return ip_address(peer).is_loopback or services.settings.server.insecure_auth
    except ValueError:
        return True  # a unix socket


async def provide_identity(request: Request[Any, Any, Any], services: ApiServices) -> AsyncIterator[Identity]:
    """Who asks. Raises AuthenticationError, PermissionDeniedError, TooManyRequestsError."""
    access = request.route_handler.opt.get("access", ANY)
    identity = await _identify(request, services)
    try:
        await _count(request, services, identity)
        if access == USER and not identity.is_user:
            raise PermissionDeniedError("A user's token or account password is needed here")
        if access == MAILBOX and not identity.mailbox_id:
            opened = await _named_mailbox(request, services, identity)
            identity = opened
        if request.method not in _SAFE:
            identity.require("write")
        else:
            identity.require("read")
        yield identity
    finally:
        identity.close()


async def _identify(request: Request[Any, Any, Any], services: ApiServices) -> Identity:
    if not is_safe(request, services):
        raise InsecureError
    authorization = request.headers.get("authorization")
    if authorization:
        return await services.identification.by_header(authorization, service="api", peer=peer_of(request))
    cookie = request.cookies.get(SESSION_COOKIE)
    identity = await services.identification.by_session(cookie) if cookie else None
    if identity is None or identity.session is None or identity.session.confirmed_at is None:
        raise AuthenticationError
    if request.method not in _SAFE:
        given = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode(), identity.session.csrf.encode()):
            identity.close()
            raise PermissionDeniedError("The CSRF token is missing or wrong")
    return identity


async def _count(request: Request[Any, Any, Any], services: ApiServices, identity: Identity) -> None:
    """Count the request for its credential and tell what is left; server admins are not limited."""
    limit = services.settings.api.rate
    if not limit or identity.actor.is_admin:
        return
    window = services.settings.api.rate_window
    slot = int(services.clock.now() // window)
    used = await services.bus.increment(f"api.{identity.credential}.{slot}", window * 2)
    request.state.rate_headers = {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(max(limit - used, 0)),
        "X-RateLimit-Reset": str(int((slot + 1) * window)),
    }
    if used > limit:
        raise TooManyRequestsError


async def count_stranger(request: Request[Any, Any, Any], services: ApiServices, what: str, most: int) -> None:
    """Limit what anybody may ask for, by the client's network. Raises TooManyRequestsError."""
    used = await services.bus.increment(f"api.{what}.{address_group(peer_of(request))}", 86400)
    if used > most:
        raise TooManyRequestsError


async def _named_mailbox(request: Request[Any, Any, Any], services: ApiServices, identity: Identity) -> Identity:
    """The mailbox that a token's user names by `alias` (address or id), opened through the server's slot."""
    named = request.query_params.get("alias") or request.headers.get("x-alias") or ""
    if not named:
        raise PermissionDeniedError("Log in with an address and its password, or name a mailbox with `alias`")
    directory = services.administration.directory
    alias: Alias | None
    try:
        alias = await directory.alias(named) if "@" in named else await directory.get(Alias, named)
    except InvalidAddressError:
        alias = None
    if alias is None or not alias.mailbox_id or alias.user_id != identity.actor.user_id:
        raise PermissionDeniedError("There is no such mailbox of yours")
    key = await directory.mailbox_key(alias.mailbox_id)
    if key is None:
        raise PermissionDeniedError("The mailbox is locked: only its own password opens it")
    return msgspec.structs.replace(
        identity, address=alias.address, alias_id=alias.id, mailbox_id=alias.mailbox_id, key=key
    )
