"""deploy/setup.sh on a Debian 12 with nothing installed, twice.

It runs in a container that stands for the host: its network is the engine's, so that firewall rules are real, and the
engine that it installs is answered for by the tests' own.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.container_engine import ROOT, Engine, remove_containers
from support.container_images import HOST, IMAGE
from support.programs import require_program
from support.terminal import terminal

pytestmark = pytest.mark.xdist_group("containers")
PUBLIC = {25, 80, 443, 465, 587}
SSH = 2222
CONNECTION = f"SSH_CONNECTION=192.0.2.9 4711 192.0.2.1 {SSH}"
S3_KEYS = ("--set", "AWS_ACCESS_KEY_ID=key", "--set", "AWS_SECRET_ACCESS_KEY=hidden")


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
        self.menu_code = -1
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
        return self.engine.docker("exec", "--env", CONNECTION, self.name, *command)

    def script(self, *options: str) -> list[str]:
        """What the script says where nothing is asked."""
        return self.run("/release/setup.sh", "--no-pull", "--folder", str(self.folder), *options).splitlines()

    def setup(self, *options: str) -> list[str]:
        """What the script says with the options of every run that makes or mends an installation here."""
        image, _, tag = IMAGE.partition(":")
        return self.script(
            *("--yes", "--skip-checks", "--image", image, "--version", tag, "--profiles", "mail"),
            *("--domain", "example.test", "--acme", "https://acme.example.test/directory"),
            *("--set", "HEALTH_INTERVAL=2s", "--set", "MAILSTEAD_DNS_SERVERS=127.0.0.1:9", *options),
        )

    def menu(self, item: int, *answers: tuple[str, str]) -> str:
        """What is shown to who chooses an item on a terminal and answers what is asked."""
        command = [str(self.engine.program), "exec", "--interactive", "--tty", "--env", CONNECTION]
        command += [self.name, "/release/setup.sh", "--no-pull", "--skip-checks", "--folder", str(self.folder)]
        with terminal(command, self.engine.environment) as shown:
            shown.answer(r"7  Help/Exit\s+Choose: ", str(item))
            for question, answer in answers:
                shown.answer(question, answer)
            self.menu_code = shown.ended()
            return shown.shown

    def mailstead(self, *arguments: str) -> str:
        """Output of a command in the scheduler's container."""
        label = "label=com.docker.compose.service=scheduler"
        (container,) = self.engine.docker("ps", "--quiet", "--filter", label).split()
        return self.engine.docker("exec", container, "mailstead", *arguments)

    def settings(self) -> dict[str, str]:
        """What .env says."""
        text = (self.folder / ".env").read_text("utf-8")
        return dict(line.split("=", 1) for line in text.splitlines())

    def has(self, program: str) -> bool:
        return bool(self.run("sh", "-c", f"command -v {program} || true").strip())


def steps(said: list[str], kind: str) -> list[str]:
    return [line.removeprefix(f"  {kind}: ") for line in said if line.startswith(f"  {kind}: ")]


