"""vdirsyncer keeps folders and the server the same, both ways; khal and khard read and write these folders."""

import os
import re
import subprocess
from pathlib import Path

from support.dav import calendar, card, event
from support.mailstead_server import MailsteadServer
from support.programs import require_program

DOCUMENT = Path(__file__).parents[3] / "docs/clients.md"
PROGRAMS = ("vdirsyncer", "khal", "khard")


def configurations() -> dict[str, str]:
    """What docs/clients.md says is to be put into each program's configuration."""
    found = re.findall(r"^```ini\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return dict(zip(PROGRAMS, found, strict=True))


class Folders:
    """A person's folders and the programs on them."""

    def __init__(self, server: MailsteadServer, login: tuple[str, str], folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (host, port), (_, contacts_port) = server.address("caldav"), server.address("carddav")
        address, password = login
        texts = configurations()
        urls = (f"http://{host}:{port}/", f"http://{host}:{contacts_port}/")
        calendars, contacts = texts["vdirsyncer"].split("[pair contacts]")
        parts = [
            part.replace("https://mail.example.org/", url)
            for part, url in zip((calendars, contacts), urls, strict=True)
        ]
        texts["vdirsyncer"] = "[pair contacts]".join(parts)
        # of the test's own: nobody is there to edit, and the machine has no zone and no home
        texts["khard"] = texts["khard"].replace("[general]", "[general]\neditor = true\nmerge_editor = true")
        texts["khal"] = texts["khal"].replace("[locale]", "[locale]\nlocal_timezone = UTC\ndefault_timezone = UTC")
        texts["khal"] += f"[sqlite]\npath = {folder}/khal.db\n"
        for name, text in texts.items():
            for written, meant in (("ann@example.org", address), ('"secret"', f'"{password}"')):
                text = text.replace(written, meant)
            assert "example.org" not in text
            (folder / f"{name}.conf").write_text(text.replace("~/.local/share/", f"{folder}/"))

    def run(self, *command: str, given: str = "") -> str:
        environment = os.environ | {"LC_ALL": "C.UTF-8", "HOME": str(self.folder)}
        done = subprocess.run(
            command, env=environment, input=given, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def synchronise(self, *, discover: bool = False) -> None:
        program = str(require_program("vdirsyncer"))
        if discover:
            self.run(program, "-c", str(self.folder / "vdirsyncer.conf"), "discover", given="y\n" * 20)
        self.run(program, "-c", str(self.folder / "vdirsyncer.conf"), "sync")
        self.run(program, "-c", str(self.folder / "vdirsyncer.conf"), "metasync", "calendars")

    def read(self, place: str) -> dict[str, str]:
        return {path.stem: path.read_bytes().decode() for path in (self.folder / place).glob("*.*") if path.is_file()}


def test_vdirsyncer(server: MailsteadServer, login: tuple[str, str], tmp_path: Path) -> None:
    khal, khard = str(require_program("khal")), str(require_program("khard"))
    one, two = Folders(server, login, tmp_path / "one"), Folders(server, login, tmp_path / "two")
    (one.folder / "calendars/made-here").mkdir(parents=True)
    one.synchronise(discover=True)
    two.synchronise(discover=True)
    assert (two.folder / "calendars/made-here").is_dir()
    for person in (one, two):
        (person.folder / "contacts/default").mkdir(parents=True, exist_ok=True)
    # from the first to the second
    first = calendar(event("a", "DTSTART:20260310T100000Z", "SUMMARY:Zahnarzt", "X-KEPT:yes"))
    (one.folder / "calendars/default/a.ics").write_text(first)
    (one.folder / "calendars/made-here/b.ics").write_text(calendar(event("b")))
    (one.folder / "contacts/default/z.vcf").write_text(card("z", "Zoë Groß", "EMAIL:zoe@example.com"))
    (one.folder / "calendars/default/displayname").write_text("Privat")
    (one.folder / "calendars/default/color").write_text("#112233")
    one.synchronise()
    two.synchronise()
    assert [text.splitlines() for text in two.read("calendars/default").values() if "Zahnarzt" in text] == [
        first.splitlines()
    ]
    assert len(two.read("calendars/made-here")) == 1
    assert (two.folder / "calendars/default/displayname").read_text() == "Privat"
    assert (two.folder / "calendars/default/color").read_text() == "#112233"
    # and back, by the programs that people use
    listed = two.run(khal, "-c", str(two.folder / "khal.conf"), "list", "2026-03-10", "1d")
    assert "Zahnarzt" in listed
    two.run(khal, "-c", str(two.folder / "khal.conf"), "new", "2026-03-11", "12:00", "13:00", "Mittagessen")
    assert "zoe@example.com" in two.run(khard, "-c", str(two.folder / "khard.conf"), "email", "Groß")
    two.run(khard, "-c", str(two.folder / "khard.conf"), "new", given="First name: Ann\nLast name: Other\n")
    two.synchronise()
    one.synchronise()
    assert "Mittagessen" in one.run(khal, "-c", str(one.folder / "khal.conf"), "list", "2026-03-11", "1d")
    assert "Ann Other" in one.run(khard, "-c", str(one.folder / "khard.conf"), "list")
    # what one deletes is gone for the other
    for path in (one.folder / "calendars/default").glob("*.ics"):
        if "Zahnarzt" in path.read_text():
            path.unlink()
    (one.folder / "contacts/default/z.vcf").unlink()
    one.synchronise()
    two.synchronise()
    assert not any("Zahnarzt" in text for text in two.read("calendars/default").values())
    assert not any("Groß" in text for text in two.read("contacts/default").values())
    assert any("Mittagessen" in text for text in two.read("calendars/default").values())
