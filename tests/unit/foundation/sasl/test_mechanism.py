import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.sasl.mechanism import MECHANISMS, Challenge, Credentials, Failed, decode_response


def test_plain() -> None:
    assert MECHANISMS["PLAIN"]().step(None) == Challenge(b"")
    assert MECHANISMS["PLAIN"]().step(b"\0alice\0pass\xc3\xa9") == Credentials("alice", "passé")
    assert MECHANISMS["PLAIN"]().step(b"bob\0alice\0p") == Credentials("alice", "p", "bob")


@pytest.mark.parametrize("message", [b"", b"\0alice", b"\0\0p", b"a\0b\0c\0d", b"\0\xff\0p", b"\0a\0" + b"p" * 2000])
def test_plain_refuses(message: bytes) -> None:
    assert isinstance(MECHANISMS["PLAIN"]().step(message), Failed)


def test_login() -> None:
    exchange = MECHANISMS["LOGIN"]()
    assert exchange.step(None) == Challenge(b"Username:")
    assert exchange.step(b"alice") == Challenge(b"Password:")
    assert exchange.step(b"secret") == Credentials("alice", "secret")
    assert "secret" not in repr(Credentials("alice", "secret"))


@given(st.binary(max_size=200))
def test_base64_is_read_strictly(data: bytes) -> None:
    assert decode_response(base64.b64encode(data)) == data
    assert decode_response(b"=") == b""
    assert decode_response(b"a b=") is None
    assert decode_response(b"A" * 20_000) is None
    for mechanism in MECHANISMS.values():
        mechanism().step(data)
