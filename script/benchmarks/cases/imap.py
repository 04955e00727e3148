"""The IMAP table: one mailbox, the commands of mail programs."""

import random
import re
import time
from collections.abc import Callable

from benchmarks.case import Context
from benchmarks.clients.imap import Imap
from benchmarks.hosts import DOVECOT_NOTE, OWN_NOTE, SELECT_NOTE, Host, agree, hosts
from benchmarks.mix import NEEDLE, Mix
from benchmarks.rounds import in_turn
from benchmarks.table import Row, Table, Target

_DOVECOT = ("Dovecot maildir", "Dovecot sdbox")
_SDBOX = ("Dovecot sdbox",)
_APPENDED_OCTETS = 10_240
_FETCHED = re.compile(rb"^\* \d+ FETCH ", re.MULTILINE)


def _timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


class _Bench:
    """The sessions, one per server, and the rows found so far."""

    def __init__(self, context: Context, servers: list[Host]) -> None:
        self.size = context.size
        self.servers = servers
        self.sessions = {host.name: host.client() for host in servers}
        self.rows: list[Row] = []

    def row(self, label: str, limit: float, make: Callable[[Imap], float], to: tuple[str, ...] = _DOVECOT) -> None:
        contestants = {name: (lambda session=session: make(session)) for name, session in self.sessions.items()}
        self.rows.append(Row(label, "ms", in_turn(self.size.rounds, contestants), Target(limit), to=to))

    def command(self, label: str, command: str, limit: float, *, messages: int = 0) -> None:
        """One command; before it is timed, every server has to answer with as many messages."""
        if messages:
            found = {name: len(_FETCHED.findall(session.response(command))) for name, session in self.sessions.items()}
            agree(found | {"wanted": messages}, label)
        self.row(label, limit, lambda session: _timed(lambda: session.command(command)))

    def search(self, label: str, criteria: str, limit: float) -> None:
        found = {name: _hits(session, criteria) for name, session in self.sessions.items()}
        agree(found, label)
        if not next(iter(found.values())):
            raise AssertionError(f"{label}: nothing was found")
        self.row(label, limit, lambda session: _timed(lambda: session.command(f"SEARCH {criteria}")))


def _hits(session: Imap, criteria: str) -> list[int]:
    answer = session.response(f"SEARCH {criteria}")
    line = next(line for line in answer.split(b"\r\n") if line.startswith(b"* SEARCH"))
    return [int(number) for number in line.split()[2:]]


def _login_select(host: Host) -> float:
    def work() -> Imap:
        client = host.client()
        client.command("SELECT INBOX")
        return client

    started = time.perf_counter()
    client = work()
    seconds = time.perf_counter() - started
    client.close()
    return seconds * 1000


def _one_by_one(session: Imap, commands: list[str]) -> None:
    for command in commands:
        session.command(command)


def run(context: Context) -> Table:
    """Fill the mailboxes, compare answers, time."""
    size = context.size
    with hosts(context) as servers:
        for host in servers:
            client = host.client()
            client.fill("INBOX", Mix().messages(size.mailbox))
            client.close()
        bench = _Bench(context, servers)
        agree({name: session.count("INBOX") for name, session in bench.sessions.items()}, "messages")
        for session in bench.sessions.values():
            session.command("SELECT INBOX")
        logins = {host.name: (lambda host=host: _login_select(host)) for host in servers}
        bench.rows.append(Row("LOGIN + SELECT", "ms", in_turn(size.rounds, logins), Target(1.0), to=_DOVECOT))
        bench.command("FETCH 1:* (FLAGS UID)", "FETCH 1:* (FLAGS UID)", 0.6, messages=size.mailbox)
        bench.command("FETCH 1:* (ENVELOPE)", "FETCH 1:* (ENVELOPE)", 0.2, messages=size.mailbox)
        bench.command("FETCH 1:* (BODYSTRUCTURE)", "FETCH 1:* (BODYSTRUCTURE)", 0.7, messages=size.mailbox)
        many = min(1000, size.mailbox)
        bench.command(f"FETCH 1:{many} (BODY.PEEK[])", f"FETCH 1:{many} (BODY.PEEK[])", 1.0, messages=many)
        chosen = random.Random(3).sample(range(1, size.mailbox + 1), size.singles)
        bench.row(
            f"{size.singles} single FETCH BODY[]",
            0.9,
            lambda session: _timed(lambda: _one_by_one(session, [f"FETCH {number} (BODY[])" for number in chosen])),
        )
        rare = size.mailbox > 1000  # in a few messages nothing is rare
        bench.search("SEARCH FROM", 'FROM "sender7@"' if rare else 'FROM "sender"', 0.2)
        bench.search("SEARCH TEXT", f'TEXT "{NEEDLE}"' if rare else 'TEXT "client"', 0.03)
        bench.row(f"STORE 1:{size.stored} +FLAGS", 1.5, lambda session: _store(session, [f"1:{size.stored}"]), _SDBOX)
        singles = [str(number) for number in random.Random(4).sample(range(1, size.mailbox + 1), size.single_stores)]
        bench.row(f"{size.single_stores} single STORE", 1.0, lambda session: _store(session, singles))
        supply = Mix(2)
        bench.row(
            f"APPEND {size.appended:,} of 10 KB, durable each",
            0.6,
            lambda session: _append(session, [supply.sized(_APPENDED_OCTETS) for _ in range(size.appended)]),
        )
    notes = [
        OWN_NOTE,
        DOVECOT_NOTE,
        SELECT_NOTE,
        "Every mailbox was filled with the same messages in the same order; answers were compared first. The single "
        "FETCHes are of messages seen already. Every appended message is another one.",
    ]
    return Table(f"IMAP, one mailbox of {size.mailbox:,} messages", bench.rows, notes)


def _store(session: Imap, sets: list[str]) -> float:
    """Milliseconds of setting a flag that is not set; it is taken away again afterwards."""
    found = _timed(lambda: _one_by_one(session, [f"STORE {one} +FLAGS (\\Flagged)" for one in sets]))
    for one in sets:
        session.command(f"STORE {one} -FLAGS (\\Flagged)")
    return found


def _append(session: Imap, messages: list[bytes]) -> float:
    session.command("CREATE Appended")

    def work() -> None:
        for message in messages:
            session.append("Appended", [message])

    found = _timed(work)
    session.command("DELETE Appended")
    return found
