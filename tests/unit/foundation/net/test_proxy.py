import struct
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.net.connection import Endpoint
from mailstead.foundation.net.errors import ProxyHeaderError
from mailstead.foundation.net.proxy import SIGNATURE, ProxyHeader, crc32c, parse_header, wanted_octets


def header(command: int, family: int, body: bytes) -> bytes:
    return SIGNATURE + bytes([command, family]) + struct.pack("!H", len(body)) + body


def addresses(source: str, destination: str, ports: tuple[int, int] = (4711, 25)) -> bytes:
    return ip_address(source).packed + ip_address(destination).packed + struct.pack("!HH", *ports)


V4 = addresses("192.0.2.7", "198.51.100.1")


def read(octets: bytes) -> tuple[ProxyHeader, bytes]:
    """As the server does: ask how much is wanted, read that, until nothing more is."""
    received = b""
    while wanted := wanted_octets(received):
        taken, octets = octets[:wanted], octets[wanted:]
        assert taken, "the parser wants more than there is"
        received += taken
    return parse_header(received), octets


def test_tcp_over_ipv4() -> None:
    found, rest = read(header(0x21, 0x11, V4) + b"EHLO")
    assert found == ProxyHeader(Endpoint("192.0.2.7", 4711), Endpoint("198.51.100.1", 25))
    assert rest == b"EHLO"


def test_tcp_over_ipv6_and_mapped_ipv4() -> None:
    found, _ = read(header(0x21, 0x21, addresses("2001:db8::7", "2001:db8::1")))
    assert found.source == Endpoint("2001:db8::7", 4711)
    found, _ = read(header(0x21, 0x21, addresses("::ffff:192.0.2.7", "::ffff:198.51.100.1")))
    assert found.source == Endpoint("192.0.2.7", 4711)


@pytest.mark.parametrize("family", [0x00, 0x11, 0x21, 0xFF])
def test_the_proxys_own_connections_keep_their_endpoints(family: int) -> None:
    assert read(header(0x20, family, b"whatever"))[0] == ProxyHeader(None, None)


def test_fields_after_the_addresses_are_skipped() -> None:
    fields = b"\x05\x00\x03abc" + b"\x20\x00\x05\x01\x00\x00\x00\x00" + b"\x04\x00\x00"
    assert read(header(0x21, 0x11, V4 + fields))[0].source == Endpoint("192.0.2.7", 4711)


@pytest.mark.parametrize(
    ("line", "source", "destination"),
    [
        ("TCP4 192.0.2.7 198.51.100.1 4711 25", Endpoint("192.0.2.7", 4711), Endpoint("198.51.100.1", 25)),
        ("TCP4 1.1.1.1 2.2.2.2 1 2", Endpoint("1.1.1.1", 1), Endpoint("2.2.2.2", 2)),
        ("TCP6 2001:db8::7 2001:db8::1 65535 0", Endpoint("2001:db8::7", 65535), Endpoint("2001:db8::1", 0)),
        (
            "TCP6 ::ffff:192.0.2.7 ::ffff:198.51.100.1 4711 25",
            Endpoint("192.0.2.7", 4711),
            Endpoint("198.51.100.1", 25),
        ),
        (
            "TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535",
            Endpoint("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
            Endpoint("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535),
        ),
    ],
)
def test_version_1(line: str, source: Endpoint, destination: Endpoint) -> None:
    found, rest = read(f"PROXY {line}\r\n".encode() + b"\r\nEHLO")
    assert found == ProxyHeader(source, destination)
    assert rest == b"\r\nEHLO"


def test_a_checksum_is_verified() -> None:
    plain = header(0x21, 0x11, V4 + b"\x03\x00\x04" + bytes(4))
    right = plain[:-4] + crc32c(plain).to_bytes(4, "big")
    assert read(right)[0].source == Endpoint("192.0.2.7", 4711)
    with pytest.raises(ProxyHeaderError):
        read(right[:-1] + bytes([right[-1] ^ 1]))


def test_the_checksum_is_the_one_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283


@pytest.mark.parametrize(
    "octets",
    [
        b"PROXY UNKNOWN\r\n                      ",
        b"PROXY TCP5 192.0.2.7 198.51.100.1 4711 25\r\n",
        b"PROXY TCP4 2001:db8::7 2001:db8::1 4711 25\r\n",
        b"PROXY TCP6 192.0.2.7 198.51.100.1 4711 25\r\n",
        b"PROXY TCP4 192.0.2.07 198.51.100.1 4711 25\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 04711 25\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1  4711 25\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 25 \r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\nEHLO\r\n",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 4711\r25\r\n",
        b"proxy TCP4 192.0.2.7 198.51.100.1 4711 25\r\n",
        b"PROXY TCP6 " + b"2001:db8::1 " * 10 + b"\r\n",
        b"E",
        b"\r\n\r\nEHLO",
        header(0x31, 0x11, V4),
        header(0x22, 0x11, V4),
        header(0x21, 0x00, V4),
        header(0x21, 0x12, V4),
        header(0x21, 0x31, bytes(216)),
        header(0x21, 0x11, V4[:-1]),
        header(0x21, 0x21, V4),
        header(0x21, 0x11, V4 + b"\x04\x00"),
        header(0x21, 0x11, V4 + b"\x04\x00\x09abc"),
        header(0x21, 0x11, V4 + b"\x03\x00\x01a"),
        SIGNATURE + b"\x21\x11\xff\xff",
    ],
)
def test_anything_else_is_refused_at_once(octets: bytes) -> None:
    with pytest.raises(ProxyHeaderError):
        read(octets)


@given(
    st.binary(max_size=100),
    st.sampled_from([b"", b"PROXY TCP4 192.0.2.7 ", SIGNATURE, SIGNATURE + b"\x21", SIGNATURE + b"\x21\x11\x00\x20"]),
)
def test_any_octets_are_a_header_or_the_parsers_own_error(noise: bytes, start: bytes) -> None:
    octets = start + noise + bytes(3000)
    received = b""
    try:
        while wanted := wanted_octets(received):
            assert 0 < wanted <= 2064
            received = octets[: len(received) + wanted]
        parse_header(received)
    except ProxyHeaderError:
        pass
