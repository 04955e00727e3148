import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.dns.answer import Answer
from mailstead.mail.authentication.spf.check import Client, check_spf, client_address
from mailstead.mail.authentication.spf.errors import SpfSyntaxError
from mailstead.mail.authentication.spf.macro import expand, fitted, parse_macro_string
from mailstead.mail.authentication.spf.record import parse_record
from mailstead.mail.authentication.spf.result import SpfResult
from support.scripted_resolver import ScriptedResolver, Zone


async def check(
    zone: Zone, *, ip: str = "192.0.2.1", helo: str = "mail.example.test", sender: str = "a@example.test"
) -> SpfResult:
    client = Client(client_address(ip), helo, sender)
    return await check_spf(ScriptedResolver(zone), client, now=0, timeout=5)


def spf(text: str) -> dict[str, dict[str, str]]:
    return {"example.test": {"TXT": text}}


async def test_the_result_says_what_led_to_it() -> None:
    found = await check(spf("v=spf1 ip4:192.0.2.0/24 -all"))
    assert found == SpfResult("pass", "example.test", reason="ip4:192.0.2.0/24 of example.test")


async def test_a_null_sender_is_judged_by_its_greeting() -> None:
    found = await check({"mail.example.test": {"TXT": "v=spf1 exists:%{l}.%{o} -all"}}, sender="")
    assert (found.result, found.domain, found.identity) == ("fail", "mail.example.test", "helo")
    zone = {"mail.example.test": {"TXT": "v=spf1 exists:%{l}.%{o} -all"}, "postmaster.mail.example.test": {"A": "::"}}
    assert (await check(zone, sender="")).result == "pass"


@pytest.mark.parametrize("helo", ["", "localhost", "[192.0.2.1]", "a..b", "-\x00.test", "ü" * 70 + ".test"])
async def test_greetings_that_are_no_names_have_no_policy(helo: str) -> None:
    assert (await check({}, helo=helo, sender="")).result == "none"


async def test_an_ipv4_address_written_as_ipv6_is_an_ipv4_address() -> None:
    assert (await check(spf("v=spf1 ip4:192.0.2.1 -all"), ip="::ffff:192.0.2.1")).result == "pass"


@pytest.mark.parametrize(
    ("ip", "expected"), [("2001:db8::1", "pass"), ("2001:db8:1::1", "fail"), ("192.0.2.1", "fail")]
)
async def test_ipv6_networks(ip: str, expected: str) -> None:
    assert (await check(spf("v=spf1 ip6:2001:db8::/48 -all"), ip=ip)).result == expected


async def test_a_local_part_outside_ascii_matches_no_macro_of_it() -> None:
    zone = spf("v=spf1 exists:%{l}.example.test exists:%{s}.example.test +exists:here.example.test -all")
    found = await check({**zone, "here.example.test": {"A": "127.0.0.2"}}, sender="jörg@example.test")
    assert (found.result, found.reason) == ("pass", "+exists:here.example.test of example.test")


async def test_internationalised_domains_are_asked_for_as_a_labels() -> None:
    found = await check({"xn--bcher-kva.test": {"TXT": "v=spf1 +all"}}, sender="a@bücher.test")
    assert found.result == "pass"


@pytest.mark.parametrize(("terms", "expected"), [(10, "neutral"), (11, "permerror")])
async def test_ten_terms_may_ask(terms: int, expected: str) -> None:
    zone: Zone = {
        "example.test": {"TXT": "v=spf1 " + " ".join(f"a:h{number}.test" for number in range(terms))},
        **{f"h{number}.test": {"A": "192.0.2.99"} for number in range(terms)},
    }
    assert (await check(zone)).result == expected


@pytest.mark.parametrize(("voids", "expected"), [(2, "neutral"), (3, "permerror")])
async def test_two_terms_may_find_nothing(voids: int, expected: str) -> None:
    text = "v=spf1 " + " ".join(f"a:h{number}.test" for number in range(voids))
    assert (await check(spf(text))).result == expected


async def test_mail_exchangers_of_the_other_address_family_are_no_void_lookups() -> None:
    zone: Zone = {
        "example.test": {"TXT": "v=spf1 mx -all", "MX": [f"{number} h{number}.test." for number in range(5)]},
        **{f"h{number}.test": {"AAAA": "2001:db8::1"} for number in range(5)},
    }
    assert (await check(zone)).result == "fail"


async def test_a_bomb_of_includes_ends_after_ten_lookups() -> None:
    many = " ".join(f"include:n{number}.test" for number in range(10))
    zone: dict[str, dict[str, str]] = {f"n{number}.test": {"TXT": f"v=spf1 {many} -all"} for number in range(10)}
    resolver = ScriptedResolver({**zone, "example.test": {"TXT": f"v=spf1 {many} -all"}})
    client = Client(client_address("192.0.2.1"), "h.test", "a@example.test")
    found = await check_spf(resolver, client, now=0, timeout=5)
    assert found.result == "permerror"
    assert resolver.queries.total() <= 12


