"""Getting a policy over HTTPS (RFC 8461 §3.3): no redirect is followed, size and time are bounded."""

import asyncio
import ssl

import httptools

from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.net.client import connect
from mailstead.mail.authentication.mtasts.policy import StsPolicy, StsPolicyError, parse_policy
from mailstead.mail.authentication.resolving import Resolving, lookup

_PATH = "/.well-known/mta-sts.txt"
_HEADER_ROOM = 16 * 1024
_ADDRESSES_TRIED = 4


class FetchError(Exception):
    """The policy could not be had; says why."""


class _Response:
    """Collects what httptools calls back."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.body = bytearray()
        self.content_type = b""
        self.is_complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"content-type":
            self.content_type = value

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_complete = True


async def fetch_policy(
    domain: str, resolver: Resolving, context: ssl.SSLContext, *, port: int, timeout: float, size_limit: int
) -> StsPolicy:
    """The policy of `domain` from its policy host, whose certificate `context` verifies.

    Within `timeout` seconds and `size_limit` octets. Raises FetchError.
    """
    host = f"mta-sts.{domain}"
    try:
        async with asyncio.timeout(timeout):
            addresses = await _addresses(resolver, host)
            body = await _get(host, addresses, context, port, timeout, size_limit)
        return parse_policy(body.decode())
    except TimeoutError as error:
        raise FetchError(f"{host} took too long") from error
    except ResolutionError as error:
        raise FetchError(f"{host} could not be looked up: {error.detail}") from error
    except (OSError, MailsteadError) as error:
        raise FetchError(f"{host}: {error}") from error
    except UnicodeDecodeError as error:
        raise FetchError("the policy is not UTF-8") from error
    except StsPolicyError as error:
        raise FetchError(f"the policy is not valid: {error}") from error


async def _addresses(resolver: Resolving, host: str) -> list[str]:
    answers = await asyncio.gather(lookup(resolver, host, "AAAA"), lookup(resolver, host, "A"))
    found = [record for answer in answers for record in answer.records]
    if not found:
        raise FetchError(f"{host} has no address")
    return found[:_ADDRESSES_TRIED]


async def _get(
    host: str, addresses: list[str], context: ssl.SSLContext, port: int, timeout: float, size_limit: int
) -> bytes:
    last: OSError | None = None
    for address in addresses:
        try:
            connection = await connect(address, port, timeout=timeout)
        except OSError as error:
            last = error
            continue
        try:
            await connection.start_client_tls(context, host, timeout)
            connection.write(
                f"GET {_PATH} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Mailstead\r\nAccept: text/plain\r\n"
                "Connection: close\r\n\r\n".encode()
            )
            response = _Response()
            received = 0
            while not response.is_complete:
                data = await connection.read(timeout)
                received += len(data)
                try:
                    response.parser.feed_data(data)
                except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
                    raise FetchError(f"{host} gave no HTTP answer") from error
                if received > size_limit + _HEADER_ROOM or len(response.body) > size_limit:
                    raise FetchError("the policy is too large")
                if not data:
                    break  # the end of a body without a length (RFC 9112 §6.3)
            return _checked(host, response)
        finally:
            connection.abort()
    assert last is not None
    raise last


def _checked(host: str, response: _Response) -> bytes:
    status = response.parser.get_status_code()
    if not status:
        raise FetchError(f"{host} gave no HTTP answer")
    if status != 200:
        raise FetchError(f"{host} answered {status}")
    if response.content_type.partition(b";")[0].strip().lower() != b"text/plain":
        raise FetchError("the policy is not text/plain")
    return bytes(response.body)
