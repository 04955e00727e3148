"""Getting a policy over HTTPS (RFC 8461 §3.3): no redirect is followed, size and time are bounded."""

import asyncio
import ssl

from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.net.http.request import HttpRequest, send_request
from mailstead.mail.authentication.mtasts.policy import StsPolicy, StsPolicyError, parse_policy
from mailstead.mail.authentication.resolving import Resolving, lookup

_PATH = "/.well-known/mta-sts.txt"
_ADDRESSES_TRIED = 4


class FetchError(Exception):
    """The policy could not be had; says why."""


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
    request = HttpRequest(
        method="GET", host=host, port=port, path=_PATH, headers={"User-Agent": "Mailstead", "Accept": "text/plain"}
    )
    answer = await send_request(request, addresses, context, timeout=timeout, size_limit=size_limit)
    if answer.status != 200:
        raise FetchError(f"{host} answered {answer.status}")
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/plain":
        raise FetchError("the policy is not text/plain")
    return answer.body
