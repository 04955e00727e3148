"""The command as a whole: version, help, mistakes, settings, completion, status, migrate."""

import json
import subprocess
import sys
from pathlib import Path

from typer.main import get_command

import mailstead
from mailstead.cli.application import application
from support.command_line import CommandLine


def test_version(line: CommandLine) -> None:
    assert line.run("--version").out == f"mailstead {mailstead.__version__}\n"


def test_every_reading_command_prints_json(domain: CommandLine) -> None:
    for words in (
        "user list",
        "domain list",
        "domain show example.test",
        "alias list",
        "alias show alice@example.test",
        "alias passwords alice@example.test",
        "dns records example.test",
        "dns zone example.test",
        "dkim show example.test",
        "queue list",
        "config show",
        "config doc",
        "config check",
        "mailbox check alice@example.test",
        "migrate",
    ):
        assert domain.json(*words.split()) is not None, words


def test_mistakes_are_usage_errors_with_a_hint(line: CommandLine) -> None:
    for words, hint in (
        ("serv", "'serve'"),
        ("user lst", "'list'"),
        ("user list --jsn", "'--json'"),
        ("user add", "ADDRESS"),
        ("serve imp", "did you mean imap?"),
        ("serve --domain example.org", "--domain and --admin go together"),
        ("serve --domain a_b..c --admin me@example.org", "not a domain"),
    ):
        ended = line.run(*words.split())
        assert ended.code == 2, words
        assert hint in ended.err, words


def test_bad_settings_stop_every_command(line: CommandLine) -> None:
    line.settings["MAILSTEAD_PORT_IMAPP"] = "1"
    assert line.refused("user", "list", code=2).startswith(
        "MAILSTEAD_PORT_IMAPP: no such setting; did you mean MAILSTEAD_PORT_IMAP?"
    )


def test_an_env_file_counts_and_the_environment_wins(line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MAILSTEAD_PORT_IMAP=1143\nMAILSTEAD_HOSTNAME=of-the-file.test\n")
    shown = {row["name"]: row["value"] for row in line.json("config", "show", "--changed")}
    assert shown["MAILSTEAD_PORT_IMAP"] == "1143"
    assert shown["MAILSTEAD_HOSTNAME"] == "mail.example.test"
    (tmp_path / ".env").write_text("MAILSTEAD_PORT_IMAP\n")
    assert line.refused("config", "check", code=2) == ".env line 1: not of the form NAME=value"


def test_secrets_are_not_shown(line: CommandLine) -> None:
    line.settings["MAILSTEAD_SECRET"] = "not to be seen"
    assert "not to be seen" not in line.run("config", "show").out
    assert {row["name"]: row["value"] for row in line.json("config", "show")}["MAILSTEAD_SECRET"] == "(set)"


def test_a_data_folder_that_cannot_be_is_one_line(line: CommandLine) -> None:
    line.data = Path("/proc/nowhere")
    assert line.refused("user", "list").startswith("MAILSTEAD_DATA cannot be used: /proc/nowhere")
    line.data = Path(__file__)
    assert line.refused("status").endswith("test_application.py is not a folder")


def test_status_where_nothing_runs(line: CommandLine) -> None:
    ended = line.run("status", "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["running"] is False
    assert line.run("status").err.startswith("Nothing runs on")


def test_shells_complete_commands_and_services() -> None:
    program = Path(sys.executable).with_name("mailstead")
    for words, expected in (("mailstead al", "alias"), ("mailstead serve im", "imap")):
        environment = {"_MAILSTEAD_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        ended = subprocess.run([program], env=environment, capture_output=True, text=True, check=True, timeout=60)
        assert ended.stdout.splitlines() == [expected]


def test_every_command_says_what_it_does() -> None:
    def walk(name: str, command: object) -> None:
        assert getattr(command, "help", None), name
        for inner_name, inner in getattr(command, "commands", {}).items():
            walk(f"{name} {inner_name}", inner)

    walk("mailstead", get_command(application))
