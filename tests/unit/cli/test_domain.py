"""`mailstead domain`, `mailstead dns` and `mailstead dkim`."""

from collections.abc import Iterator

import dns.zone
import pytest

from support.command_line import CommandLine
from support.dns_authority import Authority, dns_authority


@pytest.fixture
def authority(domain: CommandLine) -> Iterator[Authority]:
    with dns_authority() as serving:
        domain.settings["MAILSTEAD_DNS_SERVERS"] = serving.address
        yield serving


def publish(line: CommandLine, authority: Authority) -> None:
    """Put what `dns records` lists into the DNS."""
    texts: dict[tuple[str, str], list[str]] = {}
    for record in line.json("dns", "records", "example.test"):
        texts.setdefault((record["name"], record["type"]), []).append(record["value"])
    for (name, kind), values in texts.items():
        authority.put(name, kind, *values)


def test_adding_and_showing(domain: CommandLine) -> None:
    shown = domain.json("domain", "show", "example.test")
    assert (shown["name"], shown["verified"], len(shown["selectors"])) == ("example.test", None, 2)
    assert domain.json("domain", "list") == [shown]
    assert domain.refused("domain", "add", "EXAMPLE.test") == "example.test is served already"
    assert domain.refused("domain", "show", "exampel.test").endswith("did you mean example.test?")
    lines = domain.run("domain", "show", "example.test").out.splitlines()
    assert lines[0].split() == ["name", "example.test"]


def test_owners(domain: CommandLine) -> None:
    domain.json("user", "add", "bob@elsewhere.test")
    ended = domain.run("domain", "set", "example.test", "--owner", "bob@elsewhere.test")
    assert ended.out == "example.test belongs to bob@elsewhere.test\n"
    assert "owns example.test" in domain.refused("user", "remove", "bob@elsewhere.test")
    assert domain.run("domain", "set", "example.test").code == 2


def test_removal_asks_for_the_aliases(domain: CommandLine) -> None:
    assert "--with-aliases" in domain.refused("domain", "remove", "example.test")
    assert domain.json("domain", "remove", "example.test", "--with-aliases") == {"name": "example.test"}
    assert domain.json("domain", "list") == []
    assert domain.json("alias", "list") == []


def test_the_zone_is_one_that_dns_reads(domain: CommandLine) -> None:
    text = domain.run("dns", "zone", "example.test").out
    assert domain.json("dns", "zone", "example.test") == {"domain": "example.test", "zone": text}
    zone = dns.zone.from_text(text, origin="example.test.", relativize=False, check_origin=False)
    listed = {(record["name"], record["type"]) for record in domain.json("dns", "records", "example.test")}
    assert {(str(name)[:-1], found.rdtype.name) for name, found in zone.iterate_rdatasets()} == listed


def test_checking_and_verifying(domain: CommandLine, authority: Authority) -> None:
    ended = domain.run("dns", "check", "example.test", "--json")
    assert ended.code == 1
    assert "not published yet: MX example.test" in domain.refused("domain", "verify", "example.test")
    publish(domain, authority)
    assert all(record["ok"] for record in domain.json("dns", "check", "example.test"))
    assert domain.json("domain", "verify", "example.test") == {"name": "example.test", "verified": True}
    assert domain.json("domain", "show", "example.test")["verified"] is not None


def test_a_rotation_keeps_the_old_keys_published(domain: CommandLine) -> None:
    before = domain.json("dkim", "show", "example.test")
    assert [key["algorithm"] for key in before] == ["rsa-sha256", "ed25519-sha256"]
    after = domain.json("dkim", "rotate", "example.test")
    assert len(after) == 4
    assert {key["selector"] for key in before} < {key["selector"] for key in after}
    assert [key["state"] for key in after] == ["waiting"] * 2 + ["signing"] * 2
    assert [key["state"] for key in domain.json("dkim", "rotate", "example.test")] == ["waiting"] * 2 + ["signing"] * 2
    after = domain.json("dkim", "rotate", "example.test", "--now")
    assert [key["state"] for key in after] == ["signing"] * 2 + ["retired"] * 2
    published = {record["value"] for record in domain.json("dns", "records", "example.test")}
    assert {key["record"] for key in after} <= published
