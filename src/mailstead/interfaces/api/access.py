"""The guard of every endpoint: who asks is known, and the request counted, before anything else of it is looked at.

An endpoint says in `opt` who may ask: `access=OPEN` anybody, `ANY` (the default) whoever proves who they are, `USER` a
user's token or account password, `ADMIN` a server admin with these, `MAILBOX` who opened a mailbox, or a user's token
that names one of the user's by `alias`. So a stranger learns nothing of what an endpoint takes (RFC 9110 §15.5.2).
"""

import hmac
from typing import Any

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp, Receive, Scope, Send

from mailstead.foundation.errors import AuthenticationError, LimitExceededError, PermissionDeniedError
from mailstead.foundation.net.limits import address_group
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.credentials import InsecureError, may_be_taken
from mailstead.interfaces.identity import Identity
from mailstead.stores.directory.names import InvalidAddressError
from mailstead.stores.directory.records import Alias

OPEN, ANY, USER, ADMIN, MAILBOX = "open", "any", "user", "admin", "mailbox"
SESSION_COOKIE = "mailstead_session"
CSRF_HEADER = "x-csrf-token"
SERVICES = "services"
"""The application state's key of ApiServices."""

_SAFE = ("GET", "HEAD", "OPTIONS")
_IDENTITY = "identity"
Connection = ASGIConnection[Any, Any, Any, Any]


class TooManyRequestsError(LimitExceededError):
    """More requests than the window allows."""

    public_text = "Rate limit exceeded"


def peer_of(connection: Connection) -> str:
    """The client's address."""
    return connection.client.host if connection.client is not None else ""


def is_safe(connection: Connection, services: ApiServices) -> bool:
    """Whether credentials may be taken."""
    insecure_auth = services.settings.server.insecure_auth
    return may_be_taken(connection.url.scheme, peer_of(connection), insecure_auth=insecure_auth)


async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let in who may ask. Raises AuthenticationError, PermissionDeniedError, TooManyRequestsError."""
    services: ApiServices = connection.app.state[SERVICES]
    access = handler.opt.get("access", ANY)
    if access == OPEN:
        await _count_stranger(connection, services)
    else:
        await let_in(connection, services, access)


async def let_in(connection: Connection, services: ApiServices, access: str) -> Identity:
    """Who asks, counted and allowed; kept with the request, too. Raises as `guard`."""
    try:
        identity = await _identify(connection, services)
    except AuthenticationError:
        await _count_stranger(connection, services)
        raise
    connection.scope["state"][_IDENTITY] = identity
    await _count(connection, services, identity)
    if access in (USER, ADMIN) and not identity.is_user:
        raise PermissionDeniedError("A user's token or account password is needed here")
    if access == ADMIN and not identity.actor.is_admin:
        raise PermissionDeniedError("This is for server admins")
    identity.require("read" if _method(connection) in _SAFE else "write")
    if access == MAILBOX and not identity.mailbox_id:
        identity = await _named_mailbox(connection, services, identity)
        connection.scope["state"][_IDENTITY] = identity
    return identity


async def let_in_again(connection: Connection, services: ApiServices, before: Identity) -> bool:
    """Whether a long connection's credentials still open the mailbox that they opened."""
    try:
        identity = await _identify(connection, services)
        if not identity.mailbox_id:
            identity = await _named_mailbox(connection, services, identity)
    except (AuthenticationError, PermissionDeniedError):
        return False
    identity.close()
    return identity.mailbox_id == before.mailbox_id


async def provide_identity(scope: Scope, services: ApiServices) -> Identity:  # noqa: ARG001 only its order matters
    """Who asks, as the guard found out. What depends on nothing of another is made in a group of tasks, which costs
    more than most answers; so this depends on the services, which are made before it.
    """
    identity: Identity = scope["state"][_IDENTITY]
    return identity


def keys_closed(app: ASGIApp) -> ASGIApp:
    """`app`, after each request of which the key that was opened for it is zeroed."""

    async def closing(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        finally:
            identity: Identity | None = scope.get("state", {}).pop(_IDENTITY, None)
            if identity is not None:
                identity.close()

    return closing


def _method(connection: Connection) -> str:
    method: Any = connection.scope.get("method", "GET")  # a WebSocket begins with a GET (RFC 6455 §4.1)
    return str(method)


async def _identify(connection: Connection, services: ApiServices) -> Identity:
    if not is_safe(connection, services):
        raise InsecureError
    authorization = connection.headers.get("authorization")
    if authorization:
        return await services.identification.by_header(authorization, service="api", peer=peer_of(connection))
    cookie = connection.cookies.get(SESSION_COOKIE)
    identity = await services.identification.by_session(cookie) if cookie else None
    if identity is None or identity.session is None or identity.session.confirmed_at is None:
        raise AuthenticationError
    if _method(connection) not in _SAFE:
        given = connection.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(given.encode(), identity.session.csrf.encode()):
            identity.close()
            raise PermissionDeniedError("The CSRF token is missing or wrong")
    return identity


async def _count(connection: Connection, services: ApiServices, identity: Identity) -> None:
    """Count the request for its credential and tell what is left; server admins are not limited."""
    if not identity.actor.is_admin:
        await _count_for(connection, services, identity.credential, services.settings.api.rate)


async def _count_stranger(connection: Connection, services: ApiServices) -> None:
    """Count a request without valid credentials for the client's network."""
    await _count_for(
        connection, services, f"stranger.{address_group(peer_of(connection))}", services.settings.api.stranger_rate
    )


async def _count_for(connection: Connection, services: ApiServices, who: str, limit: int) -> None:
    if not limit:
        return
    window = services.settings.api.rate_window
    slot = int(services.clock.now() // window)
    used = await services.bus.increment(f"api.{who}.{slot}", window * 2)
    connection.scope["state"]["rate_headers"] = {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(max(limit - used, 0)),
        "X-RateLimit-Reset": str(int((slot + 1) * window)),
    }
    if used > limit:
        raise TooManyRequestsError


async def _named_mailbox(connection: Connection, services: ApiServices, identity: Identity) -> Identity:
    """The mailbox that a token's user names by `alias` (address or id), opened through the server's slot."""
    named = connection.query_params.get("alias") or connection.headers.get("x-alias") or ""
    if not named:
        raise PermissionDeniedError("Log in with an address and its password, or name a mailbox with `alias`")
    directory = services.administration.directory
    alias: Alias | None
    try:
        alias = await directory.alias(named) if "@" in named else await directory.get(Alias, named[:100])
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
