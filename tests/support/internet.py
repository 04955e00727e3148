"""An internet on loopback: signed and plain DNS zones behind a validating resolver, and mail hosts that misbehave.

Every host has an address of its own in 127.77.0.0/16 and takes mail on the same port, as MAILSTEAD_QUEUE_REMOTE_PORT
names it. `signed.test` is signed (knot), `bogus.test` claims to be and is not, `plain.test` is not; unbound validates.
"""

import asyncio
import base64
import secrets
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

from support.eventually import eventually_sync
from support.ports import free_port
from support.processes import running
from support.programs import require_program
from support.scripted_smtp import ScriptedServer

_ZONES = ("signed.test", "plain.test", "bogus.test", "example.test")


class Hosts:
    """Servers in a loop of a thread of their own, so that tests may wait for programs meanwhile."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._servers: list[asyncio.Server] = []
        self._sockets: list[socket.socket] = []

    def start(self) -> None:
        self._thread.start()

    def add(self, address: str, **options: object) -> ScriptedServer:
        """A mail host at `address` that says what its script says."""
        host = ScriptedServer(**options)  # type: ignore[arg-type]
        self._serve(host.serve, address, self.port)
        return host

    def policy_host(self, address: str, port: int, context: ssl.SSLContext, policies: Mapping[str, str]) -> None:
        """HTTPS that serves MTA-STS policies by the name of the host that is asked."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            host = next(line[5:].strip() for line in head.split("\r\n") if line.lower().startswith("host:"))
            body = policies.get(host.partition(":")[0], "")
            status = "200 OK" if body else "404 Not Found"
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            await writer.drain()
            writer.close()

        self._serve(serve, address, port, context)

    def blackhole(self, address: str) -> None:
        """See `blackhole` below."""
        self._sockets += blackhole(address, self.port)

    def _serve(
        self, serve: Callable[..., object], address: str, port: int, context: ssl.SSLContext | None = None
    ) -> None:
        async def begin() -> None:
            server = await asyncio.start_server(serve, address, port, ssl=context, limit=2**20)  # type: ignore[arg-type]
            self._servers.append(server)

        asyncio.run_coroutine_threadsafe(begin(), self._loop).result(10)

    def stop(self) -> None:
        async def end() -> None:
            for server in self._servers:
                server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        for one in self._sockets:
            one.close()


def blackhole(address: str, port: int) -> list[socket.socket]:
    """Make an address where connections are neither taken nor refused: the queue of the listener is full.

    It is one until the sockets are closed.
    """
    listener = socket.socket()
    listener.bind((address, port))
    listener.listen(0)
    sockets = [listener]
    for _ in range(2):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex((address, port))
        sockets.append(filler)
    return sockets


@contextmanager
def hosts(port: int) -> Iterator[Hosts]:
    opened = Hosts(port)
    opened.start()
    try:
        yield opened
    finally:
        opened.stop()


@contextmanager
def internet_dns(folder: Path, zones: Mapping[str, str]) -> Iterator[str]:
    """A validating resolver of `zones` (lines by the name of the zone); its address as MAILSTEAD_DNS_SERVERS has it."""
    knotd, unbound, keymgr = require_program("knotd"), require_program("unbound"), require_program("keymgr")
    authority, resolver = free_port(), free_port()
    (folder / "db").mkdir(parents=True)
    entries = []
    for zone in _ZONES:
        text = f"$ORIGIN {zone}.\n$TTL 300\n@ SOA ns host 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n{zones[zone]}"
        (folder / zone).write_text(text)
        signing = "    dnssec-signing: on\n    dnssec-policy: quick\n" if zone == "signed.test" else ""
        entries.append(f"  - domain: {zone}\n    file: {folder}/{zone}\n    zonefile-sync: -1\n{signing}")
    (folder / "knot.conf").write_text(
        f"server:\n    rundir: {folder}\n    listen: 127.0.0.1@{authority}\n    user: root\n"
        f"database:\n    storage: {folder}/db\n    journal-db-max-size: 16M\n    timer-db-max-size: 16M\n"
        f"    kasp-db-max-size: 16M\npolicy:\n  - id: quick\n    algorithm: ecdsap256sha256\n"
        f"zone:\n{''.join(entries)}log:\n  - target: stdout\n    any: info\n"
    )
    with ExitStack() as stack:
        stack.enter_context(running([knotd, "-c", folder / "knot.conf"], folder / "knot.log"))
        eventually_sync(lambda: all(_answers(authority, zone) for zone in _ZONES), pause=0.05)
        asked = [str(keymgr), "-c", str(folder / "knot.conf"), "signed.test", "ds"]
        anchors = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip().splitlines()
        foreign = base64.b16encode(secrets.token_bytes(32)).decode()
        lines = [f'    trust-anchor: "{anchor}"' for anchor in anchors]
        lines.append(f'    trust-anchor: "bogus.test. DS 4711 13 2 {foreign}"')
        stubs = "".join(f"stub-zone:\n    name: {zone}\n    stub-addr: 127.0.0.1@{authority}\n" for zone in _ZONES)
        (folder / "unbound.conf").write_text(
            f'server:\n    interface: 127.0.0.1\n    port: {resolver}\n    do-daemonize: no\n    username: ""\n'
            f'    chroot: ""\n    directory: {folder}\n    pidfile: ""\n    use-syslog: no\n    do-ip6: no\n'
            f"    do-not-query-localhost: no\n    local-zone: test. nodefault\n    num-threads: 1\n"
            f'    module-config: "validator iterator"\n    access-control: 127.0.0.0/8 allow\n    auto-trust-anchor-file: ""\n'
            + "\n".join(lines)
            + f"\nremote-control:\n    control-enable: no\n{stubs}"
        )
        stack.enter_context(running([unbound, "-d", "-c", folder / "unbound.conf"], folder / "unbound.log"))
        eventually_sync(lambda: _is_validated(resolver, "signed.test"), pause=0.05)
        yield f"127.0.0.1:{resolver}"


def _answers(port: int, zone: str) -> bool:
    try:
        reply = dns.query.tcp(dns.message.make_query(zone, "SOA"), "127.0.0.1", 2, port)
    except (dns.exception.DNSException, OSError, EOFError):
        return False
    return reply.rcode() == dns.rcode.NOERROR and bool(reply.answer)


def _is_validated(port: int, zone: str) -> bool:
    query = dns.message.make_query(zone, "SOA", want_dnssec=True)
    try:
        reply = dns.query.tcp(query, "127.0.0.1", 2, port)
    except (dns.exception.DNSException, OSError, EOFError):
        return False
    return bool(reply.flags & dns.flags.AD)
