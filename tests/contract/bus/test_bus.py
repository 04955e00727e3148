"""Events, counters, leases and values: the same from every engine."""

import asyncio

import pytest

from mailstead.foundation.errors import InvalidError
from mailstead.stores.bus.interface import Bus
from support.eventually import eventually
from support.heard import Heard


@pytest.fixture
def heard() -> Heard:
    return Heard()


async def test_events_come_in_order_to_all(bus: Bus, other: Bus, heard: Heard) -> None:
    mine, theirs = Heard(), Heard()
    await bus.subscribe("mailbox.1", mine.event)
    await other.subscribe("mailbox.1", theirs.event)
    await other.subscribe("mailbox.2", heard.event)
    for number in range(100):
        await (bus, other)[number % 2].publish("mailbox.1", b"%d" % number)
        await asyncio.sleep(0)
    await bus.publish("mailbox.2", b"end")
    await eventually(lambda: bool(heard.events) and len(mine.events) == len(theirs.events) == 100)
    assert heard.events == [("mailbox.2", b"end")]
    for listener in (mine, theirs):
        assert listener.events[::2] == [("mailbox.1", b"%d" % number) for number in range(0, 100, 2)]
        assert listener.events[1::2] == [("mailbox.1", b"%d" % number) for number in range(1, 100, 2)]


async def test_prefixes(bus: Bus, other: Bus, heard: Heard) -> None:
    everything, exact = Heard(), Heard()
    await bus.subscribe("mailbox.*", heard.event)
    await bus.subscribe("*", everything.event)
    await bus.subscribe("mailbox.[a]", exact.event)
    await bus.subscribe("x?[y]\\*", exact.event)
    for channel in ("mailbox.a", "mailbox", "mailbox.", "mailbox.[a]", "Mailbox.b", "x?[y]\\", "xz[y]\\", "x?y\\"):
        await other.publish(channel, channel.encode())
    await eventually(lambda: len(everything.events) >= 8)
    assert [channel for channel, _ in heard.events] == ["mailbox.a", "mailbox.", "mailbox.[a]"]
    assert [channel for channel, _ in exact.events] == ["mailbox.[a]", "x?[y]\\"]


async def test_names_and_payloads_are_any(bus: Bus, other: Bus, heard: Heard) -> None:
    names = ["ключ", "a b\r\nc", "\x00", "x" * 512, "%s{0}"]
    payloads = [b"", b"\x00\r\n\xff", b"x" * 100_000]
    for name in names:
        await bus.subscribe(name, heard.event)
    for name in names:
        for payload in payloads:
            await other.publish(name, payload)
    await eventually(lambda: len(heard.events) == len(names) * len(payloads))
    assert heard.events == [(name, payload) for name in names for payload in payloads]


async def test_no_event_after_close(bus: Bus, other: Bus, heard: Heard) -> None:
    kept = Heard()
    closed = await bus.subscribe("a", heard.event)
    await bus.subscribe("a", kept.event)
    await other.publish("a", b"1")
    await eventually(lambda: len(heard.events) == len(kept.events) == 1)
    closed.close()
    closed.close()
    await other.publish("a", b"2")
    await eventually(lambda: len(kept.events) == 2)
    assert len(heard.events) == 1
    again = Heard()
    await bus.subscribe("a", again.event)
    await other.publish("a", b"3")
    await eventually(lambda: len(again.events) == 1)


async def test_the_last_subscription_may_come_back(bus: Bus, other: Bus, heard: Heard) -> None:
    for number in range(20):
        subscription = await bus.subscribe("a", heard.event)
        await other.publish("a", b"%d" % number)

        def heard_it(count: int = number + 1) -> bool:
            return len(heard.events) == count

        await eventually(heard_it)
        subscription.close()
    assert [payload for _, payload in heard.events] == [b"%d" % number for number in range(20)]


async def test_an_error_in_a_callback_touches_no_other(bus: Bus, other: Bus, heard: Heard) -> None:
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context.get("exception")))

    def fail(channel: str, payload: bytes) -> None:
        raise ValueError(channel)

    await bus.subscribe("a", fail)
    await bus.subscribe("a", heard.event)
    await other.publish("a", b"1")
    await other.publish("a", b"2")
    await eventually(lambda: len(heard.events) == 2)
    assert [type(error) for error in reported] == [ValueError, ValueError]


