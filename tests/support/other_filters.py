"""rspamd, SpamAssassin and ClamAV as they are packaged, on ports and files of the test's own, without the network."""

import hashlib
import os
import pwd
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from support.ports import free_port
from support.programs import require_program

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
_LONGEST = 120.0


@contextmanager
def _running(command: Sequence[str | Path], folder: Path, port: int, says: bytes) -> Iterator[str]:
    """The place of a started program, when its port answers `says` with anything."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([str(part) for part in command], cwd=folder, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + _LONGEST
        while not _answers(port, says):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((folder / "log").read_text("utf-8", "replace")[-2000:])
            time.sleep(0.1)  # the condition is the answer; there is nothing to be woken by
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int, says: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as talk:
            talk.sendall(says)
            return bool(talk.recv(100))
    except OSError:
        return False


@contextmanager
def clamd(folder: Path) -> Iterator[str]:
    """clamd with a database that knows nothing but the EICAR file."""
    program, port = require_program("clamd"), free_port()
    (folder / "db").mkdir(parents=True)
    digest = hashlib.md5(EICAR, usedforsecurity=False).hexdigest()
    (folder / "db" / "test.hdb").write_text(f"{digest}:{len(EICAR)}:Test.Eicar\n")
    configuration = folder / "clamd.conf"
    configuration.write_text(
        f"Foreground yes\nTCPSocket {port}\nTCPAddr 127.0.0.1\nDatabaseDirectory {folder / 'db'}\n"
    )
    with _running([program, "-c", configuration], folder, port, b"zPING\0") as place:
        yield place


@contextmanager
def spamd(folder: Path, options: Sequence[str] = (), workers: int = 1) -> Iterator[str]:
    """spamd with the rules of its package, local tests only."""
    program, port = require_program("spamd"), free_port()
    folder.mkdir(parents=True)
    command: list[str | Path] = [
        program,
        "-L",
        "-x",
        "-m",
        str(workers),
        "-p",
        str(port),
        "-i",
        "127.0.0.1",
        "-A",
        "127.0.0.1",
        "-H",
        folder,
        *options,
    ]
    with _running([*command, "--syslog=stderr"], folder, port, b"PING SPAMC/1.5\r\n\r\n") as place:
        yield place


@contextmanager
def rspamd(folder: Path) -> Iterator[str]:
    """rspamd's normal worker with the configuration of its package."""
    program, port = require_program("rspamd"), free_port()
    (folder / "db").mkdir(parents=True)
    (folder / "rspamd.conf").write_text(
        '.include "$CONFDIR/common.conf"\n'
        f'options {{ pidfile = "{folder}/pid"; .include "$CONFDIR/options.inc" }}\n'
        f'logging {{ type = "file"; filename = "{folder}/rspamd.log"; level = "error"; }}\n'
        f'worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}\n'
    )
    user = pwd.getpwuid(os.getuid()).pw_name
    places = [f"--var={name}={folder / below}" for name, below in (("DBDIR", "db"), ("RUNDIR", ""), ("LOGDIR", ""))]
    command: list[str | Path] = [program, "-f", "-i", "-u", user, "-g", user, "-c", folder / "rspamd.conf", *places]
    with _running(command, folder, port, b"GET /ping HTTP/1.0\r\n\r\n") as place:
        yield place
