"""The test suite of RFC 7208, with its zones in a table and from a DNS server."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from mailstead.foundation.config.sections.dns import DnsSettings
from mailstead.foundation.dns.resolver import Resolver
from mailstead.mail.authentication.resolving import Resolving
from mailstead.mail.authentication.spf.check import Client, check_spf, client_address
from support.dns_authority import Authority, Failure, dns_authority
from support.scripted_resolver import ScriptedResolver

SUITE = Path(__file__).parents[4] / "data" / "spf" / "rfc7208-tests.yml"
SCENARIOS: list[dict[str, Any]] = list(yaml.safe_load_all(SUITE.read_text("utf-8")))
CASES = [
    pytest.param(scenario["zonedata"], test, id=f"{scenario['description']}: {name}")
    for scenario in SCENARIOS
    for name, test in scenario["tests"].items()
]
NOW = 1_300_000_000.0
_ABSOLUTE = {"CNAME", "PTR"}


def zone_of(zonedata: dict[str, list[Any]]) -> tuple[dict[str, dict[str, list[str]]], list[str]]:
    """Records as master files have them, and names that time out for other types.

    SPF records count as TXT where a name has no TXT entry.
    """
    zone: dict[str, dict[str, list[str]]] = {}
    failing = []
    for name, entries in zonedata.items():
        types: dict[str, list[str]] = {}
        none = False
        for entry in entries:
            if entry == "TIMEOUT":
                failing.append(name)
                continue
            ((kind, value),) = entry.items()
            if value == "NONE":
                none = True
                continue
            if kind == "MX":
                value = f"{value[0]} {value[1].removesuffix('.')}."
            elif isinstance(value, list):
                value = "".join(value)
            elif kind in _ABSOLUTE:
                value = f"{value.removesuffix('.')}."
            types.setdefault(kind, []).append(value)
        if "TXT" not in types and "SPF" in types and not none:
            types["TXT"] = types["SPF"]
        types.pop("SPF", None)
        zone[name.lower()] = types
    return zone, failing


async def judged(resolver: Resolving, test: dict[str, Any]) -> None:
    client = Client(client_address(test["host"]), test["helo"], test["mailfrom"], "receiver.example.org")
    result = await check_spf(resolver, client, now=NOW, timeout=20)
    expected = test["result"] if isinstance(test["result"], list) else [test["result"]]
    assert result.result in expected, result
    explanation = test.get("explanation", "DEFAULT")
    assert result.explanation == (None if explanation == "DEFAULT" else explanation), result


def test_the_suite_is_whole() -> None:
    assert (len(SCENARIOS), len(CASES)) == (16, 203)


@pytest.mark.parametrize(("zonedata", "test"), CASES)
async def test_case(zonedata: dict[str, list[Any]], test: dict[str, Any]) -> None:
    zone, failing = zone_of(zonedata)
    await judged(ScriptedResolver(zone, failing=failing), test)


def fill(authority: Authority, zonedata: dict[str, list[Any]]) -> None:
    zone, failing = zone_of(zonedata)
    for name, types in zone.items():
        if ".." in name:
            continue  # no server can have it
        for kind, values in types.items():
            authority.put(name, kind, *values, ttl=0)
    for name in failing:
        if "TXT" not in zone[name.lower()]:
            authority.fail(name, Failure.SERVFAIL)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["description"])
async def test_scenario_from_a_dns_server(scenario: dict[str, Any]) -> None:
    with dns_authority() as authority:
        fill(authority, scenario["zonedata"])
        resolver = Resolver((authority.address,), DnsSettings(timeout=5, attempts=1))
        for test in scenario["tests"].values():
            await judged(resolver, test)
        await resolver.close()
        assert authority.queries
