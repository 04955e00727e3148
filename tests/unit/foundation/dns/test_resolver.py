import asyncio
import socket

import dns.flags
import pytest

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.dns.resolver import InvalidNameError, Resolver
from support.dns_authority import Authority, Failure, Records, dns_authority
from support.eventually import eventually

ZONE: Records = {
    "example.test": {"MX": ["10 mail.example.test.", "20 Backup.Example.test."], "TXT": "v=spf1 -all"},
    "mail.example.test": {"A": "192.0.2.1", "AAAA": "2001:db8::1"},
    "alias.example.test": {"CNAME": "www.example.test."},
    "www.example.test": {"CNAME": "mail.example.test."},
    "loop.example.test": {"CNAME": "loops.example.test."},
    "loops.example.test": {"CNAME": "loop.example.test."},
    "dangling.example.test": {"CNAME": "nowhere.example.test."},
    "large.example.test": {"TXT": ["x" * 1000, "y" * 1000, "z" * 1000]},
    "xn--bcher-kva.example.test": {"A": "192.0.2.2"},
}
SETTINGS = DnsSettings(timeout=5, attempts=1)


def resolver(*authorities: Authority, settings: DnsSettings = SETTINGS, clock: ManualClock | None = None) -> Resolver:
    return Resolver(tuple(authority.address for authority in authorities), settings, clock or ManualClock())


async def test_records_come_in_their_presentation_form() -> None:
    with dns_authority(ZONE) as authority:
        answer = await resolver(authority).query("Example.TEST.", "MX")
        assert answer.outcome == "found"
        assert sorted(record.lower() for record in answer.records) == [
            "10 mail.example.test.",
            "20 backup.example.test.",
        ]
        assert answer.canonical == "example.test"
        assert answer.ttl == 300


async def test_no_such_name_and_no_such_record_are_told_apart() -> None:
    with dns_authority(ZONE, negative_ttl=30) as authority:
        asking = resolver(authority)
        assert (await asking.query("nowhere.example.test", "A")).outcome == "nxdomain"
        answer = await asking.query("mail.example.test", "MX")
        assert (answer.outcome, answer.records, answer.ttl) == ("nodata", (), 30)


async def test_aliases_are_followed_to_their_end() -> None:
    with dns_authority(ZONE) as authority:
        asking = resolver(authority)
        answer = await asking.query("alias.example.test", "A")
        assert (answer.records, answer.canonical) == (("192.0.2.1",), "mail.example.test")
        assert (await asking.query("dangling.example.test", "A")).outcome == "nxdomain"
        with pytest.raises(ResolutionError):
            await asking.query("loop.example.test", "A")


async def test_an_alias_without_its_target_is_asked_on() -> None:
    with dns_authority(ZONE) as authority:
        authority.chase(on=False)
        answer = await resolver(authority).query("alias.example.test", "A")
        assert (answer.records, answer.canonical) == (("192.0.2.1",), "mail.example.test")
        assert authority.count("mail.example.test", "A") == 1
        with pytest.raises(ResolutionError):
            await resolver(authority).query("loop.example.test", "A")


async def test_answers_are_kept_for_their_time_to_live() -> None:
    clock = ManualClock()
    with dns_authority(ZONE) as authority:
        authority.put("mail.example.test", "A", "192.0.2.1", ttl=100)
        asking = resolver(authority, clock=clock)
        await asking.query("mail.example.test", "A")
        clock.advance(40)
        assert (await asking.query("MAIL.example.test", "A")).ttl == 60
        assert authority.count("mail.example.test", "A") == 1
        clock.advance(61)
        authority.put("mail.example.test", "A", "192.0.2.9")
        assert (await asking.query("mail.example.test", "A")).records == ("192.0.2.9",)


async def test_times_to_live_are_bounded() -> None:
    clock = ManualClock()
    settings = DnsSettings(cache_most=50, cache_least=5, cache_negative_most=7)
    with dns_authority(ZONE) as authority:
        authority.put("short.example.test", "A", "192.0.2.1", ttl=0)
        asking = resolver(authority, settings=settings, clock=clock)
        assert (await asking.query("mail.example.test", "A")).ttl == 50
        assert (await asking.query("short.example.test", "A")).ttl == 5
        assert (await asking.query("nowhere.example.test", "A")).ttl == 7


