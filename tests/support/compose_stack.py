"""The compose file as people run it, on the tests' own engine, with mail going in, out, and being read."""

import imaplib
import json
import os
import secrets
import shutil
import signal
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.container_engine import ROOT, Engine, compose, remove_containers
from support.container_images import IMAGE
from support.dns_authority import dns_authority
from support.eventually import eventually_sync
from support.smtp_sink import Sink, smtp_sink

FILE = ROOT / "deploy/docker-compose-self-hosted.yml"
_START_SECONDS = 240.0


@dataclass
class Stack:
    """One installation; `folder` has its compose file and .env, `sink` is the rest of the world's mail server."""

    engine: Engine
    folder: Path
    sink: Sink
    files: list[Path]
    accepted: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def host(self) -> str:
        """Where it is reached."""
        return self.engine.guest

    def up(self, *profiles: str) -> None:
        """Start what the profiles have, and return when all of it is healthy."""
        options = [option for profile in profiles for option in ("--profile", profile)]
        compose(self.engine, self.folder, self.files, *options, "up", "--detach")
        self.wait_healthy()

    def containers(self) -> dict[str, dict[str, Any]]:
        """Each service's container as the engine sees it."""
        found = self.engine.docker("ps", "--all", "--quiet", "--filter=label=com.docker.compose.project").split()
        inspected = json.loads(self.engine.docker("inspect", *found))
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in inspected}

    def healths(self) -> dict[str, str]:
        """By service."""
        return {name: one["State"].get("Health", {}).get("Status", "") for name, one in self.containers().items()}

    def wait_healthy(self) -> None:
        """Returns when every service says that it is well."""
        eventually_sync(lambda: set(self.healths().values()) == {"healthy"}, longest=_START_SECONDS, pause=0.3)

    def kill(self, *services: str) -> None:
        """End the services' processes without a word, and return when the engine has started them again."""
        before = self.containers()
        for service in services:
            os.kill(before[service]["State"]["Pid"], signal.SIGKILL)

        def all_again() -> bool:
            now = self.containers()
            return all(
                now[service]["State"]["StartedAt"] != before[service]["State"]["StartedAt"]
                and now[service]["State"]["Running"]
                for service in services
            )

        eventually_sync(all_again, longest=_START_SECONDS, pause=0.1)

    def mailstead(self, *arguments: str, given: str = "") -> str:
        """Output of a command in the scheduler's container."""
        container = self.containers()["scheduler"]["Id"]
        return self.engine.docker("exec", "--interactive", container, "mailstead", *arguments, given=given.encode())

    def receive(self, recipient: str) -> bytes:
        """A message from elsewhere, taken by the mail exchanger; what was sent."""
        message = _message("someone@far.test", recipient)
        self._await_listening(25)
        with smtplib.SMTP(self.host, 25, "mx.far.test", 60) as client:
            client.sendmail("someone@far.test", [recipient], message)
        self.accepted.append((recipient, message))
        return message

    def submit(self, sender: str, password: str, recipient: str) -> bytes:
        """A message to elsewhere, taken by submission."""
        message = _message(sender, recipient)
        self._await_listening(587)
        with smtplib.SMTP(self.host, 587, "client.test", 60) as client:
            client.starttls(context=_trusting())
            client.login(sender, password)
            client.sendmail(sender, [recipient], message)
        return message

    def _await_listening(self, port: int) -> None:
        """Returns when somebody accepts: the engine may tell of a health that was looked at before a kill."""

        def accepts() -> bool:
            with socket.socket() as probe:
                probe.settimeout(5)
                return probe.connect_ex((self.host, port)) == 0

        eventually_sync(accepts, longest=_START_SECONDS, pause=0.1)

    def read(self, address: str, password: str) -> list[bytes]:
        """Every message in the inbox, over IMAP."""
        with imaplib.IMAP4_SSL(self.host, 993, ssl_context=_trusting(), timeout=60) as client:
            client.login(address, password)
            client.select("INBOX", readonly=True)
            _, found = client.uid("fetch", "1:*", "(BODY.PEEK[])")
            return [part[1] for part in found if isinstance(part, tuple)]

    def logs(self) -> str:
        """What all services said."""
        return compose(self.engine, self.folder, self.files, "logs", "--no-color", "--tail=60")


def _message(sender: str, recipient: str) -> bytes:
    return (
        f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: {secrets.token_hex(8)}\r\n"
        f"Message-ID: <{secrets.token_hex(8)}@{sender.partition('@')[2]}>\r\nDate: Wed, 25 Nov 2026 07:00:00 +0000\r\n"
        f"\r\n{secrets.token_hex(200)}\r\n"
    ).encode()


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@contextmanager
def compose_stack(engine: Engine, folder: Path) -> Iterator[Stack]:
    """An installation that is not started yet; removed at the end with all it kept."""
    for name in (FILE.name, "router.conf"):
        shutil.copy(ROOT / "deploy" / name, folder / name)
    zone = {"far.test": {"MX": "10 mx.far.test."}, "mx.far.test": {"A": engine.host}}
    with dns_authority(zone, host=engine.host) as authority, smtp_sink(engine.host, 25) as sink:
        values = {
            "IMAGE": IMAGE.partition(":")[0],
            "IMAGE_TAG": IMAGE.partition(":")[2],
            "MAILSTEAD_HOSTNAME": "mail.example.test",
            "MAILSTEAD_DNS_SERVERS": authority.address,
            "MAILSTEAD_SCREENING_EXEMPT": "127.0.0.0/8,198.18.0.0/15",  # our clients have no names in DNS
            "HEALTH_INTERVAL": "2s",
            "MAILSTEAD_GREYLIST_MODE": "off",  # the rest of the world has no names for its addresses here
        }
        for name in ("MAILSTEAD_SECRET", "MONGODB_PASSWORD", "MONGODB_KEY", "REDIS_PASSWORD"):
            values[name] = secrets.token_hex(32)
        (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))
        stack = Stack(engine, folder, sink, [Path(FILE.name)])
        try:
            yield stack
        except BaseException:
            (folder / "services.log").write_text(stack.logs())
            raise
        finally:
            remove_containers(engine)
