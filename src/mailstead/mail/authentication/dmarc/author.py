"""Whose message it says it is (RFC 7489 §6.6.1)."""

from mailstead.formats.message.address import parse_addresses
from mailstead.formats.message.header import unfold
from mailstead.foundation.dns.names import InvalidNameError, ascii_name
from mailstead.mail.authentication.message import CheckedMessage

AUTHORS_LIMIT = 20
_SCANNED = 1000


class AuthorError(Exception):
    """The message names no author whose domain could be looked at; says why."""


def author_domains(message: CheckedMessage) -> list[str]:
    """The domains of all addresses in all From fields, in A-labels, each once. Raises AuthorError.

    More than one is odd but not forbidden (RFC 5322 §3.6.2); a second From field is.
    """
    fields = message.named(b"from")
    if not fields:
        raise AuthorError("there is no From")
    domains: dict[str, None] = {}
    for field in fields[:AUTHORS_LIMIT]:
        addresses = parse_addresses(unfold(field.value), _SCANNED)
        for address in addresses:
            if address.group is not None or not address.domain:
                continue
            try:
                domains[ascii_name(address.domain.decode("utf-8", "replace"))] = None
            except InvalidNameError as error:
                raise AuthorError("an address in From has no domain name") from error
    if not domains:
        raise AuthorError("From holds no address")
    if len(domains) > AUTHORS_LIMIT or len(fields) > AUTHORS_LIMIT:
        raise AuthorError("From holds too many addresses")
    return list(domains)
