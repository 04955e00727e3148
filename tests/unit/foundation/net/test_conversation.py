"""Who counts as this host."""

import pytest

from mailstead.foundation.net.conversation import is_loopback


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("unix", True),
        ("192.0.2.1", False),
        ("2001:db8::1", False),
        ("", False),
        ("localhost", False),
    ],
)
def test_loopback_and_unix_sockets_are_this_host(address: str, found: bool) -> None:
    assert is_loopback(address) is found
