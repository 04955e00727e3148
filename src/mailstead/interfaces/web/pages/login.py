"""Logging in and out."""

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter

from mailstead.foundation.errors import AuthenticationError, LimitExceededError
from mailstead.interfaces.api.access import SESSION_COOKIE, is_safe, peer_of
from mailstead.interfaces.credentials import InsecureError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import LANGUAGE_COOKIE, THEME_COOKIE, render
from mailstead.interfaces.web.visitor import require_own_origin

_YEAR = 365 * 86400
SECOND_FACTOR_SECONDS = 600.0
Next = Annotated[str, QueryParameter(name="next")]


class Login(msgspec.Struct, frozen=True):
    """The login form."""

    address: Annotated[str, msgspec.Meta(max_length=320)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]
    next: str = "/"


LoginForm = Annotated[Login, Body(media_type=RequestEncodingType.URL_ENCODED)]


def local_path(text: str) -> str:
    """The path when it is one of ours, else the front page: no redirect leads away."""
    return text if text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() else "/"


def moved(target: str, headers: dict[str, str] | None = None) -> Response[bytes]:
    """The browser goes on to `target` with GET."""
    return Response(b"", status_code=303, headers={"Location": target} | (headers or {}))


def cookie(request: Request[Any, Any, Any], name: str, value: str, seconds: int, *, hidden: bool) -> str:
    """A Set-Cookie value for this host (RFC 6265 §4.1); `hidden` from scripts."""
    secure = "; Secure" if request.url.scheme == "https" else ""
    return f"{name}={value}; Path=/; Max-Age={seconds}; SameSite=Lax{secure}" + ("; HttpOnly" if hidden else "")


def needs_second_factor(identity: Identity) -> bool:
    """Whether the login is at the address of a user who has a second factor."""
    user = identity.user
    return user is not None and user.has_second_factor and user.address == identity.address


async def begin_session(
    request: Request[Any, Any, Any], services: WebServices, identity: Identity, *, confirmed: bool
) -> dict[str, str]:
    """A new session; returns the header that gives it to the browser. One that waits for a second factor is short."""
    assert identity.key is not None
    lifetime = services.api.settings.web.session_lifetime if confirmed else SECOND_FACTOR_SECONDS
    _, text = await services.api.identification.sessions.begin(
        user_id=identity.actor.user_id,
        alias_id=identity.alias_id,
        mailbox_id=identity.mailbox_id,
        address=identity.address,
        credential_id=identity.session.credential_id if identity.session is not None else identity.credential,
        key=identity.key,
        lifetime=lifetime,
        peer=peer_of(request),
        agent=request.headers.get("user-agent", ""),
        confirmed=confirmed,
    )
    return {"Set-Cookie": cookie(request, SESSION_COOKIE, text, int(lifetime), hidden=True)}


class LoginPages(Controller):
    """/login, /logout and the choices that need no login."""

    include_in_schema = False

    @get("/")
    async def front(self) -> Response[bytes]:
        """The front page is the mail."""
        return moved("/mail/")

    @get("/login")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, target: Next = "/") -> Response[bytes]:
        """The form."""
        return render(request, services, "login.html", target=local_path(target), address="", problem="")

    @post("/login", status_code=200)
    async def log_in(self, request: Request[Any, Any, Any], services: WebServices, data: LoginForm) -> Response[bytes]:
        """Begin a session."""
        require_own_origin(request)
        if not is_safe(request, services.api):
            raise InsecureError
        target = local_path(data.next)
        api = services.api
        try:
            identity = await api.identification.by_password(
                data.address, data.password, service="web", peer=peer_of(request)
            )
        except (AuthenticationError, LimitExceededError) as error:
            return render(
                request,
                services,
                "login.html",
                status=error.http_status,
                target=target,
                address=data.address,
                problem="limit" if isinstance(error, LimitExceededError) else "wrong",
            )
        try:
            confirmed = not needs_second_factor(identity)
            header = await begin_session(request, services, identity, confirmed=confirmed)
        finally:
            identity.close()
        return moved(target if confirmed else f"/login/second?next={quote(target)}", header)

    @post("/logout", status_code=200)
    async def log_out(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """End the session everywhere."""
        await services.api.identification.sessions.end(identity.actor.user_id, identity.credential)
        return moved("/login", {"Set-Cookie": cookie(request, SESSION_COOKIE, "", 0, hidden=True)})

    @get("/choose")
    async def choose(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        target: Next = "/",
        theme: str = "",
        language: str = "",
    ) -> Response[bytes]:
        """Remember a theme or a language in this browser."""
        if theme in ("light", "dark", "auto"):
            value = "" if theme == "auto" else theme
            chosen = cookie(request, THEME_COOKIE, value, _YEAR if value else 0, hidden=False)
            return moved(local_path(target), {"Set-Cookie": chosen})
        if services.languages.of(language) is not None:
            chosen = cookie(request, LANGUAGE_COOKIE, language, _YEAR, hidden=False)
            return moved(local_path(target), {"Set-Cookie": chosen})
        return moved(local_path(target))
