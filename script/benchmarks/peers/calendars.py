"""Radicale and Xandikos for a minute on loopback, each with calendars that are there before it starts."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.peers.install import program
from benchmarks.peers.ready import wait_for_port
from support.ports import free_port

USER = "alice"
PASSWORD = "benchmark"
Calendars = Mapping[str, Mapping[str, bytes]]
"""Events by their names, by the calendars' names."""

# Stock but for: any password is taken, as a slow hash would be measured instead of the server.
_RADICALE = """
[server]
hosts = 127.0.0.1:{port}
[auth]
type = none
[storage]
filesystem_folder = {folder}/collections
[logging]
level = warning
"""


@contextmanager
def radicale(folder: Path, calendars: Calendars) -> Iterator[int]:
    """A running Radicale; its port. Calendars are at /alice/NAME/."""
    port = free_port()
    for name, events in calendars.items():
        place = folder / "collections/collection-root" / USER / name
        place.mkdir(parents=True)
        (place / ".Radicale.props").write_text(json.dumps({"tag": "VCALENDAR"}))
        for event, data in events.items():
            (place / f"{event}.ics").write_bytes(data)
    configuration = folder / "radicale.conf"
    configuration.write_text(_RADICALE.format(port=port, folder=folder))
    with _running([program("radicale"), "--config", str(configuration)], folder, port):
        yield port


@contextmanager
def xandikos(folder: Path, calendars: Calendars) -> Iterator[int]:
    """A running Xandikos; its port. Calendars are at /alice/calendars/NAME/."""
    port = free_port()
    for name, events in calendars.items():
        place = folder / "store" / USER / "calendars" / name
        place.mkdir(parents=True)
        (place / ".xandikos").write_text("[DEFAULT]\ntype = calendar\n")
        for event, data in events.items():
            (place / f"{event}.ics").write_bytes(data)
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "events"]):
            identity = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@example.test"]
            subprocess.run([program("git"), *identity, *command], cwd=place, check=True)
    command = [program("xandikos"), "-d", str(folder / "store"), "--defaults", "-l", "127.0.0.1", "-p", str(port)]
    with _running([*command, "--current-user-principal", f"/{USER}/"], folder, port):
        yield port


@contextmanager
def _running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            wait_for_port(port)
            yield
        finally:
            process.terminate()
