"""Which way mail leaves by: relays with failover, per domain, and local addresses."""

from pathlib import Path

import pytest

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.sending import relays_of, set_relays, set_source
from mailstead.foundation.config.sections.sending import SendingSettings
from mailstead.foundation.errors import InvalidError
from mailstead.foundation.net.listen import UNIX_PREFIX
from mailstead.mail.outbound.routes import Routes, parse_relays, source_for
from support.post_office import PostOffice, post_office
from support.scripted_smtp import ScriptedServer, scripted_server
from unit.mail.outbound.test_transport import attempt, summary


@pytest.mark.parametrize(
    ("sources", "address", "source"),
    [
        ((), "192.0.2.1", ""),
        (("198.51.100.1", "2001:db8::1"), "192.0.2.1", "198.51.100.1"),
        (("198.51.100.1", "2001:db8::1"), "2001:db8::9", "2001:db8::1"),
        (("198.51.100.1",), "2001:db8::9", None),
        (("0.0.0.0",), "2001:db8::9", None),
        (("0.0.0.0",), "192.0.2.1", ""),
        (("0.0.0.0", "::"), "relay.test", ""),
        (("::", "198.51.100.1"), "relay.test", "198.51.100.1"),
    ],
)
def test_the_local_address_is_of_the_remote_ones_family(
    sources: tuple[str, ...], address: str, source: str | None
) -> None:
    assert source_for(sources, address) == source


@pytest.mark.parametrize("urls", ["ftp://a", "smtp://", "smtp://a/path", "smtp://a:99999", " ".join(["smtp://a"] * 9)])
def test_what_is_no_relay(urls: str) -> None:
    with pytest.raises(InvalidError):
        parse_relays(urls)


def url(server: ScriptedServer, login: str = "") -> str:
    return f"smtp://{login}127.0.0.1:{server.port}"


async def test_the_next_relay_takes_over_from_one_that_is_gone_or_refuses_the_login(tmp_path: Path) -> None:
    async with scripted_server() as first, scripted_server() as second:
        relays = f"{url(first, 'me:pw@')} {url(second)}"
        async with post_office(tmp_path, 1, relay_url=relays) as office:
            first.scripts["AUTH"] = ["535 5.7.8 wrong"]
            assert summary(await attempt(office)) == [("delivered", "2.0.0")]
            assert (first.recipients(), second.recipients()) == ([], ["dave@remote.test"])
            first.scripts["CONNECT"] = ["421 4.3.2 closing"]
            await attempt(office)
            assert len(second.recipients()) == 2
            await attempt(office)
            assert first.recipients() == ["dave@remote.test"]
            second.scripts["CONNECT"], first.scripts["CONNECT"] = [""], [""]
            assert summary(await attempt(office)) == [("deferred", "4.4.2")]


async def test_a_domains_own_relays_take_its_mail_alone(tmp_path: Path) -> None:
    async with scripted_server() as own, scripted_server() as usual, post_office(tmp_path, 1) as office:
        made = office.made
        await set_relays(made.administration, COMMAND_LINE, "example.test", [url(own)])
        office.routes = Routes(made.directory, SendingSettings(), url(usual))
        await attempt(office)
        await attempt(office, sender="a@elsewhere.test")
        await attempt(office, sender="")
        assert (len(own.recipients()), len(usual.recipients())) == (1, 2)
        domain = await set_relays(made.administration, COMMAND_LINE, "example.test", [])
        assert relays_of(made.administration, domain) == ()
        await attempt(office)
        assert len(usual.recipients()) == 3


async def test_relays_are_encrypted_where_they_are_kept(tmp_path: Path) -> None:
    async with post_office(tmp_path, 1) as office:
        made = office.made
        domain = await set_relays(made.administration, COMMAND_LINE, "example.test", ["smtps://me:hidden@r.test"])
        assert b"hidden" not in domain.relay
        (relay,) = relays_of(made.administration, domain)
        assert (relay.host, relay.port, relay.password, "hidden" in repr(relay)) == ("r.test", 465, "hidden", False)


async def test_mail_leaves_by_the_domains_address_and_by_no_other_family(tmp_path: Path) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port) as office:
        await use_source(office, "127.0.0.9")
        assert summary(await attempt(office)) == [("delivered", "2.0.0")]
        assert sink.peers == ["127.0.0.9"]
        await use_source(office, "::1")
        found = await attempt(office)
        assert summary(found) == [("deferred", "4.4.1")]
        assert "of a family that mail leaves by" in found.verdicts[0].text
        with pytest.raises(InvalidError):
            await use_source(office, "127.0.0.8", "127.0.0.9")
        with pytest.raises(InvalidError):
            await use_source(office, UNIX_PREFIX)


async def use_source(office: PostOffice, *addresses: str) -> None:
    made = office.made
    await set_source(made.administration, COMMAND_LINE, "example.test", addresses)
    office.routes = Routes(made.directory, SendingSettings(), "")
