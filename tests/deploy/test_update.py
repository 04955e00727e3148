"""Updates of an installation of containers under traffic: to a good version, and to such as are rolled back."""

import os
import shutil
import smtplib
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.compose_stack import Stack, compose_stack
from support.container_engine import ROOT, Engine, compose
from support.container_images import IMAGE, RELEASE
from support.eventually import eventually_sync

pytestmark = pytest.mark.xdist_group("containers")
NAME = IMAGE.partition(":")[0]
ALICE, PASSWORD = "alice@example.test", "correct horse battery"
SERVICES = ("scheduler", "storage", "imap", "mx")
_RECIPE = """\
FROM {base}
USER root
COPY patch.py /tmp/patch.py
RUN python3 /tmp/patch.py /opt/mailstead/lib/python3*/site-packages/mailstead && rm /tmp/patch.py
USER 2500
LABEL org.opencontainers.image.version="{version}"
"""
_APPEND = (
    "import pathlib, sys\npath = pathlib.Path(sys.argv[1], {file!r})\npath.write_text(path.read_text() + {text!r})\n"
)
_LATER = '\n\nMIGRATIONS = (*MIGRATIONS, "CREATE TABLE later(x);")\nVERSION = len(MIGRATIONS)\n'
# the first mailbox of the data in use is migrated, the second fails
_HALF_WAY = (
    _LATER
    + """
_whole = migrate
_count = 0


def migrate(connection: apsw.Connection) -> bool:
    global _count
    if "scratch" not in connection.filename and "staging" not in connection.filename:
        if schema_version(connection) not in (0, VERSION):
            _count += 1
        if _count == 2:
            raise apsw.IOError("half-way")
    return _whole(connection)
"""
)
VERSIONS = {
    "1.1.0": ("__init__.py", '\n__version__ = "1.1.0"\n'),
    "1.2.0": ("services/imap.py", '\nasync def start(wiring: object) -> None:\n    raise RuntimeError("broken")\n'),
    "1.3.0": ("stores/mailbox/schema.py", _HALF_WAY),
}


@pytest.fixture
def stack(engine: Engine, tmp_path: Path) -> Iterator[Stack]:
    for version, (file, text) in VERSIONS.items():
        folder = tmp_path / version
        folder.mkdir()
        (folder / "Dockerfile").write_text(_RECIPE.format(base=IMAGE, version=version))
        (folder / "patch.py").write_text(_APPEND.format(file=file, text=text))
        engine.docker("build", "--quiet", "--network=none", "--tag", f"{NAME}:v{version}", folder)
    house = tmp_path / "house"
    house.mkdir()
    with compose_stack(engine, house) as made:
        shutil.copy(ROOT / "deploy/update.sh", house)
        with (house / ".env").open("a") as settings:
            settings.write("MAILSTEAD_BACKUP_REPOSITORY=/var/backups/mailstead\nIMAGE_TAG=latest\n")
        engine.docker("tag", IMAGE, f"{NAME}:latest")  # as it was when people installed it
        yield made
    engine.docker(
        "image", "rm", "--force", *(f"{NAME}:v{version}" for version in VERSIONS), f"{NAME}:{RELEASE}", f"{NAME}:latest"
    )


class Senders:
    """Mail for alice from elsewhere, each message tried until it is acknowledged."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.acknowledged: list[str] = []

    def _run(self) -> None:
        count = 0
        while not self._end.wait(0.05):
            try:
                with smtplib.SMTP(self._stack.host, 25, "mx.far.test", 10) as client:
                    token = f"token-{count}"
                    client.sendmail("x@far.test", [ALICE], f"Subject: {token}\r\n\r\nx\r\n".encode())
            except (OSError, smtplib.SMTPException):
                self._end.wait(0.2)
            else:
                self.acknowledged.append(token)
                count += 1

    def __enter__(self) -> "Senders":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


def update(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = stack.engine.environment | {
        "COMPOSE_PROJECT_NAME": "mailstead",
        "MAILSTEAD_COMPOSE_FILE": ":".join(str(path) for path in stack.files),
        "PATH": f"{stack.engine.program.parent}{os.pathsep}{os.environ['PATH']}",
    }
    return subprocess.run(
        ["bash", stack.folder / "update.sh", *arguments], env=environment, capture_output=True, text=True, check=False
    )


def release(stack: Stack, version: str) -> None:
    """Let `latest` be that version."""
    stack.engine.docker("tag", f"{NAME}:v{version}", f"{NAME}:latest")


def tag(stack: Stack) -> str:
    """The tag of .env."""
    lines = (stack.folder / ".env").read_text().splitlines()
    return next(line.partition("=")[2] for line in reversed(lines) if line.startswith("IMAGE_TAG="))


def images(stack: Stack) -> set[str]:
    """The tags that run."""
    found = stack.containers()
    return {found[name]["Config"]["Image"].partition(":")[2] for name in SERVICES}


def test_updates_under_traffic(stack: Stack) -> None:
    compose(stack.engine, stack.folder, stack.files, "up", "--detach", "mongodb", "redis", *SERVICES)
    stack.wait_healthy()
    stack.mailstead("domain", "add", "example.test")
    for name in ("alice", "bob"):
        address = f"{name}@example.test"
        stack.mailstead("user", "add", address, "--admin", "--password-stdin", given=PASSWORD + "\n")
        stack.receive(address)
    with Senders(stack) as senders:
        eventually_sync(lambda: senders.acknowledged)

        release(stack, "1.1.0")
        done = update(stack, "now")
        assert done.returncode == 0, done.stderr
        assert f"from {RELEASE} to v1.1.0" in done.stderr
        assert tag(stack) == "v1.1.0"
        assert images(stack) == {"v1.1.0"}
        assert "1.1.0" in stack.mailstead("--version")

        release(stack, "1.2.0")
        broken = update(stack, "now")
        assert broken.returncode == 1
        assert "v1.2.0 did not come up well; v1.1.0 runs again" in broken.stderr
        assert images(stack) == {"v1.1.0"}

        release(stack, "1.3.0")
        stack.mailstead("update", "exchange", given="{}")
        stack.mailstead("update", "now")
        half = update(stack, "requests")
        assert half.returncode == 1
        assert "the data go back to backup" in half.stderr
        assert images(stack) == {"v1.1.0"}
        assert "v1.1.0 runs again" in stack.mailstead("update", "status")
        before = len(senders.acknowledged)
        eventually_sync(lambda: len(senders.acknowledged) > before)

    found = {line for octets in stack.read(ALICE, PASSWORD) for line in octets.decode().splitlines()}
    assert {f"Subject: {token}" for token in senders.acknowledged} <= found
    assert "is fine" in stack.mailstead("mailbox", "check", "bob@example.test")
