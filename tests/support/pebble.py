"""A real ACME authority (Pebble) with its DNS server on loopback; it asks HTTP proofs of a port that the test names."""

import json
import os
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mailstead.foundation.tls.authority import ensure_local_authority
from support.ports import free_port
from support.programs import require_program

_START_SECONDS = 20


class Pebble:
    """The authority and the DNS it asks; both keep all in memory, so that a start is a fresh authority."""

    def __init__(self, folder: Path, http_port: int) -> None:
        self._programs = require_program("pebble"), require_program("pebble-challtestsrv")
        self._folder = folder
        self.http_port = http_port
        self._processes: list[subprocess.Popen[bytes]] = []
        self._port, self._dns_management, self.dns_port = free_port(), free_port(), free_port()
        self.directory = f"https://127.0.0.1:{self._port}/dir"
        self.authorities = folder / "pebble" / "ca.pem"
        self.dns = f"127.0.0.1:{self.dns_port}"
        self.asked = self.dns  # the DNS server that the authority asks
        self.nonces_refused = 5

    @property
    def settings(self) -> dict[str, str]:
        """What Mailstead needs to use it."""
        return {
            "MAILSTEAD_ACME_DIRECTORY": self.directory,
            "MAILSTEAD_ACME_AUTHORITIES": str(self.authorities),
            "MAILSTEAD_DNS_SERVERS": self.dns,
        }

    def start_dns(self) -> None:
        """Answer 127.0.0.1 for every name."""
        command = [str(self._programs[1]), "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-dns01", self.dns]
        command += ["-management", f"127.0.0.1:{self._dns_management}"]
        command += [part for name in ("http01", "https01", "tlsalpn01") for part in (f"-{name}", "")]
        self._spawn(command, "dns.log", self._dns_management)

    def start(self, validity: int = 90 * 86400) -> None:
        """Begin to issue certificates that live for `validity` seconds."""
        ensure_local_authority(self.authorities.parent, ["127.0.0.1", "localhost"])
        configuration = {
            "pebble": {
                "listenAddress": f"127.0.0.1:{self._port}",
                "managementListenAddress": f"127.0.0.1:{free_port()}",
                "certificate": str(self.authorities.with_name("certificate.pem")),
                "privateKey": str(self.authorities.with_name("key.pem")),
                "httpPort": self.http_port,
                "tlsPort": free_port(),
                "certificateValidityPeriod": validity,
            }
        }
        path = self._folder / "pebble.json"
        path.write_text(json.dumps(configuration))
        self._spawn([str(self._programs[0]), "-config", str(path), "-dnsserver", self.asked], "pebble.log", self._port)
        context = ssl.create_default_context(cafile=str(self.authorities))
        with urllib.request.urlopen(self.directory, context=context) as answer:
            assert "newOrder" in json.load(answer)

    def stop(self) -> None:
        """End the authority alone."""
        process = self._processes.pop()
        process.kill()
        process.wait()

    def dns_set(self, what: str, **record: object) -> None:
        """Call the DNS server's management, `add-a` say."""
        self._post(what, record)

    @property
    def hook(self) -> Path:
        """A program for MAILSTEAD_ACME_DNS_HOOK that publishes TXT records here."""
        path = self._folder / "hook"
        path.write_text(
            "#!/bin/sh\nset -e\n"
            f"url=http://127.0.0.1:{self._dns_management}\n"
            'case "$1" in\n'
            '  add) curl -sf "$url/set-txt" -d "{\\"host\\":\\"$2.\\",\\"value\\":\\"$3\\"}" ;;\n'
            '  remove) curl -sf "$url/clear-txt" -d "{\\"host\\":\\"$2.\\"}" ;;\n'
            "esac\n"
        )
        path.chmod(0o700)
        return path

    def _post(self, what: str, record: dict[str, object]) -> None:
        url = f"http://127.0.0.1:{self._dns_management}/{what}"
        with urllib.request.urlopen(url, json.dumps(record).encode()) as answer:
            assert answer.status == 200

    def _spawn(self, command: list[str], log: str, port: int) -> None:
        environment = os.environ | {
            "PEBBLE_VA_NOSLEEP": "1",
            "PEBBLE_AUTHZREUSE": "0",
            "PEBBLE_WFE_NONCEREJECT": str(self.nonces_refused),
        }
        with (self._folder / log).open("ab") as output:
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
        self._processes.append(process)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except ConnectionRefusedError:
                ended = process.poll() is not None or time.monotonic() > deadline
                assert not ended, (self._folder / log).read_text()
                time.sleep(0.02)  # the condition is that it listens; nothing tells of that
            else:
                return

    def close(self) -> None:
        """End both."""
        for process in self._processes:
            process.kill()
            process.wait()


@contextmanager
def pebble(folder: Path, http_port: int) -> Iterator[Pebble]:
    """The authority's DNS runs; the authority itself is started by the test."""
    with ExitStack() as stack:
        authority = Pebble(folder, http_port)
        stack.callback(authority.close)
        authority.start_dns()
        yield authority
