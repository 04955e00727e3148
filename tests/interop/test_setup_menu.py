"""Every item of the setup's menu: as a person answers it on a terminal, with --yes, and with --dry-run."""

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.opening import opened_mailbox
from mailstead.cli.setup import NAMES
from mailstead.foundation.config.load import load_settings
from mailstead.services.stores import open_stores
from support.command_line import CommandLine
from support.dns_authority import dns_authority
from support.programs import require_program
from support.terminal import Terminal, terminal

ALICE = "alice@example.test"
ZONE = {"example.test": {"MX": "10 mail.example.test."}}


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLine]:
    """An installation with a domain, a mailbox with a message in it, and a folder for backups."""
    require_program("restic")
    folder = tmp_path_factory.mktemp("menu")
    with dns_authority(ZONE) as authority, pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        made = CommandLine(
            folder / "data",
            {
                "MAILSTEAD_DNS_SERVERS": authority.address,
                "MAILSTEAD_BACKUP_REPOSITORY": str(folder / "repository"),
            },
        )
        assert made.run("domain", "add", "example.test").code == 0
        assert made.run("user", "add", ALICE, "--admin").code == 0
        (folder / "mail").mkdir()
        (folder / "mail/one.eml").write_text("Subject: kept\r\n\r\nx\r\n")
        assert made.run("mailbox", "import", ALICE, str(folder / "mail")).code == 0
        yield made


def chosen(line: CommandLine, folder: Path, item: str, *answers: tuple[str, str], code: int = 0) -> str:
    """What is shown to who chooses an item of the menu and answers what is asked."""
    environment = {**os.environ, "MAILSTEAD_DATA": str(line.data), "MAILSTEAD_HOSTNAME": "mail.example.test"}
    command = ["sh", "-c", f'cd "{folder}" && exec "{sys.executable}" -m mailstead setup']
    with terminal(command, environment | line.settings) as shown:
        pick(shown, item)
        for question, answer in answers:
            shown.answer(question, answer)
        assert shown.ended() == code, shown.shown
        return shown.shown


def pick(shown: Terminal, item: str) -> None:
    shown.answer(r"7  Help/Exit\s+Choose", str(NAMES.index(item) + 1))


def backups(line: CommandLine) -> int:
    return len(line.json("backup", "list"))


def held(line: CommandLine, *, erase: bool = False) -> int:
    """How many messages alice's inbox holds; with `erase` they are erased then."""

    async def work() -> int:
        async with (
            open_stores(load_settings({"MAILSTEAD_DATA": str(line.data)}, Path("/nonexistent"))) as stores,
            opened_mailbox(stores.administration, COMMAND_LINE, ALICE) as (_, mailbox),
        ):
            inbox = mailbox.folder("INBOX").id
            uids = [entry[0] for entry in mailbox.entries(inbox)]
            if erase:
                mailbox.remove(inbox, uids)
            return len(uids)

    return asyncio.run(work())


def test_initial(line: CommandLine, tmp_path: Path) -> None:
    shown = chosen(line, tmp_path, "initial", (r"The domain that mail is for \[example\.test\]", "second.test"))
    assert "serve second.test, with DKIM keys of its own" in shown
    assert "second.test" in {one["name"] for one in line.json("domain", "list")}


def test_backups(line: CommandLine, tmp_path: Path) -> None:
    tried = line.run("setup", "backups", "--dry-run")
    assert (tried.code, not (tmp_path / "repository").exists()) == (0, True), tried
    assert f"would make a backup into {line.settings['MAILSTEAD_BACKUP_REPOSITORY']}" in tried.out
    shown = chosen(line, tmp_path, "backups", (r"Make a backup now\? \[y/N\]", "y"))
    assert "run every hours" in shown
    assert len(re.findall(r"^  Password: +\S{20,}$", shown, re.MULTILINE)) == 1  # the sheet
    assert backups(line) == 1
    refused = chosen(line, tmp_path, "backups", (r"Make a backup now\? \[y/N\]", ""))
    assert "Password" not in refused  # it is printed once
    assert backups(line) == 1
    done = line.run("setup", "backups", "--yes")
    assert done.code == 0, done
    assert "Password" not in done.out
    assert backups(line) == 2
    nowhere = CommandLine(line.data, line.settings | {"MAILSTEAD_BACKUP_REPOSITORY": ""})
    assert "No repository is set" in nowhere.run("setup", "backups", "--yes").err


