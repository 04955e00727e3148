"""A digest is the same however it is fed."""

import hashlib

import pytest

from mailstead.foundation.crypto.feeding import feed


@pytest.mark.parametrize("size", [0, 1, 2047, 2048, 4094, 4095, 65_536, 65_537])
def test_the_digest_is_that_of_all_octets(size: int) -> None:
    data = bytes(number * 7 % 251 for number in range(size))
    for given in (data, memoryview(data)):
        digest = hashlib.blake2b(b"before")
        feed(digest, given)
        assert digest.digest() == hashlib.blake2b(b"before" + data).digest()
