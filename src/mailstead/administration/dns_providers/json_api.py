"""What the providers with a JSON interface and a bearer token share: each record is an object with an id."""

from typing import Any, TypeVar

import msgspec

from mailstead.administration.dns_providers.https import Answer, HttpsClient
from mailstead.administration.dns_providers.provider import DnsProviderError

T = TypeVar("T")


class JsonApi:
    """Requests with a token, answers as structs."""

    def __init__(self, client: HttpsClient, token: str) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": "*/*"}

    async def ask(self, path: str, kind: type[T]) -> T:
        """The answer to GET. Raises DnsProviderError."""
        answer = await self.send("GET", path)
        if not answer.is_good:
            raise answer.refuse()
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except msgspec.DecodeError as error:
            raise DnsProviderError(detail=f"an answer that cannot be read: {error}") from error

    async def send(self, method: str, path: str, value: dict[str, Any] | None = None) -> Answer:
        """One request, whatever the answer. Raises DnsProviderError when there is none."""
        return await self._client.request(
            method, path, self._headers, b"" if value is None else msgspec.json.encode(value)
        )

    async def change(self, method: str, path: str, value: dict[str, Any] | None = None) -> None:
        """One request that has to succeed. Raises DnsProviderError."""
        answer = await self.send(method, path, value)
        if not answer.is_good:
            raise answer.refuse()


def fields_of(kind: str, value: str, wanted: int) -> list[str]:
    """The blank-separated fields of a value. Raises DnsProviderError when there are not `wanted`."""
    fields = value.split(None, wanted - 1)
    if len(fields) != wanted:
        raise DnsProviderError(detail=f"{value!r} is no {kind} record")
    return fields


def whole(text: str) -> int:
    """A whole number of a record. Raises DnsProviderError."""
    if not (text.isascii() and text.isdigit()):
        raise DnsProviderError(detail=f"{text!r} is no number of a record")
    return int(text)