def test_updates(line: CommandLine, tmp_path: Path) -> None:
    assert "would ask this host's updater" in line.run("setup", "updates", "--dry-run").out
    nobody = line.run("setup", "updates", "--yes")
    assert (nobody.code, "No updater of this host" in nobody.err) == (1, True), nobody
    line.run("update", "exchange", given="{}")  # one listens
    assert line.run("setup", "updates", "--dry-run").code == 0
    assert line.json("update", "status")["pending"] is None
    chosen(line, tmp_path, "updates", (r"Update to the newest version now\? \[y/N\]", "n"))
    assert line.json("update", "status")["pending"] is None
    chosen(line, tmp_path, "updates", (r"Update to the newest version now\? \[y/N\]", "y"))
    assert line.json("update", "status")["pending"] == "now"
    line.run("update", "exchange", given="{}")
    assert line.run("setup", "updates", "--yes").code == 0
    assert line.json("update", "status")["pending"] == "now"


def test_certificates(line: CommandLine, tmp_path: Path) -> None:
    # without an authority; tests/interop/test_acme.py renews by this item at one
    tried = line.run("setup", "certificates", "--dry-run")
    assert (tried.code, "would renew what is due" in tried.out) == (0, True), tried
    question = r"Renew what is due now\? \[y/N\]"
    assert "No ACME authority" not in chosen(line, tmp_path, "certificates", (question, "n"))
    assert "No ACME authority is set" in chosen(line, tmp_path, "certificates", (question, "y"), code=1)
    refused = line.run("setup", "certificates", "--yes")
    assert (refused.code, "No ACME authority is set" in refused.err) == (1, True), refused


def test_restore(line: CommandLine, tmp_path: Path) -> None:
    assert line.run("backup", "run").code == 0
    assert held(line, erase=True) == 1
    tried = line.run("setup", "restore", "--dry-run", "--mailbox", ALICE)
    assert (tried.code, "kept" in tried.out, f"would bring this back into {ALICE}" in tried.out) == (0, True, True)
    assert held(line) == 0
    which = (r"The mailbox whose lost mail comes back \(empty: none\)", ALICE)
    sure = r"Bring this back into alice@example\.test\? \[y/N\]"
    assert "1 message(s) brought back" in chosen(line, tmp_path, "restore", which, (sure, "y"))
    assert held(line, erase=True) == 1
    assert line.run("setup", "restore", "--yes").code == 0
    assert held(line) == 0  # where no mailbox is named nothing is done
    done = line.run("setup", "restore", "--yes", "--mailbox", ALICE)
    assert (done.code, held(line)) == (0, 1), done


def test_status(line: CommandLine, tmp_path: Path) -> None:
    expected = line.run("doctor").code
    for ended in (line.run("setup", "status", "--yes"), line.run("setup", "status", "--dry-run")):
        assert ended.code == max(expected, line.run("status").code), ended
    shown = chosen(line, tmp_path, "status", code=expected)
    assert "Nothing runs on" in shown
    assert "Start it: mailstead serve" in shown  # the doctor's finding


def test_help(line: CommandLine, tmp_path: Path) -> None:
    assert "docs/self-hosting.md" in chosen(line, tmp_path, "help")
    for option in ("--yes", "--dry-run"):
        assert "docs/self-hosting.md" in line.run("setup", "help", option).out


def test_what_is_not_in_the_menu(line: CommandLine, tmp_path: Path) -> None:
    environment = {**os.environ, "MAILSTEAD_DATA": str(line.data)} | line.settings
    with terminal([sys.executable, "-m", "mailstead", "setup"], environment) as shown:
        shown.answer("Choose", "9")
        shown.answer("Choose", "seven")
        shown.answer("Choose", "7")
        assert shown.ended() == 0
        assert "9 is not in the range 1<=x<=7" in shown.shown
