import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.net.errors import ConnectionLimitError
from mailstead.foundation.net.limits import ConnectionLimits, Networks, address_group


def limits(clock: ManualClock | None = None, **settings: int) -> ConnectionLimits:
    return ConnectionLimits(NetworkSettings(**settings), clock or ManualClock())  # type: ignore[arg-type] # numbers only


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_network_of_64_bits_is_one_address(address: str, group: str) -> None:
    assert address_group(address) == group


def test_networks_hold_addresses_of_both_families() -> None:
    networks = Networks(("10.0.0.0/8", "2001:db8::/32"))
    assert "10.1.2.3" in networks
    assert "::ffff:10.1.2.3" in networks
    assert "2001:db8::1" in networks
    assert "192.0.2.1" not in networks
    assert "unix" not in networks
    assert "" not in networks


def test_the_total_counts_everybody() -> None:
    counted = limits(connections=2)
    counted.admit("127.0.0.1")
    counted.admit("unix")
    with pytest.raises(ConnectionLimitError):
        counted.admit("192.0.2.1")
    counted.release("unix", "")
    counted.admit("192.0.2.1")


def test_addresses_of_one_network_share_a_limit() -> None:
    counted = limits(connections_per_address=2)
    counted.admit("2001:db8::1")
    counted.admit("2001:db8::2")
    with pytest.raises(ConnectionLimitError):
        counted.admit("2001:db8::3")
    counted.admit("2001:db8:0:1::1")
    counted.release("2001:db8::1", "")
    counted.admit("2001:db8::3")


def test_loopback_is_exempt_from_limits_by_address() -> None:
    counted = limits(connections_per_address=1, connection_rate=1)
    for _ in range(5):
        counted.admit("127.0.0.1")
        counted.admit("unix")


def test_the_rate_is_counted_per_minute_and_refusals_do_not_prolong_it() -> None:
    clock = ManualClock()
    counted = limits(clock, connection_rate=2)
    for _ in range(2):
        counted.admit("192.0.2.1")
        counted.release("192.0.2.1", "")
    for _ in range(5):
        clock.advance(10)
        with pytest.raises(ConnectionLimitError):
            counted.admit("192.0.2.1")
    counted.admit("192.0.2.2")
    clock.advance(10)
    counted.admit("192.0.2.1")


def test_windows_of_addresses_that_are_over_are_forgotten() -> None:
    clock = ManualClock()
    counted = limits(clock)
    for host in range(50):
        counted.admit(f"192.0.2.{host}")
        counted.release(f"192.0.2.{host}", "")
    clock.advance(61)
    counted.admit("198.51.100.1")
    assert len(counted._windows) == 1
    assert len(counted._addresses) == 1


def test_accounts_have_their_own_limit() -> None:
    counted = limits(connections_per_account=1)
    counted.admit("192.0.2.1")
    counted.admit("192.0.2.2")
    counted.hold("alice@example.test")
    counted.hold("bob@example.test")
    with pytest.raises(ConnectionLimitError):
        counted.hold("alice@example.test")
    counted.release("192.0.2.1", "alice@example.test")
    counted.hold("alice@example.test")


@given(st.lists(st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1", "127.0.0.1", "unix"]), max_size=40))
def test_what_is_released_leaves_nothing(addresses: list[str]) -> None:
    counted = limits(connections=10, connections_per_address=3)
    admitted = []
    for address in addresses:
        try:
            counted.admit(address)
        except ConnectionLimitError:
            continue
        admitted.append(address)
    assert len(admitted) <= 10
    for address in admitted:
        counted.release(address, "")
    assert counted._total == 0
    assert not counted._addresses
