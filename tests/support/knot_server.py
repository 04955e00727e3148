"""A real Knot DNS with one zone that takes updates signed with a key."""

import base64
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode

from support.eventually import eventually_sync
from support.ports import free_port
from support.processes import running
from support.programs import require_program


@dataclass(frozen=True)
class Knot:
    """Where it listens, and its key in base64."""

    port: int
    key_name: str
    secret: str

    @property
    def url(self) -> str:
        """As MAILSTEAD_DNS_PUBLISH_URL has it."""
        secret = self.secret.replace("/", "%2F").replace("+", "%2B")
        return f"rfc2136://{self.key_name}:{secret}@127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        """As MAILSTEAD_DNS_SERVERS has it."""
        return f"127.0.0.1:{self.port}"


@contextmanager
def knot_server(folder: Path, zone: str) -> Iterator[Knot]:
    """A server that runs until the end; skips the test where there is no knotd."""
    program = require_program("knotd")
    knot = Knot(free_port(), "mailstead", base64.b64encode(secrets.token_bytes(32)).decode())
    (folder / "db").mkdir()
    (folder / "zone").write_text(
        f"$ORIGIN {zone}.\n$TTL 300\n@ SOA ns host 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n"
    )
    (folder / "knot.conf").write_text(
        f"""
server:
    rundir: {folder}
    listen: 127.0.0.1@{knot.port}
    user: root
database:
    storage: {folder}/db
    journal-db-max-size: 16M
    timer-db-max-size: 16M
    kasp-db-max-size: 16M
key:
  - id: {knot.key_name}
    algorithm: hmac-sha256
    secret: {knot.secret}
acl:
  - id: updates
    key: {knot.key_name}
    action: update
zone:
  - domain: {zone}
    file: {folder}/zone
    acl: updates
log:
  - target: stdout
    any: info
"""
    )
    with running([program, "-c", folder / "knot.conf"], folder / "knot.log"):
        eventually_sync(lambda: _answers(knot.port, zone))
        yield knot


def _answers(port: int, zone: str) -> bool:
    try:
        reply = dns.query.tcp(dns.message.make_query(zone, "SOA"), "127.0.0.1", 1, port)
    except (dns.exception.DNSException, OSError, EOFError):
        return False
    return reply.rcode() == dns.rcode.NOERROR and bool(reply.answer)
