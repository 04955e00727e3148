"""`mailstead alias`."""

from pathlib import Path

import pysequoia
import pytest

from support.command_line import CommandLine


def test_a_mailbox_with_a_generated_password(domain: CommandLine) -> None:
    added = domain.json("alias", "add", "info@example.test", "--quota", "10G")
    assert set(added) == {"address", "password"}
    assert added["address"] == "info@example.test"
    shown = domain.json("alias", "show", "info@example.test")
    assert (shown["quota"], shown["mailbox"], shown["enabled"]) == (10 * 1024**3, True, True)
    (first,) = [entry for entry in domain.json("alias", "passwords", "info@example.test") if entry["kind"] != "server"]
    assert first["name"] == "first password"


def test_forwards(domain: CommandLine) -> None:
    added = domain.json(
        "alias", "add", "all@example.test", "--forward-to", "a@far.test", "--forward-to", "b@far.test", "--no-mailbox"
    )
    assert added == {"address": "all@example.test", "password": ""}
    assert domain.json("alias", "show", "all@example.test")["forward_to"] == ["a@far.test", "b@far.test"]
    domain.json("alias", "set", "all@example.test", "--forward-to", "c@far.test")
    assert domain.json("alias", "show", "all@example.test")["forward_to"] == ["c@far.test"]
    assert "needs forwarding targets" in domain.refused("alias", "add", "none@example.test", "--no-mailbox")
    assert "needs forwarding targets" in domain.refused("alias", "set", "all@example.test", "--forward-to", "")


@pytest.mark.parametrize("name", ["*", "/sales-(.*)/"])
def test_names_that_match_many_have_no_mailbox(domain: CommandLine, name: str) -> None:
    domain.json("alias", "add", f"{name}@example.test", "--forward-to", "alice@example.test")
    assert domain.json("alias", "show", f"{name}@example.test")["mailbox"] is False


def test_switching_off(domain: CommandLine) -> None:
    changed = domain.json("alias", "set", "alice@example.test", "--disabled", "--code", "450", "--quota", "1M")
    assert (changed["enabled"], changed["quota"]) == (False, 1024**2)
    assert domain.json("alias", "set", "alice@example.test", "--enabled")["enabled"] is True
    assert (
        domain.refused("alias", "set", "alice@example.test", "--code", "451", code=2)
        == "--code is 250, 421, 450 or 550"
    )
    assert "with K, M, G or T" in domain.refused("alias", "set", "alice@example.test", "--quota", "much", code=2)


def test_passwords(domain: CommandLine) -> None:
    made = domain.json("alias", "password", "alice@example.test", "--generate", "--name", "phone")
    assert made["name"] == "phone"
    given = domain.run("alias", "password", "alice@example.test", "--password-stdin", given="a chosen password\n")
    assert given.out == "password added to alice@example.test\n"
    entries = domain.json("alias", "passwords", "alice@example.test")
    assert {"phone", "app password"} <= {entry["name"] for entry in entries}
    assert made["password"] not in str(entries)
    removed = domain.json("alias", "password", "alice@example.test", "--remove", "phone")
    assert removed == {"address": "alice@example.test", "removed": "phone"}
    assert "phone" not in {entry["name"] for entry in domain.json("alias", "passwords", "alice@example.test")}
    both = ("--generate", "--password-stdin")
    assert "not both" in domain.refused("alias", "password", "alice@example.test", *both, code=2)


def test_recovery_code_and_lock(domain: CommandLine) -> None:
    assert "recovery code first" in domain.refused("mailbox", "lock", "alice@example.test")
    made = domain.json("alias", "recovery-code", "alice@example.test")
    assert [len(group) for group in made["recovery_code"].split("-")] == [4] * 8
    assert domain.json("mailbox", "lock", "alice@example.test")["locked"] is True
    assert domain.json("alias", "show", "alice@example.test")["locked"] is True
    assert "is locked" in domain.refused("mailbox", "check", "alice@example.test")


def test_listing_and_removal(domain: CommandLine) -> None:
    domain.json("domain", "add", "second.test")
    domain.json("alias", "add", "x@second.test")
    assert [alias["address"] for alias in domain.json("alias", "list", "second.test")] == ["x@second.test"]
    assert len(domain.json("alias", "list")) == 2
    assert domain.run("alias", "remove", "x@second.test").out == "x@second.test removed\n"
    assert domain.refused("alias", "show", "x@second.test") == "There is no alias x@second.test"


def test_a_vacation_is_set_piece_by_piece(domain: CommandLine) -> None:
    domain.json("alias", "add", "away@example.test")
    assert domain.json("alias", "vacation", "away@example.test")["enabled"] is False
    assert "needs a text" in domain.refused("alias", "vacation", "away@example.test", "--on")
    domain.json(
        "alias", "vacation", "away@example.test", "--on", "--message", "-", "--end", "2099-01-02", given="Bye\n"
    )
    shown = domain.json("alias", "vacation", "away@example.test", "--days", "2")
    assert (shown["enabled"], shown["message"], shown["end"], shown["days"]) == (
        True,
        "Bye\n",
        "2099-01-02 00:00:00 UTC",
        2,
    )
    assert domain.json("alias", "vacation", "away@example.test", "--off", "--end", "")["end"] is None


def test_a_key_is_set_and_taken_away(domain: CommandLine, tmp_path: Path) -> None:
    domain.json("alias", "add", "key@example.test")
    file = tmp_path / "key"
    file.write_bytes(bytes(pysequoia.Tsk.generate("K <key@example.test>").extract_certificate()))
    shown = domain.json("alias", "encryption", "key@example.test", "--key", str(file))
    assert (shown["kind"], shown["names"]) == ("openpgp", ["key@example.test"])
    assert domain.json("alias", "encryption", "key@example.test") == shown
    assert domain.json("alias", "encryption", "key@example.test", "--off")["kind"] is None
    file.write_bytes(b"nonsense")
    assert "Not an OpenPGP key" in domain.refused("alias", "encryption", "key@example.test", "--key", str(file))
    assert "No such file" in domain.refused("alias", "encryption", "key@example.test", "--key", str(tmp_path / "none"))
