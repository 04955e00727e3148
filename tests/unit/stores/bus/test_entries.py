"""What expires, in bounds."""

from mailstead.foundation.clock import ManualClock
from mailstead.stores.bus.entries import Entries


def test_full_memory_forgets_what_ends_first() -> None:
    clock = ManualClock()
    entries = Entries(clock, 100)
    for number in range(150):
        entries.increment(f"address {number}", 1000 - number, 1)
    assert len(entries) == 100
    assert entries.counter("address 149") == 0
    assert entries.counter("address 0") == 1


def test_the_past_is_forgotten() -> None:
    clock = ManualClock()
    entries = Entries(clock, 100)
    for number in range(90):
        entries.store(str(number), b"", 10)
    clock.advance(10)
    entries.store("new", b"", 10)
    assert len(entries) == 1


def test_what_was_put_off_stays() -> None:
    clock = ManualClock()
    entries = Entries(clock, 10)
    entries.acquire("lease", "me", 10)
    for _ in range(5000):
        clock.advance(1)
        assert entries.renew("lease", "me", 10)
        entries.increment("count", 2, 1)
    assert not entries.acquire("lease", "you", 10)
    assert len(entries) <= 10


def test_tokens_grow_when_the_clock_goes_back() -> None:
    clock = ManualClock()
    entries = Entries(clock, 10)
    first = entries.acquire("lease", "me", 10)
    entries.release("lease", "me")
    assert entries.acquire("lease", "you", 10) == first + 1
    entries.release("lease", "you")
    clock.advance(1)
    assert entries.acquire("lease", "me", 10) > first + 1


def test_reserved_leases_go_to_those_who_held_them() -> None:
    clock = ManualClock()
    entries = Entries(clock, 10)
    entries.reserve(1.0)
    assert entries.acquire("lease", "you", 10) == 0
    assert entries.acquire("lease", "me", 10, 77) == 77
    assert entries.acquire("other", "you", 10, 78) == 78
    clock.advance(1)
    assert entries.acquire("lease", "you", 10) == 0
    assert entries.acquire("free", "you", 10) > 78
