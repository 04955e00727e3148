"""`mailstead sieve`."""

from pathlib import Path

from support.command_line import CommandLine

ALICE = "alice@example.test"


def test_check_says_where(line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "good.sieve").write_text('require "fileinto"; fileinto "A";')
    (tmp_path / "bad.sieve").write_text("keep;\nfrobnicate;")
    assert line.json("sieve", "check", str(tmp_path / "good.sieve")) == {"valid": True, "requires": ["fileinto"]}
    refused = line.refused("sieve", "check", str(tmp_path / "bad.sieve"))
    assert 'line 2, column 1: There is no command "frobnicate".' in refused


def test_run_shows_what_would_be_done(line: CommandLine, tmp_path: Path) -> None:
    script, message = tmp_path / "a.sieve", tmp_path / "m.eml"
    script.write_text('require ["fileinto", "include"]; include "b"; if header "subject" "x" { fileinto "X"; }')
    (tmp_path / "b.sieve").write_text("redirect :copy;")
    message.write_bytes(b"Subject: x\r\n\r\n")
    line.refused("sieve", "run", str(script), str(message))  # the included script is wrong
    (tmp_path / "b.sieve").write_text('redirect "a@example.org";')
    shown = line.json("sieve", "run", str(script), str(message))
    assert [action["action"] for action in shown["actions"]] == ["redirect", "fileinto"]
    assert shown["error"] == ""


def test_run_with_lists_and_a_message_that_is_rewritten(line: CommandLine, tmp_path: Path) -> None:
    script, message = tmp_path / "a.sieve", tmp_path / "m.eml"
    script.write_text(
        'require ["extlists", "enclose"]; if address :list "from" ":addrbook:default"'
        ' { redirect :list ":addrbook:default"; } else { enclose :subject "Stranger" "Take care."; }'
    )
    message.write_bytes(b"From: Ann <ann@example.org>\r\nSubject: x\r\n\r\nHi.\r\n")
    command = ("sieve", "run", str(script), str(message))
    shown = line.json(*command, "--listed", "ann@example.org", "--listed", "bob@example.org")
    assert [action["address"] for action in shown["actions"]] == ["ann@example.org", "bob@example.org"]
    (kept,) = line.json(*command)["actions"]
    assert "Subject: Stranger\r\n" in kept["header"]


def test_scripts_of_a_mailbox(domain: CommandLine, tmp_path: Path) -> None:
    script = tmp_path / "a.sieve"
    script.write_text("discard;")
    domain.run("sieve", "put", ALICE, "main", str(script), "--activate")
    domain.run("sieve", "put", ALICE, "other", str(script))
    (main, other) = domain.json("sieve", "list", ALICE)
    assert (main["name"], main["active"], other["active"]) == ("main", True, False)
    assert domain.run("sieve", "get", ALICE, "main").out == "discard;"
    domain.refused("sieve", "remove", ALICE, "main")
    domain.run("sieve", "rename", ALICE, "other", "spare")
    domain.run("sieve", "activate", ALICE, "spare")
    domain.run("sieve", "remove", ALICE, "main")
    assert [(one["name"], one["active"]) for one in domain.json("sieve", "list", ALICE)] == [("spare", True)]
