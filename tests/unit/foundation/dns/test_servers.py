import os
from pathlib import Path

import pytest

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.dns.servers import InvalidServerError, Servers, parse_server


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_servers_are_addresses_with_or_without_port(text: str, server: tuple[str, int]) -> None:
    assert parse_server(text) == server


@pytest.mark.parametrize(
    "text", ["", "dns.example.test", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:70000", "[::1", "1.2.3"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidServerError):
        parse_server(text)


def test_the_one_that_failed_is_asked_last() -> None:
    servers = Servers(("192.0.2.1", "192.0.2.2"), ManualClock())
    first, second = servers.order()
    servers.failed(first)
    assert servers.order() == [second, first]


def test_resolv_conf_is_followed_as_it_changes(tmp_path: Path) -> None:
    clock = ManualClock()
    path = tmp_path / "resolv.conf"
    path.write_text(
        "# comment\nsearch example.test\nnameserver 192.0.2.1\nnameserver junk\nnameserver\n nameserver 2001:db8::1\n"
    )
    servers = Servers((), clock, path)
    assert servers.order() == [("192.0.2.1", 53), ("2001:db8::1", 53)]
    path.write_text("nameserver 192.0.2.9\n")
    os.utime(path, (1, 1))
    clock.advance(10)
    assert servers.order() == [("192.0.2.9", 53)]


def test_without_any_it_is_the_one_on_this_host(tmp_path: Path) -> None:
    assert Servers((), ManualClock(), tmp_path / "missing").order() == [("127.0.0.1", 53)]
