"""Memory, idle and per idle connection."""

import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.case import Context
from benchmarks.clients.imap import Imap
from benchmarks.own import DOMAIN, Own, own_server
from benchmarks.peers.dovecot import PASSWORD, dovecot
from benchmarks.process import proportional, resident
from benchmarks.rounds import in_turn
from benchmarks.table import OWN, Row, Table, Target

_DOVECOT = "Dovecot"
_MESSAGES = 10
_SETTLED = 0.3


def _settled(measure: Callable[[], float]) -> float:
    """The figure when it changes no more by a percent within a moment."""
    last = measure()
    while True:
        time.sleep(_SETTLED)
        now = measure()
        if abs(now - last) <= last / 100:
            return now
        last = now


def _connect(port: int, logins: list[tuple[str, str]], count: int, tls: ssl.SSLContext | None) -> list[Imap]:
    clients = []
    for number in range(count):
        client = Imap(port, tls)
        client.login(*logins[number % len(logins)])
        client.command("SELECT INBOX")
        client.idle()
        clients.append(client)
    return clients


def _per_connection(
    measure: Callable[[], float], port: int, logins: list[tuple[str, str]], count: int, tls: ssl.SSLContext | None
) -> float:
    """KB of one connection that is logged in, has a mailbox selected and idles."""
    before = _settled(measure)
    clients = _connect(port, logins, count, tls)
    after = _settled(measure)
    for client in clients:
        client.close()
    return (after - before) * 1024 / count


def _own_idle(context: Context, number: int) -> float:
    with own_server(context.folder / f"idle{number}", ["alice"]) as own:
        return _settled(lambda: resident(own.pid))


def _own_connections(context: Context, name: str, *, tls: bool) -> float:
    """A fresh server each time: memory that a process has taken once is not seen again."""
    names = [f"user{number}" for number in range(context.size.accounts)]
    own = Own(context.folder / name)
    own.server.data.parent.mkdir(parents=True)
    own.add_accounts(names)
    for one in names:
        own.fill(one, [b"Subject: idle\r\n\r\ntext\r\n"] * _MESSAGES)
    own.start()
    try:
        secure = own.server.client_context() if tls else None
        logins = [(f"{one}@{DOMAIN}", own.passwords[f"{one}@{DOMAIN}"]) for one in names]
        port = own.port("imaps" if tls else "imap")
        return _per_connection(lambda: resident(own.pid), port, logins, context.size.connections, secure)
    finally:
        own.server.stop()


def _dovecot_connections(context: Context, name: str, certificate: Path, *, tls: bool) -> float:
    folder = context.folder / name
    secure = ssl._create_unverified_context() if tls else None
    with dovecot(folder, "sdbox", certificate if tls else None) as peer:
        logins = [(f"user{number}", PASSWORD) for number in range(context.size.accounts)]
        port = peer.imaps if tls else peer.imap
        return _per_connection(lambda: proportional(peer.process.pid), port, logins, context.size.connections, secure)


def run(context: Context) -> Table:
    """Idle, then with connections in the clear and under TLS."""
    size = context.size
    numbers = iter(range(1_000_000))
    rows = [
        Row(
            "mailstead serve, idle",
            "MB",
            in_turn(size.rounds, {OWN: lambda: _own_idle(context, next(numbers))}),
            Target(150, is_absolute=True),
        )
    ]
    with ExitStack() as stack:
        certificate = context.folder / "certificate.pem"
        own = stack.enter_context(own_server(context.folder / "certificate", ["alice"]))
        tls_folder = own.server.data / "tls"
        certificate.write_bytes((tls_folder / "certificate.pem").read_bytes() + (tls_folder / "key.pem").read_bytes())
    for tls, words in ((False, "in the clear"), (True, "under TLS")):
        contestants: dict[str, Callable[[], float]] = {
            OWN: lambda tls=tls: _own_connections(context, f"connections{next(numbers)}", tls=tls)  # type: ignore[misc]
        }
        if context.with_peers:
            contestants[_DOVECOT] = lambda tls=tls: _dovecot_connections(  # type: ignore[misc]
                context, f"dovecot{next(numbers)}", certificate, tls=tls
            )
        figures = in_turn(size.rounds, contestants)
        rows.append(
            Row(
                f"one of {size.connections} idle IMAP connections {words}", "KB", figures, Target(100, is_absolute=True)
            )
        )
    notes = [
        f"Each connection is logged in, has INBOX selected and is in IDLE; {size.connections} connections are spread over "
        f"{size.accounts} accounts. Mailstead's figure is resident memory (RSS) of its one process, Dovecot's is "
        "proportional memory (PSS) of all its processes, which counts shared pages once.",
    ]
    return Table("Memory", rows, notes)
