"""A container engine of the tests' own: its data under .cache, its network in a namespace that goes with it.

Nothing of the machine is touched: images are built by an engine without a bridge and without firewall rules, and
containers run by one in a network namespace, whose bridges, rules and published ports end with the namespace. The host
and the namespace see each other over one pair of addresses.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.eventually import eventually_sync
from support.processes import running
from support.programs import require_program

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache/containers"
_NETWORK = "198.18.{}.{}"  # for benchmarks (RFC 2544 Appendix C.2.2): nobody's


@dataclass(frozen=True)
class Engine:
    """A running engine; `host` and `guest` are the two ends of the way into its namespace, empty without one."""

    socket: Path
    program: Path
    host: str = ""
    guest: str = ""
    namespace: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """For the client programs."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DOCKER_", "MAILSTEAD_"))}
        return kept | {"DOCKER_HOST": f"unix://{self.socket}", "DOCKER_BUILDKIT": "1"}

    def docker(self, *arguments: str | Path, given: bytes | None = None) -> str:
        """Output of a command that succeeds; what it says otherwise is the failure."""
        ended = subprocess.run(
            [self.program, *arguments], env=self.environment, input=given, capture_output=True, check=False
        )
        assert ended.returncode == 0, (arguments, ended.stdout[-4000:], ended.stderr[-8000:])
        return ended.stdout.decode()

    def has_image(self, tag: str) -> bool:
        """Whether there is an image of that name."""
        return bool(self.docker("image", "ls", "--quiet", tag).strip())


def require_engine() -> tuple[Path, Path]:
    """The programs of the engine and its client; skips where this machine cannot run them (fails where CI=true)."""
    programs = require_program("dockerd"), _client()
    if os.geteuid() != 0:
        reason = "containers are run by root only"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return programs


def _client() -> Path:
    """The client that was installed with the engine: another one may be too new to build with it."""
    beside = Path("/usr/bin/docker")
    return beside if beside.exists() else require_program("docker")


@contextmanager
def building_engine(folder: Path) -> Iterator[Engine]:
    """An engine that builds images with the host's network and runs nothing."""
    with _engine(folder, [], ["--bridge=none", "--iptables=false", "--ip6tables=false"]) as engine:
        yield engine


@contextmanager
def running_engine(folder: Path) -> Iterator[Engine]:
    """An engine in a network namespace of its own."""
    with _namespace() as (name, host, guest), _engine(folder, _inside(name), []) as engine:
        yield Engine(engine.socket, engine.program, host, guest, name)


def _inside(namespace: str) -> list[str | Path]:
    # not `ip netns exec`: that mounts /sys anew, without the control groups
    return [require_program("nsenter"), f"--net=/run/netns/{namespace}"]


