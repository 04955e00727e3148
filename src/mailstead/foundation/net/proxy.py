"""The PROXY protocol, versions 1 and 2: the header that a trusted proxy sends before the client's bytes. No I/O here.

    version 1 = "PROXY TCP" ("4" / "6") SP source SP destination SP port SP port CRLF
    version 2 = signature version-command family-transport length addresses *TLV
    signature = %x0D.0A.0D.0A.00.0D.0A.51.55.49.54.0A
    TLV       = type length(16 bit) value

Everything but TCP over IPv4 and IPv6 is refused: a connection whose source is unknown must not pass for one of the
proxy's own. The proxy's own connections (LOCAL of version 2: health checks) keep the real endpoints.
"""

import ipaddress
import re
import struct

import msgspec

from mailstead.foundation.net.connection import Endpoint, endpoint_of
from mailstead.foundation.net.errors import ProxyHeaderError

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
FIXED_SIZE = 16
REST_LIMIT = 2048
TEXT_START = b"PROXY TCP"
TEXT_LIMIT = 107
_TEXT_LEAST = len(b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n")
_TEXT = re.compile(rb"PROXY TCP([46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})\r\n")
_LOCAL, _PROXY = 0x20, 0x21
_PORT_MOST = 65535
_ADDRESSES = {0x11: struct.Struct("!4s4sHH"), 0x21: struct.Struct("!16s16sHH")}
_TLV = struct.Struct("!BH")
_CRC32C = 0x03
_CRC32C_POLYNOMIAL = 0x82F63B78


class ProxyHeader(msgspec.Struct, frozen=True):
    """What the proxy says; both None for its own connections."""

    source: Endpoint | None
    destination: Endpoint | None


def wanted_octets(received: bytes) -> int:
    """How many more octets to read before `parse_header` can be called; 0: the header is whole.

    Never asks for an octet past the header. Raises ProxyHeaderError as soon as it can be no header, and when it is longer
    than 107 octets (version 1) or says to be longer than 16 + 2048 (version 2).
    """
    if received.startswith(TEXT_START):
        return _wanted_of_text(received)
    if received and TEXT_START.startswith(received):
        return FIXED_SIZE - len(received)
    if not SIGNATURE.startswith(received[: len(SIGNATURE)]):
        raise ProxyHeaderError("not a PROXY header")
    if len(received) < FIXED_SIZE:
        return FIXED_SIZE - len(received)
    rest = int.from_bytes(received[14:FIXED_SIZE], "big")
    if rest > REST_LIMIT:
        raise ProxyHeaderError("PROXY header too long")
    return max(0, FIXED_SIZE + rest - len(received))


def _wanted_of_text(received: bytes) -> int:
    if received.endswith(b"\r\n"):
        return 0
    if b"\r" in received[:-1] or b"\n" in received or len(received) >= TEXT_LIMIT:
        raise ProxyHeaderError("PROXY line without an end")
    return max(1 if received.endswith(b"\r") else 2, _TEXT_LEAST - len(received))


def parse_header(header: bytes) -> ProxyHeader:
    """A whole header, as told by `wanted_octets`. Raises ProxyHeaderError."""
    if header.startswith(TEXT_START):
        return _parse_text(header)
    if len(header) < FIXED_SIZE:
        raise ProxyHeaderError("PROXY header cut short")
    command, family = header[12], header[13]
    if command == _LOCAL:
        return ProxyHeader(None, None)
    if command != _PROXY:
        raise ProxyHeaderError("PROXY version or command unknown")
    layout = _ADDRESSES.get(family)
    if layout is None:
        raise ProxyHeaderError("PROXY family or transport not TCP over IP")
    if len(header) < FIXED_SIZE + layout.size:
        raise ProxyHeaderError("PROXY addresses cut short")
    source, destination, source_port, destination_port = layout.unpack_from(header, FIXED_SIZE)
    _check_fields(header, FIXED_SIZE + layout.size)
    return ProxyHeader(_endpoint(source, source_port), _endpoint(destination, destination_port))


def _parse_text(header: bytes) -> ProxyHeader:
    found = _TEXT.fullmatch(header)
    if found is None or len(header) > TEXT_LIMIT:
        raise ProxyHeaderError("PROXY line malformed")
    family = ipaddress.IPv4Address if found[1] == b"4" else ipaddress.IPv6Address
    try:
        source, destination = family(found[2].decode("ascii")), family(found[3].decode("ascii"))
    except ValueError as error:
        raise ProxyHeaderError("PROXY line with what is no address") from error
    ports = int(found[4]), int(found[5])
    if max(ports) > _PORT_MOST:
        raise ProxyHeaderError("PROXY line with what is no port")
    return ProxyHeader(_endpoint(source.packed, ports[0]), _endpoint(destination.packed, ports[1]))


def _endpoint(packed: bytes, port: int) -> Endpoint:
    address = ipaddress.ip_address(packed)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return endpoint_of((str(address), port))


def _check_fields(header: bytes, start: int) -> None:
    """Walk the type-length-value fields and verify the checksum where the proxy sent one."""
    while start < len(header):
        if start + _TLV.size > len(header):
            raise ProxyHeaderError("PROXY field cut short")
        kind, length = _TLV.unpack_from(header, start)
        value, start = start + _TLV.size, start + _TLV.size + length
        if start > len(header):
            raise ProxyHeaderError("PROXY field cut short")
        if kind != _CRC32C:
            continue
        if length != 4 or crc32c(header[:value] + bytes(4) + header[start:]) != int.from_bytes(
            header[value:start], "big"
        ):
            raise ProxyHeaderError("PROXY checksum wrong")


def crc32c(data: bytes) -> int:
    """The CRC-32C of at most some kilobytes (RFC 9260 Appendix A)."""
    remainder = 0xFFFFFFFF
    for octet in data:
        remainder ^= octet
        for _ in range(8):
            remainder = remainder >> 1 ^ (_CRC32C_POLYNOMIAL if remainder & 1 else 0)
    return remainder ^ 0xFFFFFFFF
