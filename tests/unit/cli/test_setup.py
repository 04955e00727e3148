"""`mailstead setup`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstead.cli.setup import MENU
from support.command_line import CommandLine
from support.dns_authority import dns_authority
from support.knot_server import knot_server


@pytest.fixture
def alone(line: CommandLine) -> Iterator[CommandLine]:
    """An installation without a domain, and a world where nothing is published."""
    with dns_authority("") as authority:
        line.settings["MAILSTEAD_DNS_SERVERS"] = authority.address
        yield line


def test_a_dry_run_changes_nothing(alone: CommandLine) -> None:
    tried = alone.json("setup", "initial", "--domain", "example.test", "--yes", "--dry-run")
    assert [step["done"] for step in tried["steps"]] == [True]
    assert tried["link"] == ""
    assert alone.json("domain", "list") == []


def test_once_and_again(alone: CommandLine) -> None:
    first = alone.json("setup", "initial", "--domain", "Example.Test", "--yes")
    assert first["domain"] == "example.test"
    assert [(step["what"], step["done"]) for step in first["steps"]] == [
        ("serve example.test, with DKIM keys of its own", True),
        (f"write {first['zone_file']}", True),
    ]
    assert first["link"].startswith("https://mail.example.test/setup/")
    assert Path(first["zone_file"]).read_text("utf-8") == alone.run("dns", "zone", "example.test").out
    assert first["records"] == alone.json("dns", "records", "example.test")
    assert not any(record["ok"] for record in first["checked"] if record["type"] == "MX")

    again = alone.json("setup", "initial", "--domain", "example.test", "--yes")
    assert not any(step["done"] for step in again["steps"])
    assert again["link"] not in ("", first["link"])  # the one before is no longer good

    alone.run("user", "add", "alice@example.test", "--admin")
    said = alone.run("setup", "initial", "--domain", "example.test", "--yes")
    assert said.code == 0
    assert "as it is: serve example.test" in said.out
    assert "/setup/" not in said.out


def test_records_are_published_on_request(line: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "knot"
    folder.mkdir()
    with knot_server(folder, "example.test") as knot:
        line.settings |= {"MAILSTEAD_DNS_PUBLISH_URL": knot.url, "MAILSTEAD_DNS_SERVERS": knot.address}
        first = line.json("setup", "initial", "--domain", "example.test", "--yes")
        assert first["published"] == []
        done = line.json("setup", "initial", "--domain", "example.test", "--yes", "--publish")
        assert {one["outcome"] for one in done["published"]} == {"published"}
        assert all(one["ok"] for one in done["checked"] if one["required"])


def test_what_it_needs(alone: CommandLine) -> None:
    assert alone.refused("setup", "initial", "--yes", code=2) == "--yes needs --domain"
    assert "PUBLISH_URL" in alone.refused("setup", "initial", "--yes", "--domain", "x.test", "--publish", code=2)
    assert "needs a terminal" in alone.refused("setup", code=2)
    assert "no item everything" in alone.refused("setup", "everything", code=2)
    alone.settings["MAILSTEAD_HOSTNAME"] = ""
    assert "MAILSTEAD_HOSTNAME" in alone.refused("setup", "initial", "--domain", "x.test", code=2)


def test_the_menu_is_the_documents() -> None:
    assert [title for _, title, _ in MENU] == [
        "Initial setup",
        "Backups",
        "Automatic updates",
        "Renew certificates",
        "Restore",
        "Status and doctor",
        "Help/Exit",
    ]