async def test_what_does_not_exist_is_remembered_too() -> None:
    clock = ManualClock()
    with dns_authority(ZONE, negative_ttl=30) as authority:
        asking = resolver(authority, clock=clock)
        for _ in range(3):
            assert (await asking.query("new.example.test", "A")).outcome == "nxdomain"
        assert authority.count("new.example.test", "A") == 1
        authority.put("new.example.test", "A", "192.0.2.3")
        clock.advance(31)
        assert (await asking.query("new.example.test", "A")).records == ("192.0.2.3",)


async def test_one_query_serves_all_who_wait_even_when_the_first_gives_up() -> None:
    with dns_authority(ZONE) as authority:
        asking = resolver(authority)
        authority.hold()
        waiting = [asyncio.create_task(asking.query("mail.example.test", "A")) for _ in range(20)]
        await eventually(lambda: authority.count("mail.example.test", "A"))
        waiting.pop(0).cancel()
        authority.release()
        assert {answer.records for answer in await asyncio.gather(*waiting)} == {("192.0.2.1",)}
        assert authority.count("mail.example.test", "A") == 1


@pytest.mark.parametrize("name", ["large.example.test", "mail.example.test"])
async def test_an_answer_that_was_cut_is_asked_for_over_tcp(name: str) -> None:
    with dns_authority(ZONE) as authority:
        authority.fail("mail.example.test", Failure.TRUNCATION)
        answer = await resolver(authority).query(name, "TXT" if name.startswith("large") else "A")
        assert answer.outcome == "found"
        assert sum(len(record) for record in answer.records) in (9, 3000)
        assert authority.transports == {"udp": 1, "tcp": 1}


async def test_the_next_server_is_asked_when_one_fails_and_the_one_that_answers_is_kept() -> None:
    with dns_authority(ZONE) as broken, dns_authority(ZONE) as well:
        for name in ("mail.example.test", "example.test"):
            broken.fail(name, Failure.SERVFAIL)
        asking = resolver(broken, well)
        assert (await asking.query("mail.example.test", "A")).records == ("192.0.2.1",)
        assert (await asking.query("example.test", "TXT")).records == ("v=spf1 -all",)
        assert broken.count("mail.example.test", "A") == 1
        assert broken.count("example.test", "TXT") == 0


async def test_a_server_that_is_silent_is_left_after_its_time() -> None:
    with dns_authority(ZONE) as silent, dns_authority(ZONE) as well:
        silent.fail("mail.example.test", Failure.SILENCE)
        asking = resolver(silent, well, settings=DnsSettings(timeout=0.05))
        assert (await asking.query("mail.example.test", "A")).records == ("192.0.2.1",)


async def test_a_port_where_nobody_listens_fails_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, dns_authority(ZONE) as well:
        probe.bind(("127.0.0.1", 0))
        closed = f"127.0.0.1:{probe.getsockname()[1]}"
        probe.close()
        asking = Resolver((closed, well.address), DnsSettings(timeout=600), ManualClock())
        assert (await asking.query("mail.example.test", "A")).records == ("192.0.2.1",)


@pytest.mark.parametrize(
    "failure", [Failure.SERVFAIL, Failure.REFUSED, Failure.SILENCE, Failure.GARBAGE, Failure.OTHER_QUESTION]
)
async def test_when_nobody_answers_the_error_is_temporary_and_kept_for_a_moment(failure: Failure) -> None:
    clock = ManualClock()
    with dns_authority(ZONE) as authority:
        authority.fail("mail.example.test", failure)
        asking = resolver(authority, settings=DnsSettings(timeout=0.05, attempts=2), clock=clock)
        for _ in range(3):
            with pytest.raises(ResolutionError) as caught:
                await asking.query("mail.example.test", "A")
            assert caught.value.temporary
        assert authority.count("mail.example.test", "A") == 2
        authority.fail("mail.example.test", None)
        clock.advance(2)
        assert (await asking.query("mail.example.test", "A")).outcome == "found"


