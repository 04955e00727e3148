"""The PROXY protocol, version 2: the header that a trusted proxy sends before the client's bytes.

header = 12 octets of signature, version and command, family and transport, length (16 bit), addresses, TLVs
"""

import ipaddress
import struct

import msgspec

from mailstead.foundation.net.connection import Endpoint
from mailstead.foundation.net.errors import ProxyHeaderError

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
FIXED_SIZE = 16
ADDRESSES_LIMIT = 2048
_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21


class ProxyHeader(msgspec.Struct, frozen=True):
    """What the proxy says; both None for its own connections (health checks)."""

    source: Endpoint | None
    destination: Endpoint | None


def header_size(fixed: bytes) -> int:
    """The whole header's size, from its first 16 octets. Raises ProxyHeaderError."""
    if fixed[:12] != SIGNATURE:
        raise ProxyHeaderError("no PROXY v2 header")
    (length,) = struct.unpack_from("!H", fixed, 14)
    if length > ADDRESSES_LIMIT:
        raise ProxyHeaderError("PROXY header too long")
    return FIXED_SIZE + int(length)


def parse_header(header: bytes) -> ProxyHeader:
    """A header of `header_size` octets. Raises ProxyHeaderError."""
    command, family = header[12], header[13]
    if command == _LOCAL:
        return ProxyHeader(None, None)
    if command != _PROXY:
        raise ProxyHeaderError("PROXY version or command unknown")
    body = header[FIXED_SIZE:]
    formats = {_TCP4: ("!4s4sHH", 12), _TCP6: ("!16s16sHH", 36)}
    if family not in formats:
        raise ProxyHeaderError("PROXY family or transport unknown")
    layout, size = formats[family]
    if len(body) < size:
        raise ProxyHeaderError("PROXY addresses too short")
    source, destination, source_port, destination_port = struct.unpack_from(layout, body)
    return ProxyHeader(
        Endpoint(str(ipaddress.ip_address(source)), source_port),
        Endpoint(str(ipaddress.ip_address(destination)), destination_port),
    )