async def test_counters(bus: Bus, other: Bus) -> None:
    assert await bus.counter("logins") == 0
    assert await bus.increment("logins", 60) == 1
    assert await other.increment("logins", 60, 5) == 6
    assert await other.increment("logins", 60, -7) == -1
    assert await other.increment("logins", 60) == 0
    assert await bus.counter("logins") == 0
    assert await bus.counter("other") == 0
    assert sorted(await asyncio.gather(*(one.increment("many", 60) for one in [bus, other] * 50))) == list(
        range(1, 101)
    )


async def test_counters_end_with_their_window(bus: Bus, other: Bus) -> None:
    value = 0
    rounds = 0
    # Increments do not put the end off: with a window of 0.3 s it comes round while we go on counting.
    async with asyncio.timeout(20):
        while (latest := await other.increment("logins", 0.3)) > value:
            value = latest
            rounds += 1
            await asyncio.sleep(0.02)
    assert latest == 1
    assert rounds > 1


async def test_leases(bus: Bus, other: Bus) -> None:
    token = await bus.acquire("scheduler", "one", 60)
    assert token > 0
    assert await other.acquire("scheduler", "two", 60) == 0
    assert await bus.acquire("scheduler", "one", 60) == token
    assert await bus.renew("scheduler", "one", 60)
    assert not await other.renew("scheduler", "two", 60)
    assert not await other.release("scheduler", "two")
    assert await bus.release("scheduler", "one")
    assert not await bus.renew("scheduler", "one", 60)
    assert not await bus.release("scheduler", "one")
    assert await other.acquire("scheduler", "two", 60) > token


async def test_leases_end(bus: Bus, other: Bus) -> None:
    first = await bus.acquire("scheduler", "one", 0.2)
    await eventually(lambda: other.acquire("scheduler", "two", 60))
    assert await other.acquire("scheduler", "two", 60) > first
    assert not await bus.renew("scheduler", "one", 60)


async def test_one_of_many_gets_the_lease(bus: Bus, other: Bus) -> None:
    tokens = await asyncio.gather(
        *((bus, other)[number % 2].acquire("x", f"owner {number}", 60) for number in range(50))
    )
    assert len([token for token in tokens if token]) == 1


async def test_values(bus: Bus, other: Bus) -> None:
    assert await bus.fetch("x") is None
    await bus.store("x", b"\x00\xff", 60)
    await bus.store("empty", b"", 60)
    assert await other.fetch("x") == b"\x00\xff"
    assert await other.fetch("empty") == b""
    await other.store("x", b"new", 0.1)

    async def gone() -> bool:
        return await bus.fetch("x") is None

    await eventually(gone)
    await bus.store("once", b"1", 60)
    taken = await asyncio.gather(*(one.discard("once") for one in [bus, other] * 10))
    assert taken.count(True) == 1
    assert await bus.fetch("once") is None


async def test_kinds_are_apart(bus: Bus) -> None:
    await bus.increment("x", 60)
    assert await bus.acquire("x", "owner", 60)
    await bus.store("x", b"value", 60)
    assert await bus.counter("x") == 1
    assert await bus.fetch("x") == b"value"
    assert await bus.renew("x", "owner", 60)


async def test_refuses_what_is_past_the_limits(bus: Bus, heard: Heard) -> None:
    for name in ("", "x" * 513, "\ud800"):
        with pytest.raises(InvalidError):
            await bus.publish(name, b"")
        with pytest.raises(InvalidError):
            await bus.subscribe(name, heard.event)
        with pytest.raises(InvalidError):
            await bus.increment(name, 1)
        with pytest.raises(InvalidError):
            await bus.acquire(name, "x", 1)
        with pytest.raises(InvalidError):
            await bus.fetch(name)
    with pytest.raises(InvalidError):
        await bus.publish("x", b"x" * 100_001)
    with pytest.raises(InvalidError):
        await bus.store("x", b"x" * 100_001, 1)
    for seconds in (0, -1, float("nan"), float("inf"), 1e12):
        with pytest.raises(InvalidError):
            await bus.increment("x", seconds)
        with pytest.raises(InvalidError):
            await bus.acquire("x", "x", seconds)
        with pytest.raises(InvalidError):
            await bus.store("x", b"", seconds)