async def test_a_second_attempt_helps_a_server_that_stumbled() -> None:
    with dns_authority(ZONE) as authority:
        authority.fail("mail.example.test", Failure.SERVFAIL_ONCE)
        assert (await resolver(authority, settings=DnsSettings()).query("mail.example.test", "A")).outcome == "found"


@pytest.mark.parametrize("failure", [Failure.OTHER_ID, Failure.OTHER_QUESTION])
async def test_a_forger_who_guesses_on_makes_the_resolver_turn_to_tcp(failure: Failure) -> None:
    with dns_authority(ZONE) as authority:
        authority.fail("mail.example.test", failure)
        authority.repeat(20)
        if failure is Failure.OTHER_ID:
            authority.only_udp_fails()
            assert (await resolver(authority).query("mail.example.test", "A")).outcome == "found"
        else:
            with pytest.raises(ResolutionError, match="another question"):
                await resolver(authority).query("mail.example.test", "A")
        assert authority.transports == {"udp": 1, "tcp": 1}


async def test_a_server_without_edns_is_asked_without() -> None:
    with dns_authority(ZONE) as authority:
        authority.fail("mail.example.test", Failure.NO_EDNS)
        assert (await resolver(authority).query("mail.example.test", "A")).records == ("192.0.2.1",)
        assert authority.last_query is not None
        assert authority.last_query.edns == -1


async def test_ids_are_random_and_edns_is_sent() -> None:
    ids = set()
    with dns_authority(ZONE) as authority:
        asking = resolver(authority)
        for number in range(20):
            await asking.query(f"n{number}.example.test", "A")
            last = authority.last_query
            assert last is not None
            ids.add(last.id)
            assert last.edns == 0
            assert last.payload == 1232
            assert last.flags & dns.flags.AD
        assert len(ids) > 15
        assert len(authority.source_ports) > 15


@pytest.mark.parametrize(
    ("trusted", "said", "authenticated"), [(True, True, True), (True, False, False), (False, True, False)]
)
async def test_authenticated_means_a_trusted_server_said_so(trusted: bool, said: bool, authenticated: bool) -> None:
    with dns_authority(ZONE) as authority:
        if said:
            authority.authenticate("mail.example.test")
        asking = resolver(authority, settings=DnsSettings(trusted=trusted))
        assert (await asking.query("mail.example.test", "A")).authenticated is authenticated


async def test_internationalised_names_are_asked_as_a_labels() -> None:
    with dns_authority(ZONE) as authority:
        assert (await resolver(authority).query("Bücher.example.test", "A")).records == ("192.0.2.2",)


async def test_names_that_cannot_be_asked_are_refused_unsent() -> None:
    with dns_authority(ZONE) as authority:
        with pytest.raises(InvalidNameError):
            await resolver(authority).query("a..example.test", "A")
        assert not authority.queries


async def test_the_cache_is_bounded_in_number_and_size() -> None:
    with dns_authority(ZONE) as authority:
        few = resolver(authority, settings=DnsSettings(cache_entries=3))
        for number in range(10):
            await few.query(f"n{number}.example.test", "A")
        assert len(few._cache) == 3
        small = resolver(authority, settings=DnsSettings(cache_size=4000))
        await small.query("mail.example.test", "A")
        await small.query("large.example.test", "TXT")
        await small.query("example.test", "MX")
        assert small._cache._octets <= 4000
        await small.query("example.test", "MX")
        assert authority.count("example.test", "MX") == 1


async def test_closing_gives_up_what_is_on_its_way() -> None:
    with dns_authority(ZONE) as authority:
        authority.fail("mail.example.test", Failure.SILENCE)
        asking = resolver(authority, settings=DnsSettings(timeout=600))
        waiting = asyncio.create_task(asking.query("mail.example.test", "A"))
        await eventually(lambda: authority.count("mail.example.test", "A"))
        await asking.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting
