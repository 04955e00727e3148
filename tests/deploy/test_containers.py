"""The image and the compose file, for real: built, started, used, and every service killed."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.compose_stack import Stack, compose_stack
from support.container_engine import Engine
from support.container_images import IMAGE, Images
from support.eventually import eventually_sync
from support.programs import require_program

pytestmark = pytest.mark.xdist_group("containers")
PASSWORD = "correct horse battery"
FORWARDING = {"scheduler", "mongodb", "redis", "smtp", "mx", "api", "web", "router"}


def test_the_image(images: Images, engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\nimage {images.size / 1e6:.0f} MB, its base {images.base_size / 1e6:.0f} MB of that\n")
    user = engine.docker("run", "--rm", "--network=none", "--entrypoint=id", IMAGE, "-u").strip()
    assert user == "2500"
    assert engine.docker("run", "--rm", "--network=none", IMAGE, "--version").startswith("mailstead ")


@pytest.fixture
def stack(engine: Engine, tmp_path: Path) -> Iterator[Stack]:
    with compose_stack(engine, tmp_path) as made:
        yield made


def status(stack: Stack, name: str, path: str) -> str:
    """The status of a page, asked for by name through the router."""
    command: list[str | Path] = [require_program("curl"), "-sSk", "--connect-to", f"::{stack.host}:443"]
    command += ["-o", "/dev/null", "-w", "%{http_code}", f"https://{name}{path}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_an_installation(stack: Stack) -> None:
    # forwarding only: nothing of it needs the storage
    stack.up("mail")
    assert set(stack.healths()) == FORWARDING
    stack.mailstead("domain", "add", "example.test")
    stack.mailstead("alias", "add", "all@example.test", "--forward-to", "friend@far.test", "--no-mailbox")
    forwarded = stack.receive("all@example.test")
    stack.sink.wait_for(1)
    sender, recipients, octets = stack.sink.messages.pop()
    assert recipients == ["friend@far.test"]
    assert octets.endswith(forwarded.partition(b"\r\n\r\n")[2])

    stack.up("mail", "storage", "metrics")
    assert set(stack.healths()) > FORWARDING
    stack.mailstead("user", "add", "alice@example.test", "--admin", "--password-stdin", given=PASSWORD + "\n")
    stack.receive("alice@example.test")
    assert read_whole(stack) == 1
    submitted = stack.submit("alice@example.test", PASSWORD, "friend@far.test")
    stack.sink.wait_for(1)
    sender, recipients, octets = stack.sink.messages.pop()
    assert (sender, recipients) == ("alice@example.test", ["friend@far.test"])
    assert octets.startswith(b"DKIM-Signature:")
    assert octets.endswith(submitted.partition(b"\r\n\r\n")[2])
    assert status(stack, "mail.example.test", "/login") == "200"
    assert status(stack, "api.example.test", "/v1/openapi.json") == "200"
    assert status(stack, "api.example.test", "/login") == "404"

    every_service_is_killed(stack)


def read_whole(stack: Stack) -> int:
    """How many messages were accepted for alice: each is in the inbox, octet for octet, once."""
    wanted = [message for recipient, message in stack.accepted if recipient == "alice@example.test"]

    def all_there() -> bool:
        found = stack.read("alice@example.test", PASSWORD)
        return all(sum(octets.endswith(message) for octets in found) == 1 for message in wanted)

    eventually_sync(all_there, pause=0.2)
    return len(wanted)


def every_service_is_killed(stack: Stack) -> None:
    names = set(stack.healths())
    front = names - {"mongodb", "redis", "mx", "scheduler", "storage"}
    for killed in (front, {"storage", "scheduler"}, {"mx"}, {"redis"}, {"mongodb"}):
        stack.receive("alice@example.test")
        stack.kill(*sorted(killed))
        stack.wait_healthy()
        stack.submit("alice@example.test", PASSWORD, "friend@far.test")
    stack.receive("alice@example.test")
    assert read_whole(stack) == 7
    stack.sink.wait_for(5)
    assert status(stack, "mail.example.test", "/login") == "200"
