"""`mailstead dns publish`, against a real Knot."""

from collections.abc import Iterator
from pathlib import Path

import dns.query
import dns.tsigkeyring
import dns.update
import pytest

from support.command_line import CommandLine
from support.knot_server import Knot, knot_server


@pytest.fixture
def knot(domain: CommandLine, tmp_path: Path) -> Iterator[Knot]:
    folder = tmp_path / "knot"
    folder.mkdir()
    with knot_server(folder, "example.test") as server:
        domain.settings |= {"MAILSTEAD_DNS_PUBLISH_URL": server.url, "MAILSTEAD_DNS_SERVERS": server.address}
        yield server


def published(knot: Knot, name: str, kind: str, *values: str) -> None:
    """What somebody else published before."""
    update = dns.update.UpdateMessage(
        "example.test.", keyring=dns.tsigkeyring.from_text({knot.key_name: knot.secret}), keyalgorithm="hmac-sha256"
    )
    for value in values:
        update.add(name + ".", 300, kind, value)
    assert dns.query.tcp(update, "127.0.0.1", 5, knot.port).rcode() == 0


def test_everything_is_published_once(domain: CommandLine, knot: Knot) -> None:
    wanted = domain.json("dns", "records", "example.test")
    tried = domain.json("dns", "publish", "example.test", "--dry-run")
    assert {record["outcome"] for record in tried} == {"published"}
    assert domain.run("dns", "check", "example.test").code == 1  # nothing was done

    done = domain.json("dns", "publish", "example.test")
    assert [(record["name"], record["value"], record["outcome"]) for record in done] == [
        (record["name"], record["value"], "published") for record in wanted
    ]
    checked = domain.json("dns", "check", "example.test")
    assert all(record["ok"] for record in checked)
    assert {record["outcome"] for record in domain.json("dns", "publish", "example.test")} == {"kept"}


def test_what_others_published_stays(domain: CommandLine, knot: Knot) -> None:
    published(knot, "example.test", "TXT", '"site-verification=1"', '"v=spf1 include:other.test ~all"')
    published(knot, "example.test", "MX", "5 old.test.")
    published(knot, "_dmarc.example.test", "TXT", '"v=DMARC1; p=reject"')
    published(knot, "_smtp._tls.example.test", "CNAME", "reports.other.test.")

    ended = domain.run("dns", "publish", "example.test", "--json")
    assert ended.code == 1
    assert "--replace" in ended.err
    outcomes = outcome_by_name(domain, "--dry-run", code=1)
    assert outcomes["example.test", "MX"] == ("conflict", ["5 old.test."])
    assert outcomes["example.test", "TXT"] == ("conflict", ["v=spf1 include:other.test ~all"])
    assert outcomes["_dmarc.example.test", "TXT"] == ("kept", [])
    assert outcomes["_smtp._tls.example.test", "TXT"] == ("conflict", ["reports.other.test."])
    assert outcomes["_imaps._tcp.example.test", "SRV"][0] == "kept"  # what stands in nobody's way was published

    replaced = outcome_by_name(domain, "--replace", code=0)
    assert {key for key, (outcome, _) in replaced.items() if outcome == "replaced"} == {
        ("example.test", "MX"),
        ("example.test", "TXT"),
        ("_smtp._tls.example.test", "TXT"),
    }
    texts = domain.json("check", "spf", "--ip", "192.0.2.9", "--helo", "x.test", "--from", "a@example.test")
    assert texts["spf"]["result"] == "fail"  # -all of ours, alone
    (mx,) = [one for one in domain.json("dns", "check", "example.test") if one["type"] == "MX"]
    assert mx["found"] == ["10 mail.example.test."]


def outcome_by_name(domain: CommandLine, *options: str, code: int) -> dict[tuple[str, str], tuple[str, list[str]]]:
    import json

    ended = domain.run("dns", "publish", "example.test", "--json", *options)
    assert ended.code == code, ended
    return {(one["name"], one["type"]): (one["outcome"], one["found"]) for one in json.loads(ended.out)}


def test_no_provider(domain: CommandLine) -> None:
    assert "MAILSTEAD_DNS_PUBLISH_URL is not set" in domain.refused("dns", "publish", "example.test")


def test_a_provider_that_cannot_be_reached(domain: CommandLine) -> None:
    domain.settings["MAILSTEAD_DNS_PUBLISH_URL"] = "rfc2136://key:c2VjcmV0@127.0.0.1:1"
    said = domain.refused("dns", "publish", "example.test")
    assert "did not do that" in said
    assert "c2VjcmV0" not in said