async def test_an_evaluation_that_takes_too_long_is_a_temporary_error() -> None:
    class Slow:
        async def query(self, name: str, kind: str, *, spaces: bool = False) -> Answer:
            await asyncio.Event().wait()
            raise AssertionError

    client = Client(client_address("192.0.2.1"), "h.test", "a@example.test")
    found = await check_spf(Slow(), client, now=0, timeout=0.01)
    assert (found.result, found.reason) == ("temperror", "took too long")


async def test_explanations_of_strangers_cannot_break_a_line() -> None:
    zone: Zone = {"example.test": {"TXT": "v=spf1 exp=why.test -all"}, "why.test": {"TXT": "%{l} is\r\nbad"}}
    assert (await check(zone)).explanation is None
    zone = {"example.test": {"TXT": "v=spf1 exp=why.test -all"}, "why.test": {"TXT": "no %{s} from %{c} at %{r}, %{t}"}}
    assert (await check(zone, sender="a\x07b@example.test")).explanation is None
    assert (await check(zone)).explanation == "no a@example.test from 192.0.2.1 at unknown, 0"


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("%{s}", "strong-bad@email.example.com"), ("%{o}", "email.example.com"), ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"), ("%{d2}", "example.com"), ("%{d1}", "com"), ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"), ("%{l}", "strong-bad"), ("%{l-}", "strong.bad"), ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"), ("%{l1r-}", "strong"), ("%{S}", "strong-bad%40email.example.com"), ("%%%_%-", "% %20"),
    ],
)  # fmt: skip
def test_the_examples_of_macros(text: str, expanded: str) -> None:
    """RFC 7208 §7.4."""
    values = {
        "s": "strong-bad@email.example.com",
        "l": "strong-bad",
        "o": "email.example.com",
        "d": "email.example.com",
    }
    assert expand(parse_macro_string(text), values) == expanded


def test_long_names_lose_labels_on_the_left() -> None:
    assert fitted("a" * 200 + ".bbb." + "c" * 250) == "c" * 250
    assert fitted(".a" * 200) == ("a." * 127)[:-1]


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1 a:", "v=spf1 ip4:1.2.3", "v=spf1 ip4:1.2.3.4/33", "v=spf1 ip4:1.2.3.4/", "v=spf1 all:x", "v=spf1 nonsense",
        "v=spf1 redirect=a.test redirect=b.test", "v=spf1 a:%{c}.test", "v=spf1 a:%{l0}.test", "v=spf1 a/33",
        "v=spf1 x=%", "v=spf1 include", "v=spf1 a:\u00fc.test", "v=spf1\u00a0all", "v=spf1 ip6:::1/129", "v=spf1 ip4:١.2.3.4",
    ],
)  # fmt: skip
def test_records_with_an_error_anywhere_are_refused(text: str) -> None:
    with pytest.raises(SpfSyntaxError):
        parse_record(text)


WORDS = st.sampled_from(
    ["v=spf1", " ", "a", "mx", ":", "/", "//", "24", "%{", "}", "s", "d2r", "%%", "include:", "ip4:", "1.2.3.4", "-all",
     "redirect=", "exp=", "example.test", "exists:", "ptr", "ip6:", "::1", "~", ".", "?"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=30).map("".join)).map(lambda text: "v=spf1 " + text))
def test_any_record_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SpfSyntaxError):
        parse_record(text)


@given(
    st.lists(st.lists(WORDS, max_size=12).map("".join), min_size=3, max_size=3),
    st.text(max_size=20),
    st.text(max_size=30),
)
async def test_any_zone_comes_to_a_result(texts: list[str], local: str, helo: str) -> None:
    zone: Zone = {
        f"{name}example.test": {"TXT": f"v=spf1 {text}"} for name, text in zip(("", "a.", "b."), texts, strict=True)
    }
    found = await check(zone, sender=f"{local}@example.test", helo=helo)
    assert found.domain in ("example.test", helo)


def test_a_record_of_64_kib_takes_linear_time() -> None:
    parse_record("v=spf1 " + "ip4:192.0.2.1 " * 4500)
    with pytest.raises(SpfSyntaxError):
        parse_record("v=spf1 a:" + "a" * 60_000 + "/")
    parse_record("v=spf1 a:" + "a-" * 30_000 + "a.test")
    with pytest.raises(SpfSyntaxError):
        parse_record("v=spf1 a:a." + "a1" * 30_000 + "!")
