import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.crypto import at_rest, seal
from mailstead.foundation.crypto.stream import CHUNK_SIZE, SealError

KEY = bytes(range(32))
PAIR = seal.new_key_pair()
sizes = st.one_of(st.integers(0, 300), st.sampled_from([CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 3 * CHUNK_SIZE]))


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@given(sizes, st.integers(1, 100_000), st.integers(1, 100_000))
def test_any_cut_comes_back(size: int, way_in: int, way_out: int) -> None:
    data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    sealed = b"".join(seal.seal_stream(PAIR.public, cut(data, max(way_in, size // 50))))
    assert b"".join(seal.open_stream(PAIR.private, cut(sealed, max(way_out, size // 50)))) == data
    assert at_rest.decrypt(KEY, at_rest.encrypt(KEY, data, b"id"), b"id") == data


@given(sizes, st.data())
def test_any_change_is_noticed(size: int, data: st.DataObject) -> None:
    sealed = bytearray(b"".join(seal.seal_stream(PAIR.public, [bytes(size)])))
    match data.draw(st.sampled_from(["flip", "cut", "grow", "drop"])):
        case "flip":
            place = data.draw(st.integers(0, len(sealed) * 8 - 1))
            # the highest bit of an X25519 point is not part of it (RFC 7748 §5); the key derivation still covers it
            sealed[place // 8] ^= 1 << place % 8
        case "cut":
            del sealed[data.draw(st.integers(0, len(sealed) - 1)) :]
        case "grow":
            sealed += b"x"
        case "drop":
            del sealed[36 : 36 + CHUNK_SIZE + 16]
    with pytest.raises(SealError):
        b"".join(seal.open_stream(PAIR.private, [bytes(sealed)]))


def test_another_owner_or_another_file_cannot_read() -> None:
    with pytest.raises(SealError):
        b"".join(seal.open_stream(seal.new_key_pair().private, seal.seal_stream(PAIR.public, [b"x"])))
    with pytest.raises(SealError):
        at_rest.decrypt(KEY, at_rest.encrypt(KEY, b"x", b"one"), b"two")


def test_chunks_in_another_order_are_noticed() -> None:
    sealed = b"".join(at_rest.encrypt_stream(KEY, [bytes(CHUNK_SIZE * 3)], b""))
    head, size = 36, CHUNK_SIZE + 16
    swapped = (
        sealed[:head] + sealed[head + size : head + 2 * size] + sealed[head : head + size] + sealed[head + 2 * size :]
    )
    with pytest.raises(SealError):
        at_rest.decrypt(KEY, swapped, b"")
