"""Who may connect and send: in the order of the conversation, by what the client is told."""

from pathlib import Path
from typing import Any

import pytest

from mailstead.stores.directory.access import AccessEntry, access_value
from support.screened import Exchanger, exchanger, letter
from support.scripted_resolver import Zone

BAD = "198.51.100.7"
NO_NAME = "203.0.113.5"
ZONE: Zone = {
    "7.100.51.198.zen.spamhaus.org": {"A": "127.0.0.4"},
    "7.100.51.198.in-addr.arpa": {"PTR": "mail.bad.test."},
    "mail.bad.test": {"A": BAD},
    "bad.test": {"MX": "10 mail.bad.test."},
    "nomail.test": {"MX": "0 ."},
    "10.2.0.192.list.dnswl.org": {"A": "127.0.9.2"},
}

STRANGE = letter(author="x@bad.test")


async def enter(opened: Exchanger, verdict: Any, value: str, scope: str = "", note: str = "") -> None:
    kind, compared = access_value(value)
    entry = AccessEntry(id=f"{scope} {value}", scope=scope, verdict=verdict, kind=kind, value=compared, note=note)
    await opened.made.directory.add(entry)


async def test_a_client_with_nothing_against_it_is_taken_at_once(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as opened:
        assert (await opened.send(letter())).startswith(b"250 2.0.0")
        (stored,) = await opened.made.messages("alice@example.test")
        assert b"X-Mailstead-Verdict: good; score=-0.5\r\nX-Spam-Score: -0.5\r\nX-Spam-Status: No," in stored
        assert (await opened.traced("screened"))[0].startswith("good, -0.5 of 5 points; the author's domain is proven")


@pytest.mark.parametrize(
    ("settings", "sender", "address", "hello", "answer"),
    [
        ({}, "x@bad.test", BAD, "mail.bad.test", b"550 5.7.1 198.51.100.7 is on the blocklist zen.spamhaus.org, ask"),
        (
            {"on_blocklist": "score"},
            "x@bad.test",
            BAD,
            "mail.bad.test",
            b"450 4.7.1 Not known here yet, come back in 120",
        ),
        ({"blocklists": ()}, "x@bad.test", BAD, "mail.bad.test", b"250 2.0.0"),
        (
            {"on_reverse": "refuse"},
            "x@stranger.test",
            NO_NAME,
            "a.test",
            b"550 5.7.25 203.0.113.5 has no host name that",
        ),
        ({}, "x@stranger.test", NO_NAME, "mail.example.test", b"550 5.7.1 mail.example.test is not your name but ours"),
        ({}, "x@stranger.test", NO_NAME, "EXAMPLE.test", b"550 5.7.1 EXAMPLE.test is not your name but ours"),
        ({}, "x@nowhere.test", NO_NAME, "a.test", b"550 5.1.8 The sender's domain nowhere.test does not exist"),
        ({}, "x@nomail.test", NO_NAME, "a.test", b"550 5.7.27 The sender's domain nomail.test takes no mail"),
        ({}, "x@stranger.test", NO_NAME, "a.test", b"450 4.7.1 Not known here yet"),
        ({}, "", NO_NAME, "a.test", b"450 4.7.1 Not known here yet"),
        ({"exempt": ("203.0.113.0/24",)}, "x@nowhere.test", NO_NAME, "example.test", b"250 2.0.0"),
    ],
)
async def test_what_clients_are_told(
    tmp_path: Path, settings: dict[str, Any], sender: str, address: str, hello: str, answer: bytes
) -> None:
    async with exchanger(tmp_path, ZONE, settings={"screening": settings, "junk": {"filter": False}}) as opened:
        got = await opened.send(STRANGE, sender, address=address, hello=hello)
        assert got.startswith(answer), got


async def test_what_dns_does_not_answer_counts_for_nothing(tmp_path: Path) -> None:
    names = ["5.113.0.203.in-addr.arpa", "5.113.0.203.zen.spamhaus.org", "5.113.0.203.list.dnswl.org", "silent.test"]
    async with exchanger(tmp_path, failing=names) as opened:
        assert (await opened.send(STRANGE, "x@silent.test", address=NO_NAME, hello="a.test")).startswith(b"250")
    async with exchanger(tmp_path, failing=names, settings={"screening": {"on_reverse": "refuse"}}) as opened:
        got = await opened.send(STRANGE, "x@silent.test", address=NO_NAME, hello="a.test")
        assert got.startswith(b"450 4.7.25 The host name of 203.0.113.5 cannot be looked up now")


async def test_a_list_that_refuses_us_lists_nobody(tmp_path: Path) -> None:
    zone: Zone = {**ZONE, "7.100.51.198.zen.spamhaus.org": {"A": "127.255.255.254"}}
    async with exchanger(tmp_path, zone) as opened:
        assert (await opened.send(STRANGE, "x@bad.test", address=BAD, hello="mail.bad.test")).startswith(b"250")
        assert opened.screening.admission.refusing_lists == {"zen.spamhaus.org"}


async def test_a_code_outside_the_range_of_a_list_is_not_counted(tmp_path: Path) -> None:
    zone: Zone = {**ZONE, "7.100.51.198.zen.spamhaus.org": {"A": "127.0.0.77"}}
    async with exchanger(tmp_path, zone) as opened:
        assert (await opened.send(STRANGE, "x@bad.test", address=BAD, hello="mail.bad.test")).startswith(b"250")


async def test_an_allow_list_in_dns_outweighs_a_blocklist(tmp_path: Path) -> None:
    zone: Zone = {**ZONE, "10.2.0.192.zen.spamhaus.org": {"A": "127.0.0.2"}}
    async with exchanger(tmp_path, zone) as opened:
        assert (await opened.send(letter())).startswith(b"250")
        (text,) = await opened.traced("screened")
        assert "192.0.2.10 is on the list zen.spamhaus.org (+3)" in text
        assert "192.0.2.10 is on the allow list list.dnswl.org (-2)" in text


@pytest.mark.parametrize(
    ("value", "scope"),
    [  # of an address, a domain however it is written, a host name, a network
        ("ann@good.test", ""),
        ("good.test", ""),
        ("@good.test", "example.test"),
        ("mail.good.test", "example.test"),
        ("192.0.2.0/24", "example.test"),
    ],
)
async def test_deny_lists(tmp_path: Path, value: str, scope: str) -> None:
    async with exchanger(tmp_path) as opened:
        await enter(opened, "deny", value, scope, note="sends junk")
        got = await opened.send(letter())
        assert got == b"550 5.7.1 <alice@example.test> takes no mail from ann@good.test\r\n"
        whose = "the list of example.test" if scope else "the server's list"
        assert (await opened.traced("screened"))[0].endswith(f"{whose} denies {access_value(value)[1]} (sends junk)")


async def test_the_narrower_entry_decides_and_the_domains_own_comes_first(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as opened:
        await enter(opened, "deny", "good.test")
        await enter(opened, "allow", "ann@good.test")
        assert (await opened.send(letter())).startswith(b"250")
        await enter(opened, "deny", "192.0.2.10", "example.test")
        assert (await opened.send(letter())).startswith(b"550 5.7.1 <alice@example.test>")


async def test_who_is_allowed_has_to_be_who_it_says(tmp_path: Path) -> None:
    async with exchanger(tmp_path, ZONE) as opened:
        await enter(opened, "allow", "bad.test", "example.test")
        # the client's confirmed name is in the domain
        assert (await opened.send(STRANGE, "x@bad.test", address=BAD, hello="mail.bad.test")).startswith(b"250")
        await enter(opened, "allow", "ann@good.test", "example.test")
        forged = await opened.send(letter(), "ann@good.test", address=NO_NAME, hello="a.test")
        assert forged.startswith(b"450 4.7.1"), "SPF does not prove it: as any stranger"


async def test_a_denied_network_is_not_greeted(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as opened:
        await enter(opened, "deny", "198.51.100.0/24")
        async with opened.connect(BAD) as saying:
            session = saying.session

            async def silent(_: float) -> bool:
                return False

            await session.open(silent)
            assert saying.take() == b"554 5.7.1 Mail from 198.51.100.7 is not taken here\r\n"
            assert session.is_over


async def test_strangers_wait_for_the_greeting_once(tmp_path: Path) -> None:
    async with exchanger(tmp_path) as opened:
        waits: list[float] = []
        talks = False

        async def listen(seconds: float) -> bool:
            waits.append(seconds)
            return talks

        for _ in range(2):
            async with opened.connect() as saying:
                await saying.session.open(listen)
                assert saying.take().startswith(b"220 mail.example.test")
        assert waits == [2.0]
        talks = True
        async with opened.connect(BAD) as saying:
            await saying.session.open(listen)
            assert saying.take() == b"554 5.5.1 Talked before the greeting\r\n"


async def test_limits_of_messages_recipients_and_guesses(tmp_path: Path) -> None:
    limits = {"messages_per_address": 2, "unknown_recipients": 3, "messages_per_sender_domain": 4}
    async with exchanger(tmp_path, settings={"screening": limits}) as opened:
        assert (await opened.send(letter())).startswith(b"250")
        assert (await opened.send(letter())).startswith(b"250")
        assert (
            await opened.send(letter())
        ) == b"421 4.7.0 Too many messages from 192.0.2.10 for now, come back later\r\n"
        async with opened.connect(BAD) as saying:
            await saying.say(b"MAIL FROM:<x@good.test>\r\n")
            answers = [await saying.say(f"RCPT TO:<u{n}@example.test>\r\n".encode()) for n in range(4)]
            assert [one[:9] for one in answers] == [b"550 5.1.1"] * 3 + [b"421 4.7.0"]
            assert saying.session.is_over
        async with opened.connect(BAD) as saying:
            saying.session.is_over = False

            async def silent(_: float) -> bool:
                return False

            await saying.session.open(silent)
            assert saying.take().startswith(b"421 4.7.0 Too many recipients that do not exist")


async def test_one_sender_domain_from_many_addresses(tmp_path: Path) -> None:
    async with exchanger(tmp_path, settings={"screening": {"messages_per_sender_domain": 2}}) as opened:
        for number in range(3):
            async with opened.connect(f"198.18.{number}.1") as saying:
                answer = await saying.say(b"MAIL FROM:<x@good.test>\r\n")
        assert answer == b"450 4.7.0 Too many messages from good.test for now, come back later\r\n"
