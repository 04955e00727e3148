"""The whole server as people run it: `mailstead serve` in a process of its own, with its own data folder and ports."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_SECONDS = 60
STOP_SECONDS = 20
PORTS = (
    "MX",
    "SUBMISSION",
    "SUBMISSIONS",
    "IMAP",
    "IMAPS",
    "POP3",
    "POP3S",
    "SIEVE",
    "LMTP",
    "METRICS",
    "API",
    "HTTP",
    "HTTPS",
    "CALDAV",
    "CARDDAV",
)


class ServerFailedError(Exception):
    """The server ended or was not ready in time; the text is what it printed."""


@dataclass
class MailsteadServer:
    """One data folder and the process that serves it."""

    data: Path
    settings: dict[str, str] = field(default_factory=dict)
    arguments: Sequence[str] = ("--demo",)
    services: Sequence[str] = ()
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What `mailstead` commands on this data folder run with."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILSTEAD_")}
        ports = {f"MAILSTEAD_PORT_{name}": "0" for name in PORTS}
        own = {"MAILSTEAD_DATA": str(self.data), "MAILSTEAD_HOSTNAME": "mail.example.test"}
        return kept | ports | own | self.settings

    @property
    def log(self) -> Path:
        return self.data.with_name(f"{self.data.name}{'-'.join(['', *self.services])}.log")

    @property
    def ready_file(self) -> Path:
        return self.data / (f"ready.{'-'.join(sorted(self.services))}.json" if self.services else "ready.json")

    def start(self) -> None:
        """Start the process and return when every service accepts connections."""
        command = [str(Path(sys.executable).with_name("mailstead")), "serve", *self.services, *self.arguments]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, cwd=self.data.parent, stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise ServerFailedError(self.log.read_text("utf-8", "replace")[-8000:])
            time.sleep(0.02)  # the condition is the ready file; there is nothing to be woken by

    def _is_ready(self) -> bool:
        """Whether this very process says so; the file of one that was killed goes while this one starts."""
        assert self.process is not None
        try:
            return bool(self.ready["pid"] == self.process.pid)
        except FileNotFoundError:
            return False

    @property
    def ready(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.ready_file.read_bytes())
        return found

    @property
    def demo(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data / "demo.json").read_bytes())
        return found

    def address(self, service: str) -> tuple[str, int]:
        """Host and port of a service as ready.json names it."""
        endpoint = self.ready["services"][service]
        return endpoint["host"], endpoint["port"]

    def password(self, local_part: str) -> str:
        """The demo account's password."""
        accounts = [self.demo["admin"], *self.demo["accounts"]]
        found: str = next(one["password"] for one in accounts if one["address"].startswith(f"{local_part}@"))
        return found

    def workers(self, least: int = 1) -> list[int]:
        """The processes that the server has started, as soon as there are `least`."""
        assert self.process is not None
        deadline = time.monotonic() + START_SECONDS
        while len(found := _children(self.process.pid)) < least:
            assert time.monotonic() < deadline, found
            time.sleep(0.02)  # the kernel's list of processes is all there is to look at
        return found

    def client_context(self) -> ssl.SSLContext:
        """A TLS context that trusts this server's authority alone."""
        return ssl.create_default_context(cafile=self.ready["ca"])

    def command(self, *arguments: str, given: bytes = b"", check: bool = True) -> subprocess.CompletedProcess[bytes]:
        """Run `mailstead ARGUMENTS` on the same data folder."""
        return subprocess.run(
            [str(Path(sys.executable).with_name("mailstead")), *arguments],
            env=self.environment,
            cwd=self.data.parent,
            input=given,
            capture_output=True,
            check=check,
            timeout=120,
        )

    def command_json(self, *arguments: str, given: bytes = b"") -> Any:
        """Run `mailstead ARGUMENTS --json` and return what it printed."""
        return json.loads(self.command(*arguments, "--json", given=given).stdout)

    def stop(self) -> int:
        """SIGTERM and wait; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS)
        self.process = None
        return code

    def kill(self) -> None:
        """kill -9; nothing when it does not run."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def _children(pid: int) -> list[int]:
    """Those that run: one that has ended stands among them until it is waited for."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text("ascii").split() if _runs(child)]


def _runs(process: str) -> bool:
    try:
        return "\nState:\tZ" not in Path("/proc", process, "status").read_text("ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def mailstead_server(
    folder: Path, settings: Mapping[str, str] | None = None, arguments: Sequence[str] = ("--demo",)
) -> Iterator[MailsteadServer]:
    """A running server on an empty data folder under `folder`; killed at the end if it still runs."""
    server = MailsteadServer(folder / "data", dict(settings or {}), arguments)
    server.start()
    try:
        yield server
    finally:
        server.kill()
