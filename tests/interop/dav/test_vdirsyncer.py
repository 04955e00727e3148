"""vdirsyncer keeps folders and the server the same, both ways; khal and khard read and write these folders."""

import os
import subprocess
from pathlib import Path

from support.dav import calendar, card, event
from support.mailstead_server import MailsteadServer
from support.programs import require_program

CONFIGURATION = """
[general]
status_path = "{folder}/status/"

[pair calendars]
a = "local_calendars"
b = "remote_calendars"
collections = ["from a", "from b"]
conflict_resolution = "b wins"
metadata = ["displayname", "color"]

[storage local_calendars]
type = "filesystem"
path = "{folder}/calendars/"
fileext = ".ics"

[storage remote_calendars]
type = "caldav"
url = "{url}"
username = "{address}"
password = "{password}"

[pair contacts]
a = "local_contacts"
b = "remote_contacts"
collections = ["from a", "from b"]
conflict_resolution = "b wins"

[storage local_contacts]
type = "filesystem"
path = "{folder}/contacts/"
fileext = ".vcf"

[storage remote_contacts]
type = "carddav"
url = "{contacts_url}"
username = "{address}"
password = "{password}"
"""
KHAL = """
[calendars]
[[default]]
path = {folder}/calendars/default
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
local_timezone = UTC
default_timezone = UTC
[default]
default_calendar = default
[sqlite]
path = {folder}/khal.db
"""
KHARD = """
[addressbooks]
[[default]]
path = {folder}/contacts/default
[general]
editor = true
merge_editor = true
default_action = list
[vcard]
preferred_version = 3.0
"""


class Folders:
    """A person's folders and the programs on them."""

    def __init__(self, server: MailsteadServer, login: tuple[str, str], folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (host, port), (_, contacts_port) = server.address("caldav"), server.address("carddav")
        address, password = login
        values = {
            "folder": folder,
            "url": f"http://{host}:{port}/",
            "contacts_url": f"http://{host}:{contacts_port}/",
            "address": address,
            "password": password,
        }
        for name, text in (("vdirsyncer", CONFIGURATION), ("khal", KHAL), ("khard", KHARD)):
            (folder / name).write_text(text.format(**values))

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
            self.run(program, "-c", str(self.folder / "vdirsyncer"), "discover", given="y\n" * 20)
        self.run(program, "-c", str(self.folder / "vdirsyncer"), "sync")
        self.run(program, "-c", str(self.folder / "vdirsyncer"), "metasync", "calendars")

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
    listed = two.run(khal, "-c", str(two.folder / "khal"), "list", "2026-03-10", "1d")
    assert "Zahnarzt" in listed
    two.run(khal, "-c", str(two.folder / "khal"), "new", "2026-03-11", "12:00", "13:00", "Mittagessen")
    assert "zoe@example.com" in two.run(khard, "-c", str(two.folder / "khard"), "email", "Groß")
    two.run(khard, "-c", str(two.folder / "khard"), "new", given="First name: Ann\nLast name: Other\n")
    two.synchronise()
    one.synchronise()
    assert "Mittagessen" in one.run(khal, "-c", str(one.folder / "khal"), "list", "2026-03-11", "1d")
    assert "Ann Other" in one.run(khard, "-c", str(one.folder / "khard"), "list")
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
