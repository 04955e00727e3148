"""Lists of hosts that are kept in DNS (RFC 5782): which they are, and what their answers mean."""

import ipaddress
import re
from functools import lru_cache

import msgspec

from mailstead.foundation.dns.names import ascii_name
from mailstead.foundation.errors import InvalidError

_ENTRY = re.compile(r"([^=*\s]+)(?:=([0-9.]+)(?:-([0-9.]+))?)?(?:\*([0-9]+(?:\.[0-9]+)?))?")
_DEFAULT = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv4Address("127.0.255.255"))
_REFUSED = ipaddress.IPv4Network("127.255.255.0/24")
_LISTED = ipaddress.IPv4Network("127.0.0.0/8")
_POINTS = 3.0


class InvalidListError(InvalidError):
    """The text names no DNS list."""

    public_text = "Not a DNS list"


class DnsList(msgspec.Struct, frozen=True):
    """A list in DNS: answers from `first` to `last` count, each host on it for `points`."""

    zone: str
    first: ipaddress.IPv4Address = _DEFAULT[0]
    last: ipaddress.IPv4Address = _DEFAULT[1]
    points: float = _POINTS

    def counts(self, answer: ipaddress.IPv4Address) -> bool:
        """Whether an answer means that the host is on the list."""
        return answer in _LISTED and self.first <= answer <= self.last


@lru_cache(maxsize=100)
def parse_list(text: str) -> DnsList:
    """A list as Settings name it: `zone`, `zone=127.0.0.2`, `zone=127.0.0.2-127.0.0.11`, each with `*points`.

    Raises InvalidListError, InvalidNameError.
    """
    found = _ENTRY.fullmatch(text)
    if found is None:
        raise InvalidListError(detail=repr(text))
    zone, first, last, points = found.groups()
    try:
        low = ipaddress.IPv4Address(first) if first else _DEFAULT[0]
        high = ipaddress.IPv4Address(last or first) if first else _DEFAULT[1]
    except ValueError as error:
        raise InvalidListError(detail=repr(text)) from error
    if low > high or low not in _LISTED or high not in _LISTED:
        raise InvalidListError(detail=repr(text))
    return DnsList(ascii_name(zone), low, high, float(points) if points else _POINTS)


def means_refused(answer: ipaddress.IPv4Address) -> bool:
    """Whether the list does not answer us: an open resolver asks, too much is asked, or the name is mistyped.

    Lists say so by addresses of 127.255.255.0/24, as Spamhaus does.
    """
    return answer in _REFUSED


def reversed_address(address: str) -> str:
    """Labels of an address as lists are asked for it (RFC 5782 §2.1, §2.4). Raises ValueError."""
    pointer = ipaddress.ip_address(address).reverse_pointer
    return pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