@contextmanager
def _engine(folder: Path, prefix: Sequence[str | Path], options: Sequence[str]) -> Iterator[Engine]:
    daemon, client = require_engine()
    CACHE.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack, (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two engines cannot share their data
        # the path of a unix socket is short
        short = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ms-engine-")))
        stack.callback(_unmount_below, short)
        engine = Engine(short / "sock", client)
        command: list[str | Path] = [*prefix, daemon, "--data-root", CACHE / "root", "--exec-root", short / "exec"]
        command += ["--pidfile", short / "pid", "--host", f"unix://{engine.socket}", *options]
        command += ["--exec-opt", "native.cgroupdriver=cgroupfs"]
        log = folder / "dockerd.log"
        process = stack.enter_context(running(command, log, stop_within=60))
        eventually_sync(lambda: process.poll() is not None or _answers(engine), longest=60, pause=0.1)
        assert process.poll() is None, log.read_text("utf-8", "replace")[-4000:]
        remove_containers(engine)  # of a run that was cut off
        try:
            yield engine
        finally:
            remove_containers(engine)


def _unmount_below(folder: Path) -> None:
    """What the engine leaves mounted: the network namespace of containers on its own network."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text("utf-8").splitlines()]
    for path in reversed([path for path in mounted if path.startswith(f"{folder}/")]):
        subprocess.run(["umount", path], check=True)


def remove_containers(engine: Engine) -> None:
    """All of them, with what they kept and their networks."""
    left = engine.docker("ps", "--all", "--quiet").split()
    if left:
        engine.docker("rm", "--force", "--volumes", *left)
    engine.docker("network", "prune", "--force")
    engine.docker("volume", "prune", "--force")


def _answers(engine: Engine) -> bool:
    command: list[str | Path] = [engine.program, "version"]
    return subprocess.run(command, env=engine.environment, capture_output=True, check=False).returncode == 0


@contextmanager
def _namespace() -> Iterator[tuple[str, str, str]]:
    """Its name, the host's address and its own."""
    number = os.getpid() % 256
    name, ours, theirs = f"ms-{os.getpid()}", f"ms{os.getpid()}h", f"ms{os.getpid()}g"
    host, guest = _NETWORK.format(number, 1), _NETWORK.format(number, 2)
    _ip("netns", "add", name)
    try:
        _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
        _ip("address", "add", f"{host}/30", "dev", ours)
        _ip("link", "set", ours, "up")
        _ip("-n", name, "address", "add", f"{guest}/30", "dev", theirs)
        _ip("-n", name, "link", "set", theirs, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        _ip("-n", name, "route", "add", "default", "via", host)
        yield name, host, guest
    finally:
        _ip("netns", "delete", name)


def _ip(*arguments: str) -> None:
    subprocess.run([str(require_program("ip")), *arguments], check=True, capture_output=True)


def compose(engine: Engine, folder: Path, files: Sequence[Path], *arguments: str) -> str:
    """Output of a docker-compose command that succeeds, in `folder` where .env is."""
    command: list[str | Path] = [require_program("docker-compose"), "--project-name", "mailstead"]
    for file in files:
        command += ["--file", file]
    ended = subprocess.run(
        [*command, *arguments], cwd=folder, env=engine.environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, (arguments, ended.stdout[-4000:], ended.stderr[-8000:])
    return ended.stdout


def bootstrap_base(engine: Engine, tag: str) -> None:
    """A Debian with Python under the name of the image that the Dockerfile begins with, once; no registry is asked.

    Skips where the distribution's mirror cannot be reached.
    """
    if engine.has_image(tag):
        return
    program = require_program("debootstrap")
    mirror = _mirror()
    with tempfile.TemporaryDirectory(prefix="ms-base-", dir=CACHE) as temporary:
        rootfs = Path(temporary) / "rootfs"
        packages = "--include=python3,python3-venv,python3-pip,ca-certificates"
        command: list[str | Path] = [program, "--variant=minbase", packages, "bookworm", rootfs, mirror]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            reason = f"debootstrap from {mirror} failed: {ended.stdout[-500:]}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        _make_slim(rootfs)
        with subprocess.Popen(["tar", "-C", rootfs, "-c", "."], stdout=subprocess.PIPE) as tar:
            subprocess.run(
                [engine.program, "import", "--change", "ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt", "-", tag],
                env=engine.environment,
                stdin=tar.stdout,
                capture_output=True,
                check=True,
            )
        assert tar.returncode == 0


def _mirror() -> str:
    """The mirror that this machine's packages come from, when it is Debian's; else Debian's own."""
    for file in (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")):
        for word in file.read_text("utf-8").split() if file.exists() else ():
            if word.startswith("http") and word.rstrip("/").endswith("/debian"):
                return word
    return "http://deb.debian.org/debian"


def _make_slim(rootfs: Path) -> None:
    """Leave out what the slim images leave out, and let it reach what this machine reaches."""
    for part in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
        shutil.rmtree(rootfs / part, ignore_errors=True)
        (rootfs / part).mkdir(parents=True)
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", rootfs / "etc/ssl/certs/ca-certificates.crt")
    for settings in Path("/etc/apt/apt.conf.d").glob("*proxy*"):
        shutil.copy(settings, rootfs / "etc/apt/apt.conf.d")
    (rootfs / "usr/bin/python").symlink_to("python3")


def build(
    engine: Engine, context: Path, dockerfile: Path, tag: str, arguments: Mapping[str, str] | None = None
) -> None:
    """An image from a Dockerfile, on the host's network."""
    options = [f"--build-arg={name}={value}" for name, value in (arguments or {}).items()]
    engine.docker("build", "--quiet", "--network=host", *options, "--file", dockerfile, "--tag", tag, context)
