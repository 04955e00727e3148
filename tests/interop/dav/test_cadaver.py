"""cadaver, the command-line WebDAV client."""

import subprocess
from pathlib import Path
from urllib.parse import quote

from support.dav import calendar, event
from support.mailstead_server import MailsteadServer
from support.programs import require_program


def test_cadaver(server: MailsteadServer, login: tuple[str, str], tmp_path: Path) -> None:
    program = require_program("cadaver")
    host, port = server.address("http")
    address, password = login
    (tmp_path / ".netrc").write_text(f"machine {host}\nlogin {address}\npassword {password}\n")
    (tmp_path / ".netrc").chmod(0o600)
    (tmp_path / "a.ics").write_text(calendar(event("a")))
    commands = (
        "cd calendars/default",
        "put a.ics",
        "ls",
        "get a.ics back.ics",
        "lock a.ics",
        "unlock a.ics",
        "propset a.ics mood good",
        "propget a.ics mood",
        "copy a.ics ../moved",
        "mkcol ../../files/folder",
        "put a.ics ../../files/folder/a.txt",
        "move ../../files/folder ../../files/other",
        "ls ../../files/other",
        "delete a.ics",
        "quit",
    )
    done = subprocess.run(
        [program, f"http://{host}:{port}/dav/{quote(address)}/"],
        input="\n".join(commands) + "\n",
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    out = done.stdout
    assert (tmp_path / "back.ics").read_bytes() == (tmp_path / "a.ics").read_bytes(), out
    assert "Value of mood is: good" in out
    assert "a.txt" in out.partition("other")[2]
    assert out.count("succeeded") >= 10, out
