"""Errors as `{"statusCode", "error", "message"}`, with `fields` where single inputs are at fault."""

from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException

from mailstead.foundation.errors import AuthenticationError, LimitExceededError, MailsteadError

log = structlog.get_logger("mailstead.api")


class Field(msgspec.Struct, frozen=True):
    """An input that is not as it should be; `name` is its path in the body, or the parameter's name."""

    name: str
    message: str


class Problem(msgspec.Struct, frozen=True, rename={"status_code": "statusCode"}, omit_defaults=True):
    """What went wrong."""

    status_code: int
    error: str
    message: str
    fields: tuple[Field, ...] = ()


def problem(status: int, message: str, *, fields: tuple[Field, ...] = (), headers: Any = None) -> Response[Problem]:
    """The answer for a failure."""
    phrase = HTTPStatus(status).phrase
    content = Problem(status, phrase, message or phrase, fields)
    return Response(content, status_code=status, headers=headers, media_type=MediaType.JSON)


def described(status: int, error: MailsteadError | None) -> tuple[bytes, dict[str, str]]:
    """The body and the header fields of a failure, where there is no response to put them into."""
    phrase = HTTPStatus(status).phrase
    headers = {"content-type": "application/json", **(_headers(error) if error is not None else {})}
    text = error.public_text if error is not None else phrase
    return msgspec.json.encode(Problem(status, phrase, text)), {name.lower(): value for name, value in headers.items()}


def _headers(error: MailsteadError) -> dict[str, str]:
    headers = {}
    if isinstance(error, AuthenticationError):
        headers["WWW-Authenticate"] = 'Basic realm="Mailstead", charset="UTF-8"'
    if isinstance(error, LimitExceededError):
        headers["Retry-After"] = "60"
    return headers


def _from_ours(_: Request[Any, Any, Any], error: MailsteadError) -> Response[Problem]:
    if error.http_status >= 500:
        log.error("request failed", why=str(error))
    return problem(error.http_status, error.public_text, headers=_headers(error))


def _from_validation(_: Request[Any, Any, Any], error: ValidationException) -> Response[Problem]:
    extra = error.extra if isinstance(error.extra, list) else []
    fields = tuple(Field(str(one.get("key", "")), str(one.get("message", ""))) for one in extra)
    shown = "; ".join(f"{field.name}: {field.message}" if field.name else field.message for field in fields)
    return problem(400, shown or "The request is not of the form asked for", fields=fields)


def _from_http(_: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    message = "" if error.detail == HTTPStatus(error.status_code).phrase else error.detail
    return problem(error.status_code, message, headers=error.headers)


def _from_unreadable(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """JSON that is no UTF-8, or nested so deeply that nothing reads it."""
    log.warning("unreadable request", method=request.method, path=request.url.path, why=type(error).__name__)
    return problem(400, "The body cannot be read: it is not UTF-8, or nested too deeply")


def _from_bug(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """The last wall: what nobody foresaw is logged whole and told in one word."""
    log.error("request crashed", method=request.method, path=request.url.path, exc_info=error)
    return problem(500, "Something went wrong on this server")


HANDLERS: dict[Any, Any] = {
    MailsteadError: _from_ours,
    ValidationException: _from_validation,
    HTTPException: _from_http,
    UnicodeDecodeError: _from_unreadable,
    RecursionError: _from_unreadable,
    Exception: _from_bug,
}
