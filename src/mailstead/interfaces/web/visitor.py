"""The dependencies of pages: the session's identity, and proof that a form came from our own page."""

import hmac
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from litestar import Request

from mailstead.foundation.errors import PermissionDeniedError
from mailstead.interfaces.api.access import CSRF_HEADER, SESSION_COOKIE
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.services import WebServices

FORM_FIELD = "csrf"


class LoginNeededError(Exception):
    """There is no session: the login page is shown instead."""


class ForeignFormError(PermissionDeniedError):
    """The form was not sent from a page of ours."""

    public_text = "This form was not sent from a page of this server. Go back, reload the page and try again."


def require_own_origin(request: Request[Any, Any, Any]) -> None:
    """Raises ForeignFormError when the browser says that another site sent the request."""
    site = request.headers.get("sec-fetch-site", "")
    origin = request.headers.get("origin", "")
    host = request.headers.get("host", "")
    if site not in ("", "same-origin", "none") or (origin and urlsplit(origin).netloc != host):
        raise ForeignFormError


async def provide_visitor(request: Request[Any, Any, Any], services: WebServices) -> AsyncIterator[Identity]:
    """Who is logged in. Raises LoginNeededError, ForeignFormError."""
    text = request.cookies.get(SESSION_COOKIE)
    identity = await services.api.identification.by_session(text) if text else None
    if identity is None or identity.session is None or identity.session.confirmed_at is None:
        raise LoginNeededError
    try:
        if request.method not in ("GET", "HEAD"):
            require_own_origin(request)
            given = request.headers.get(CSRF_HEADER) or str((await request.form()).get(FORM_FIELD, ""))
            if not hmac.compare_digest(given.encode(), identity.session.csrf.encode()):
                raise ForeignFormError
        yield identity
    finally:
        identity.close()
