"""One connection to the API: requests, failures, and another try where that is safe."""

import base64
import http.client
import json
import ssl
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Generic, NamedTuple, Self, TypeVar
from urllib.parse import quote, urlencode, urlsplit

Item = TypeVar("Item")
_AGAIN = (429, 503)
_SAFE = ("GET", "PUT", "DELETE")


class ApiError(Exception):
    """The API refused: its status, its words, and the inputs that are at fault by name."""

    def __init__(self, status: int, message: str, fields: Mapping[str, str]) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.fields = dict(fields)


class Page(list[Item], Generic[Item]):
    """Items of a list; `total` is how many there are on all pages, None where a list has no pages."""

    def __init__(self, items: Iterable[Item], total: int | None) -> None:
        super().__init__(items)
        self.total = total


class Answer(NamedTuple):
    """A response that is no failure; header names are in lower case."""

    status: int
    headers: dict[str, str]
    content: bytes


class Transport:
    """Not for several threads at once. `attempts` counts tries of what may be tried again, with `pause` seconds between
    them unless the server says how long to wait."""

    def __init__(
        self,
        url: str,
        login: str,
        password: str = "",
        *,
        context: ssl.SSLContext | None = None,
        timeout: float = 30.0,
        attempts: int = 3,
        pause: float = 1.0,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url}: not the URL of an API")
        self._authorization = "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()
        self._attempts = attempts
        self._pause = pause
        self._connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = context or ssl.create_default_context()
            self._connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=context)
        else:
            self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()

    def request(
        self,
        method: str,
        path: str,
        names: Mapping[str, str],
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask for `path` with `names` in its braces. Raises ApiError, OSError.

        What may be repeated is tried again when the server is busy or the connection was lost: GET, PUT, DELETE, and a
        POST that has an Idempotency-Key.
        """
        target = path
        for name, value in names.items():
            target = target.replace("{" + name + "}", quote(value, safe=""))
        pairs = [(name, _text(value)) for name, value in (query or {}).items() if value is not None]
        if pairs:
            target += "?" + urlencode(pairs)
        sent = {"Authorization": self._authorization, "Accept": "application/json", **(headers or {})}
        content = None
        if isinstance(body, bytes):
            content = body
            sent["Content-Type"] = "application/octet-stream"
        elif body is not None:
            content = json.dumps(body).encode()
            sent["Content-Type"] = "application/json"
        may_repeat = method in _SAFE or any(name.lower() == "idempotency-key" for name in sent)
        for left in range(self._attempts - 1 if may_repeat else 0, -1, -1):
            try:
                answer = self._once(method, target, content, sent)
            except (http.client.HTTPException, OSError):
                self._connection.close()
                if not left:
                    raise
                time.sleep(self._pause)
                continue
            if answer.status in _AGAIN and left:
                time.sleep(min(float(answer.headers.get("retry-after", self._pause)), self._pause))
                continue
            break
        if answer.status >= 400:
            raise _failure(answer)
        return answer

    def _once(self, method: str, target: str, content: bytes | None, headers: Mapping[str, str]) -> Answer:
        self._connection.request(method, target, body=content, headers=dict(headers))
        response = self._connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())

    def _json(self, answer: Answer) -> Any:
        return json.loads(answer.content) if answer.content else None

    def _page(self, answer: Answer) -> Page[Any]:
        total = answer.headers.get("x-item-count")
        return Page(self._json(answer), None if total is None else int(total))


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _failure(answer: Answer) -> ApiError:
    try:
        problem = json.loads(answer.content)
        fields = {one["name"]: one["message"] for one in problem.get("fields", ())}
        return ApiError(answer.status, problem["message"], fields)
    except (ValueError, KeyError, TypeError, AttributeError):
        return ApiError(answer.status, answer.content[:200].decode("utf-8", "replace"), {})
