"""deploy/setup.sh on a Debian 12 with nothing installed, twice.

It runs in a container that stands for the host: its network is the engine's, so that firewall rules are real, and the
engine that it installs is answered for by the tests' own.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.container_engine import ROOT, Engine, remove_containers
from support.container_images import HOST, IMAGE
from support.programs import require_program

pytestmark = pytest.mark.xdist_group("containers")
PUBLIC = {25, 80, 443, 465, 587}
SSH = 2222


def test_the_script_is_clean() -> None:
    ended = subprocess.run(
        [require_program("shellcheck"), *sorted((ROOT / "deploy").glob("*.sh"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout


class Host:
    """A container that stands for a host; `folder` has the same path inside and outside, for the engine mounts from it."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self.name = engine.docker(
            *("run", "--detach", "--cap-add=NET_ADMIN", "--cap-add=NET_RAW", "--network=host", "--entrypoint=sleep"),
            f"--volume={engine.socket}:/var/run/docker.sock",
            f"--volume={folder.parent}:{folder.parent}",
            f"--volume={ROOT / 'deploy'}:/release:ro",
            *(HOST, "infinity"),
        ).strip()
        # nobody answers for names: what asks is told so at once, and packages come from what was fetched before
        self.run("sh", "-c", "echo nameserver 127.0.0.1 >/etc/resolv.conf")

    def run(self, *command: str) -> str:
        return self.engine.docker(
            "exec", "--env", f"SSH_CONNECTION=192.0.2.9 4711 192.0.2.1 {SSH}", self.name, *command
        )

    def setup(self, *options: str) -> list[str]:
        """What the script says with the options of every run here."""
        image, _, tag = IMAGE.partition(":")
        return self.run(
            *("/release/setup.sh", "--yes", "--no-pull", "--skip-checks", "--folder", str(self.folder)),
            *("--domain", "example.test", "--image", image, "--version", tag, "--profiles", "mail"),
            *("--acme", "https://acme.example.test/directory", "--set", "HEALTH_INTERVAL=2s"),
            *("--set", "MAILSTEAD_DNS_SERVERS=127.0.0.1:9", *options),
        ).splitlines()

    def has(self, program: str) -> bool:
        return bool(self.run("sh", "-c", f"command -v {program} || true").strip())


def steps(said: list[str], kind: str) -> list[str]:
    return [line.removeprefix(f"  {kind}: ") for line in said if line.startswith(f"  {kind}: ")]


@pytest.fixture
def host(engine: Engine, tmp_path: Path) -> Iterator[Host]:
    made = Host(engine, tmp_path / "mailstead")
    yield made
    if made.has("ufw"):
        made.run("ufw", "--force", "disable")
    remove_containers(engine)


def test_a_host_from_nothing_twice(host: Host, tmp_path: Path) -> None:
    planned = host.setup("--dry-run")
    assert not (tmp_path / "mailstead").exists()
    assert not host.has("ufw")
    assert not host.has("docker")

    done = host.setup()
    would = steps(planned, "would")
    assert steps(planned, "do") == []
    told_by_wizard = [line for line in would if line.startswith("mailstead setup")]
    asked_of_engine = ["start the container engine"]  # the tests' own answers as soon as there is a client
    assert steps(done, "do") == [line for line in would if line not in told_by_wizard + asked_of_engine]
    assert told_by_wizard == ["mailstead setup initial --yes --domain example.test"]

    text = "\n".join(done)
    assert re.search("^  https://mail.example.test/setup/[A-Za-z0-9_-]{20,}$", text, re.MULTILINE), text
    assert re.search(r"^no\tMX\texample.test\t10 mail.example.test\.$|^yes\tMX\texample", text, re.MULTILINE), text
    assert "_domainkey.example.test" in text
    check_environment(host)
    check_firewall(host)
    running = host.run("docker", "ps", "--filter=health=healthy", "--format={{.Names}}").split()
    assert len(running) == 8, running

    before = (tmp_path / "mailstead/.env").read_bytes()
    again = host.setup()
    assert steps(again, "do") == []
    assert (tmp_path / "mailstead/.env").read_bytes() == before
    assert host.run("docker", "ps", "--filter=health=healthy", "--format={{.Names}}").split() == running
    assert "as it is: serve example.test" in "\n".join(again)

    # a rule that went comes back alone, a value that somebody changed stays
    host.run("ufw", "delete", "allow", "465/tcp")
    changed = before.replace(b"COMPOSE_PROFILES=mail\n", b"COMPOSE_PROFILES=mail,metrics\n")
    (tmp_path / "mailstead/.env").write_bytes(changed)
    assert steps(host.setup(), "do") == ["allow 465/tcp"]
    assert "metrics" in host.run("docker", "ps", "--format={{.Names}}")
    assert (tmp_path / "mailstead/.env").read_bytes() == changed


def check_environment(host: Host) -> None:
    path = host.folder / ".env"
    assert path.stat().st_mode & 0o777 == 0o600
    values = dict(line.split("=", 1) for line in path.read_text("utf-8").splitlines())
    secrets = [values[name] for name in ("MAILSTEAD_SECRET", "MONGODB_PASSWORD", "MONGODB_KEY", "REDIS_PASSWORD")]
    assert len(set(secrets)) == 4
    assert all(re.fullmatch("[0-9a-f]{64}", secret) for secret in secrets)
    assert host.engine.guest in values["MAILSTEAD_ADDRESSES"].split(",")
    assert values["MAILSTEAD_ACME_DIRECTORY"] == "https://acme.example.test/directory"
    assert (values["MAILSTEAD_HOSTNAME"], values["COMPOSE_PROFILES"]) == ("mail.example.test", "mail")


def check_firewall(host: Host) -> None:
    """By what the kernel has, not by what ufw says."""
    rules = host.run("iptables", "-S", "ufw-user-input")
    allowed = {int(port) for port in re.findall(r"-p tcp -m tcp --dport (\d+) -j ACCEPT", rules)}
    assert allowed == PUBLIC | {SSH}
    assert "-P INPUT DROP" in host.run("iptables", "-S", "INPUT")