@pytest.fixture(scope="module")
def host(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Each test runs the setup first: where it was run before, it does nothing."""
    made = Host(engine, tmp_path_factory.mktemp("host") / "mailstead")
    yield made
    if made.has("ufw"):
        made.run("ufw", "--force", "disable")
    remove_containers(engine)


def test_a_host_from_nothing_twice(host: Host) -> None:
    planned = host.setup("--dry-run")
    assert not host.folder.exists()
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
    assert "-\tMX\texample.test\t10 mail.example.test." in done, text  # nobody could be asked
    assert "_domainkey.example.test" in text
    check_environment(host)
    check_firewall(host)
    running = host.run("docker", "ps", "--filter=health=healthy", "--format={{.Names}}").split()
    assert len(running) == 8, running

    before = (host.folder / ".env").read_bytes()
    again = host.setup()
    assert steps(again, "do") == []
    assert (host.folder / ".env").read_bytes() == before
    assert host.run("docker", "ps", "--filter=health=healthy", "--format={{.Names}}").split() == running
    assert "as it is: serve example.test" in "\n".join(again)

    # a rule that went comes back alone, a value that somebody changed stays
    host.run("ufw", "delete", "allow", "465/tcp")
    changed = before.replace(b"COMPOSE_PROFILES=mail\n", b"COMPOSE_PROFILES=mail,metrics\n")
    (host.folder / ".env").write_bytes(changed)
    assert steps(host.setup(), "do") == ["allow 465/tcp"]
    assert "metrics" in host.run("docker", "ps", "--format={{.Names}}")
    assert (host.folder / ".env").read_bytes() == changed


def test_every_item_of_the_menu(host: Host, tmp_path: Path) -> None:
    host.setup()
    # no init system runs here: who asks it is written down
    host.run(
        "sh", "-c", "printf '#!/bin/sh\\necho \"$@\" >>/asked\\n' >/usr/bin/systemctl; chmod +x /usr/bin/systemctl"
    )

    shown = host.menu(1, (r"The domain that mail is for \[example\.test\]: ", ""))
    assert (host.menu_code, steps(shown.splitlines(), "do")) == (0, []), shown

    tried = host.script("backups", "--dry-run", "--repository", "s3:https://s3.test/b", *S3_KEYS)
    assert [line.partition("=")[0] for line in steps(tried, "would")[:3]] == [
        *("set AWS_ACCESS_KEY_ID", "set AWS_SECRET_ACCESS_KEY", "set MAILSTEAD_BACKUP_REPOSITORY"),
    ]
    assert steps(tried, "would")[3:] == ["start the services with that"]
    assert "would make a backup into /var/backups/mailstead" in tried
    assert "hidden" not in "".join(tried)
    assert "MAILSTEAD_BACKUP_REPOSITORY" not in host.settings()
    shown = host.menu(2, (r"Where backups go .*\[\]: ", ""), (r"Make a backup now\? \[y/N\]: ", "y"))
    assert len(re.findall(r"Password: +\S{20,}", shown)) == 1, shown

    assert steps(host.script("updates", "--dry-run"), "would")[-1] == "make the timers"
    assert "AUTOMATIC_UPDATES" not in host.settings()
    shown = host.menu(3, (r"Update every night by itself\? \[y/N\]: ", "y"))
    assert (host.menu_code, host.settings()["AUTOMATIC_UPDATES"]) == (0, "true"), shown
    assert steps(host.script("updates", "--yes"), "do") == []
    timers = "mailstead-update-nightly.timer mailstead-update-requests.timer"
    assert host.run("cat", "/asked").splitlines() == ["daemon-reload", f"enable --now {timers}"]
    check_units(host, tmp_path)

    shown = host.menu(4, (r"Renew what is due now\? \[y/N\]: ", "n"))
    assert (host.menu_code, "own authority" in shown) == (0, True), shown
    shown = host.menu(5, (r"Replace everything here .*\[y/N\]: ", "n"), (r"\(empty: none\): ", ""))
    assert (host.menu_code, "Everything is restored by" in shown) == (0, True), shown
    assert "https" in host.menu(6)  # a port that is served
    assert "--dry-run" in host.menu(7)


def check_units(host: Host, folder: Path) -> None:
    """The timers that were made, by systemd's own reader."""
    program = require_program("systemd-analyze")
    for path in host.run("sh", "-c", "ls /etc/systemd/system/mailstead-update-*").split():
        text = host.run("cat", path).replace(f"{host.folder}/update.sh", "/bin/true")
        (folder / Path(path).name).write_text(text)
    units = sorted(folder.glob("mailstead-update-*"))
    assert len(units) == 4
    ended = subprocess.run([program, "verify", *units], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    nightly = (folder / "mailstead-update-nightly.timer").read_text()
    assert "OnCalendar=*-*-* 01:00:00\n" in nightly


def test_a_new_host_from_a_backup(host: Host) -> None:
    host.setup()
    host.mailstead("user", "add", "alice@example.test")
    host.mailstead("backup", "run")
    keys, before = host.mailstead("dkim", "show", "example.test"), host.settings()
    label = "label=com.docker.compose.service=scheduler"
    (scheduler,) = host.engine.docker("ps", "--quiet", "--filter", label).split()
    password = host.engine.docker("exec", scheduler, "cat", "/var/lib/mailstead/backup/password").strip()
    lose_everything(host)

    asked = ("restore", "--everything", "--set", f"MAILSTEAD_BACKUP_PASSWORD={password}")
    planned = host.setup("--dry-run", *asked)
    assert not (host.folder / ".env").exists()
    done = host.setup(*asked)
    assert steps(done, "do") == steps(planned, "would")
    assert "put back everything of backup latest" in steps(done, "do")
    assert host.settings()["MAILSTEAD_SECRET"] == before["MAILSTEAD_SECRET"]
    assert host.settings()["MONGODB_PASSWORD"] != before["MONGODB_PASSWORD"]
    assert host.mailstead("dkim", "show", "example.test") == keys
    assert "is fine" in host.mailstead("mailbox", "check", "alice@example.test")  # the server's key opens it
    assert set(host.run("docker", "ps", "--format={{.Status}}").splitlines()) != set()
    check_firewall(host)


def lose_everything(host: Host) -> None:
    """What the installation kept is gone, but the disk with the backups."""
    project = "label=com.docker.compose.project=mailstead"
    host.engine.docker("rm", "--force", *host.engine.docker("ps", "--all", "--quiet", "--filter", project).split())
    host.engine.docker("volume", "rm", *(f"mailstead_{name}" for name in ("mailstead", "mongodb", "redis")))
    shutil.rmtree(host.folder)


def check_environment(host: Host) -> None:
    assert (host.folder / ".env").stat().st_mode & 0o777 == 0o600
    values = host.settings()
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
