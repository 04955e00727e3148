"""The Web Key Directory (draft-koch-openpgp-webkey-service): where the OpenPGP key of an address is published.

advanced  https://openpgpkey.DOMAIN/.well-known/openpgpkey/DOMAIN/hu/HASH?l=LOCAL
direct    https://DOMAIN/.well-known/openpgpkey/hu/HASH?l=LOCAL

HASH is the SHA-1 of the local part in lower case, in Zooko's base 32. The direct method is tried when the host of the
advanced one does not exist.
"""

import hashlib
import ssl
from urllib.parse import quote

from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.errors import MailsteadError, NotFoundError, TemporaryError
from mailstead.foundation.net.http.request import HttpRequest, send_request
from mailstead.foundation.net.reach import NoSuchHostError, Reach
from mailstead.mail.encryption.key import KEY_LIMIT
from mailstead.stores.directory.names import split_address

_DIGITS = "ybndrfg8ejkmcpqxot1uwisza345h769"
_TIMEOUT = 10.0


def directory_hash(local: str) -> str:
    """The name of a local part in a directory, 32 letters."""
    number = int.from_bytes(hashlib.sha1(local.lower().encode(), usedforsecurity=False).digest())
    return "".join(_DIGITS[number >> shift & 31] for shift in range(155, -1, -5))


async def find_key(address: str, reach: Reach, context: ssl.SSLContext) -> bytes:
    """The octets that are published for an address, not looked into; within KEY_LIMIT octets and 20 seconds.

    Raises NotFoundError, TemporaryError when that cannot be known now, NotPublicError, InvalidAddressError.
    """
    local, domain = split_address(address)
    name = f"hu/{directory_hash(local)}?l={quote(local, safe='')}"
    advanced = f"openpgpkey.{domain}"
    try:
        return await _fetch(advanced, f"/.well-known/openpgpkey/{domain}/{name}", reach, context)
    except NoSuchHostError:
        pass
    try:
        return await _fetch(domain, f"/.well-known/openpgpkey/{name}", reach, context)
    except NoSuchHostError as error:
        raise NotFoundError(f"{domain} publishes no keys") from error


async def _fetch(host: str, path: str, reach: Reach, context: ssl.SSLContext) -> bytes:
    try:
        addresses = await reach.addresses(host)
        request = HttpRequest(method="GET", host=host, port=443, path=path, headers={"User-Agent": "Mailstead"})
        answer = await send_request(request, addresses, context, timeout=_TIMEOUT, size_limit=KEY_LIMIT)
    except (ResolutionError, OSError) as error:
        raise TemporaryError(f"{host} cannot be asked for keys: {error}") from error
    except MailsteadError as error:
        if isinstance(error, NoSuchHostError) or not error.temporary:
            raise
        raise TemporaryError(f"{host} cannot be asked for keys: {error}") from error
    if answer.status != 200 or not answer.body:
        raise NotFoundError(f"{host} publishes no key for this address (HTTP {answer.status})")
    return answer.body
