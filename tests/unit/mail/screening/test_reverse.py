"""Names that lead back to a client, names of pools, and greetings."""

import pytest

from mailstead.mail.screening.hello import hello_outcome
from mailstead.mail.screening.reverse import Reverse, looks_dynamic, reverse_name
from support.scripted_resolver import ScriptedResolver, Zone

V4, V6 = "198.51.100.23", "2001:db8::17"
ZONE: Zone = {
    "23.100.51.198.in-addr.arpa": {"PTR": ["other.test.", "MAIL.good.test."]},
    "mail.good.test": {"A": [V4, "192.0.2.1"], "AAAA": "2001:0db8:0:0::17"},
    "other.test": {"A": "192.0.2.9"},
    "7.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": {"PTR": "mail.good.test."},
    "9.2.0.192.in-addr.arpa": {"PTR": [f"host{number}.test." for number in range(500)]},
}


@pytest.mark.parametrize("address", [V4, V6])
async def test_a_name_that_leads_back(address: str) -> None:
    assert await reverse_name(ScriptedResolver(ZONE), address) == Reverse(
        "confirmed", "mail.good.test", "mail.good.test"
    )


async def test_names_that_do_not_lead_back_are_looked_at_within_bounds() -> None:
    resolver = ScriptedResolver(ZONE)
    assert (await reverse_name(resolver, "192.0.2.9")).outcome == "unconfirmed"
    assert sum(resolver.queries.values()) == 11


async def test_without_a_name_and_without_an_answer() -> None:
    assert (await reverse_name(ScriptedResolver({}), V4)).outcome == "none"
    failing = ScriptedResolver(ZONE, failing=["23.100.51.198.in-addr.arpa"])
    failing.zone.pop("23.100.51.198.in-addr.arpa")
    assert (await reverse_name(failing, V4)).outcome == "unknown"


@pytest.mark.parametrize(
    ("name", "dynamic"),
    [
        ("mail.example.com", False),
        ("mail.client.com", False),
        ("mx1.pool.com", False),
        ("23.dynamic.example.com", True),
        ("cust-77.example.com", True),
        ("ip-198-51-100-23.example.com", True),
        ("host-100-51-198.example.com", True),
        ("198051100023.example.com", True),
        ("srv198.example.com", False),
        ("", False),
    ],
)
def test_names_of_pools(name: str, dynamic: bool) -> None:
    assert looks_dynamic(name, V4) == dynamic


@pytest.mark.parametrize(
    ("hello", "outcome"),
    [
        ("mail.good.test", "good"),
        ("MX.Example.test", "ours"),
        ("local.test", "ours"),
        ("198.51.100.23", "address"),
        ("[198.51.100.23]", "literal"),
        ("localhost", "bare"),
        ("elsewhere.test", "other"),
    ],
)
async def test_greetings(hello: str, outcome: str) -> None:
    async def is_local(name: str) -> bool:
        return name == "local.test"

    reverse = Reverse("confirmed", "mail.good.test", "mail.good.test")
    assert await hello_outcome(hello, reverse, "mx.example.test", is_local) == outcome
