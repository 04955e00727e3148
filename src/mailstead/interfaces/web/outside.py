"""What the web fetches for its users from elsewhere: remote pictures, and the good-bye to a list.

Only public addresses are connected to, each redirect is judged anew, and nothing of the user goes along: no cookie, no
referrer, no language, and the address is the server's.
"""

import hashlib
import hmac
import ssl
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import msgspec

from mailstead.foundation.dns.resolving import Resolving
from mailstead.foundation.errors import MailsteadError, NotFoundError, TemporaryError
from mailstead.foundation.net.http.request import HttpAnswer, HttpRequest, send_request
from mailstead.foundation.net.reach import Reach

PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_PORTS = {"http": 80, "https": 443}
_FREE_PORTS = 1024  # below them only the two: what else listens there is no web server
_REDIRECTS = 3
_ANSWER_LIMIT = 64 * 1024
_AGENT = {"User-Agent": "Mailstead", "Accept-Encoding": "identity"}


class Picture(msgspec.Struct, frozen=True):
    """A picture that was fetched."""

    type: str
    content: bytes


class Outside:
    """Fetches within `timeout` seconds and `size_limit` octets; `allowed` networks may be reached though not public."""

    def __init__(
        self,
        resolver: Resolving,
        context: Callable[[], ssl.SSLContext],
        *,
        allowed: tuple[str, ...],
        timeout: float,
        size_limit: int,
    ) -> None:
        self._reach = Reach(resolver, allowed)
        self._context = context
        self._timeout = timeout
        self._size_limit = size_limit

    async def picture(self, url: str) -> Picture:
        """Raises NotFoundError when there is no picture that may be shown."""
        for _ in range(_REDIRECTS + 1):
            answer = await self._send("GET", url, self._size_limit)
            if answer.status in (301, 302, 303, 307, 308) and answer.headers.get("location"):
                url = urljoin(url, answer.headers["location"])
                continue
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if answer.status != 200 or kind not in PICTURES:
                raise NotFoundError
            return Picture(kind, answer.body)
        raise NotFoundError

    async def unsubscribe(self, url: str) -> bool:
        """Say good-bye to a list (RFC 8058 §3.1); whether it took that."""
        body = b"List-Unsubscribe=One-Click"
        answer = await self._send("POST", url, _ANSWER_LIMIT, body)
        return 200 <= answer.status < 300

    async def _send(self, method: str, url: str, size_limit: int, body: bytes = b"") -> HttpAnswer:
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            raise NotFoundError from None
        if port is None or (port < _FREE_PORTS and port not in _PORTS.values()) or not parts.hostname:
            raise NotFoundError
        if not url.isascii() or not url.isprintable() or " " in url:
            raise NotFoundError
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = dict(_AGENT) | ({"Content-Type": "application/x-www-form-urlencoded"} if body else {})
        request = HttpRequest(
            method=method, host=parts.hostname, port=port, path=path, headers=headers, body=(body,) if body else ()
        )
        try:
            return await send_request(
                request,
                await self._reach.addresses(parts.hostname),
                self._context() if parts.scheme == "https" else None,
                timeout=self._timeout,
                size_limit=size_limit,
            )
        except OSError as error:
            raise TemporaryError("The other server does not answer", detail=str(error)) from None
        except MailsteadError as error:
            raise TemporaryError("The other server does not answer", detail=str(error)) from None


def picture_proof(url: str, secret: str) -> str:
    """What shows that a page of the session with that secret named the picture: the proxy serves nobody else."""
    return hmac.new(secret.encode(), b"picture\0" + url.encode(), hashlib.sha256).hexdigest()[:32]
