from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.domains import add_domain
from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.bus import BusSettings
from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.mail.sending.policy import SendingPolicy, UnprovedDomainError
from mailstead.mail.sending.proof import is_special_use
from mailstead.stores.bus.memory import MemoryBus
from mailstead.stores.directory.records import Domain
from support.dns_authority import Authority, Failure, dns_authority
from support.installation import Installation, installation

HOST = "mail.proved.net"


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Installation]:
    async with installation(tmp_path, clock=ManualClock(1_800_000_000.0)) as running:
        await add_domain(running.administration, COMMAND_LINE, "proved.net", owner_id="owner")
        yield running


@pytest.fixture
async def bus(made: Installation) -> AsyncIterator[MemoryBus]:
    running = MemoryBus(BusSettings(), made.clock)
    await running.open()
    yield running
    await running.close()


@pytest.fixture
def authority() -> Iterator[Authority]:
    with dns_authority({HOST: {"A": "192.0.2.1"}}, negative_ttl=1) as running:
        yield running


def policy_of(made: Installation, authority: Authority, settings: SendingSettings, bus: MemoryBus) -> SendingPolicy:
    # a resolver of each policy's own: nothing is cached from before
    resolver = Resolver((authority.address,), DnsSettings(timeout=0.2, attempts=1), made.clock)
    return SendingPolicy(made.directory, made.documents, bus, resolver, settings, HOST, made.clock)


async def publish(made: Installation, authority: Authority) -> Domain:
    domain = await made.directory.get(Domain, "proved.net")
    assert domain is not None
    authority.put("proved.net", "TXT", "v=spf1 ip4:192.0.2.1 -all")
    authority.put("_dmarc.proved.net", "TXT", "v=DMARC1; p=none")
    for key in domain.dkim_keys:
        authority.put(f"{key.selector}._domainkey.proved.net", "TXT", key.public_record)
    return domain


async def check(policy: SendingPolicy) -> None:
    await policy.check_recipient("a@proved.net", "a@proved.net", "dave@remote.net")


async def test_a_domain_sends_when_dns_shows_all_of_it(
    made: Installation, authority: Authority, bus: MemoryBus
) -> None:
    with pytest.raises(UnprovedDomainError) as refused:
        await check(policy_of(made, authority, SendingSettings(), bus))
    assert "0 SPF records at proved.net" in str(refused.value)
    assert (refused.value.smtp_code, refused.value.enhanced_code) == (550, "5.7.1")
    await publish(made, authority)
    assert isinstance(made.clock, ManualClock)
    with pytest.raises(UnprovedDomainError):  # DNS is asked once a minute at most
        await check(policy_of(made, authority, SendingSettings(), bus))
    made.clock.advance(61)
    await check(policy_of(made, authority, SendingSettings(), bus))
    stored = await made.directory.get(Domain, "proved.net")
    assert stored is not None
    assert (stored.proof.proved_at, stored.proof.lacking) == (made.clock.now(), ())


async def test_records_that_go_away_stop_it_after_the_grace(
    made: Installation, authority: Authority, bus: MemoryBus
) -> None:
    await publish(made, authority)
    settings = SendingSettings(dns_grace=3600.0)
    await check(policy_of(made, authority, settings, bus))
    authority.remove("_dmarc.proved.net")
    assert isinstance(made.clock, ManualClock)
    for age, may in ((1800, True), (1801, False)):
        made.clock.advance(age)
        policy = policy_of(made, authority, settings, bus)
        domain = await made.directory.get(Domain, "proved.net")
        assert domain is not None
        await policy.proofs.look(domain)
        if may:
            await check(policy)
        else:
            with pytest.raises(UnprovedDomainError, match="0 DMARC records"):
                await check(policy)


async def test_spf_that_refuses_this_host_is_told(made: Installation, authority: Authority, bus: MemoryBus) -> None:
    await publish(made, authority)
    authority.put("proved.net", "TXT", "v=spf1 ip4:192.0.2.77 -all")
    with pytest.raises(UnprovedDomainError, match=r"SPF of proved.net says fail for 192\.0\.2\.1"):
        await check(policy_of(made, authority, SendingSettings(), bus))


async def test_dns_that_does_not_answer_holds_nothing_up(
    made: Installation, authority: Authority, bus: MemoryBus
) -> None:
    authority.fail("proved.net", Failure.SERVFAIL)
    await check(policy_of(made, authority, SendingSettings(), bus))


async def test_by_setting_it_is_told_or_not_looked_at(made: Installation, authority: Authority, bus: MemoryBus) -> None:
    tells = policy_of(made, authority, SendingSettings(dns="tell"), bus)
    await check(tells)
    assert "0 SPF records" in await tells.concern("a@proved.net")
    ignores = policy_of(made, authority, SendingSettings(dns="ignore"), bus)
    await check(ignores)
    assert await ignores.concern("a@proved.net") == ""


@pytest.mark.parametrize(
    ("name", "special"), [("example.test", True), ("x.example.org", True), ("latest", False), ("proved.net", False)]
)
def test_names_of_special_use(name: str, special: bool) -> None:
    assert is_special_use(name) is special
