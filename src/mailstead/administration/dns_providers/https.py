"""Requests to a provider over HTTPS: one at a time, no redirect followed, time and size bounded."""

import asyncio
import http.client
import ssl
from collections.abc import Mapping

import msgspec

from mailstead.administration.dns_providers.provider import DnsProviderError

_ANSWER_LIMIT = 4 * 1024**2
_WORDS_LIMIT = 300


class Answer(msgspec.Struct, frozen=True):
    """Status and content of an answer."""

    status: int
    body: bytes

    @property
    def is_good(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300

    def refuse(self) -> DnsProviderError:
        """What the provider says, as an error."""
        words = " ".join(self.body.decode("utf-8", "replace").split())[:_WORDS_LIMIT]
        return DnsProviderError(detail=f"answers {self.status}: {words}" if words else f"answers {self.status}")


class HttpsClient:
    """Speaks to one host. `context` verifies it; `timeout` in seconds holds for each step."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, timeout: float) -> None:
        self.host = host
        self._port = port
        self._context = context
        self._timeout = timeout

    async def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """One request and its whole answer, whatever its status. Raises DnsProviderError."""
        return await asyncio.to_thread(self._request, method, path, headers, body)

    def _request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        connection = http.client.HTTPSConnection(self.host, self._port, timeout=self._timeout, context=self._context)
        try:
            connection.request(method, path, body or None, dict(headers))
            response = connection.getresponse()
            content = response.read(_ANSWER_LIMIT + 1)
            status = response.status
        except (OSError, http.client.HTTPException) as error:
            raise DnsProviderError(detail=f"{self.host}: {error or type(error).__name__}") from error
        finally:
            connection.close()
        if len(content) > _ANSWER_LIMIT:
            raise DnsProviderError(detail=f"{self.host}: an answer of more than {_ANSWER_LIMIT} octets")
        return Answer(status, content)
