"""What things cost in a mailbox of a thousand messages, and in one of a hundred thousand."""

import random
import smtplib
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.case import Context
from benchmarks.clients.imap import Imap
from benchmarks.hosts import SELECT_NOTE
from benchmarks.mix import Mix
from benchmarks.own import DOMAIN, Own
from benchmarks.peers.dovecot import PASSWORD, dovecot
from benchmarks.rounds import in_turn
from benchmarks.table import OWN, Row, Table, Target

_OCTETS = 1200
_FLAT = 1.5


def _milliseconds(work: Callable[[], object], times: int) -> float:
    """The median of single calls."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        found.append((time.perf_counter() - started) * 1000)
    return statistics.median(found)


class _Boxes:
    """One server's mailboxes of the sizes, each with a session and an LMTP connection."""

    def __init__(
        self, name: str, imap: int, logins: dict[int, tuple[str, str]], lmtp: tuple[str, int] | Path, operations: int
    ) -> None:
        self.name = name
        self.sessions = {size: Imap(imap) for size in logins}
        self.names = {size: login[0] for size, login in logins.items()}
        self._operations = operations
        self._lmtp = smtplib.LMTP(str(lmtp)) if isinstance(lmtp, Path) else smtplib.LMTP(*lmtp)
        self._supply = Mix(9)
        self._chosen = random.Random(11)
        for size, session in self.sessions.items():
            session.login(*logins[size])
            session.command("SELECT INBOX")

    def select(self, size: int) -> float:
        """SELECT of another folder between, not timed."""
        session, found = self.sessions[size], []
        for _ in range(self._operations):
            session.command("SELECT Drafts")
            started = time.perf_counter()
            session.command("SELECT INBOX")
            found.append((time.perf_counter() - started) * 1000)
        return statistics.median(found)

    def store(self, size: int) -> float:
        """One message's flag, anywhere in the mailbox."""
        session = self.sessions[size]

        def work() -> None:
            session.command(f"STORE {self._chosen.randint(1, size)} +FLAGS (bench{self._chosen.randint(1, 20)})")

        return _milliseconds(work, self._operations)

    def deliver(self, size: int) -> float:
        """One message over LMTP."""
        recipient = f"{self.names[size].partition('@')[0]}@{DOMAIN}"
        messages = iter([self._supply.sized(_OCTETS) for _ in range(self._operations)])
        return _milliseconds(
            lambda: self._lmtp.sendmail("sender@client.example", [recipient], next(messages)), self._operations
        )


_OPERATIONS: dict[str, Callable[[_Boxes, int], float]] = {
    "SELECT": _Boxes.select,
    "STORE of one": _Boxes.store,
    "delivery of one": _Boxes.deliver,
}


def _row(label: str, box: _Boxes, sizes: Sequence[int], rounds: int) -> Row:
    least, most = f"{sizes[0]:,}", f"{sizes[-1]:,}"
    measure = partial(_OPERATIONS[label], box)
    figures = in_turn(rounds, {f"{size:,}": partial(measure, size) for size in sizes})
    target = Target(_FLAT) if box.name == OWN else None
    return Row(f"{label}, {box.name}", "ms", figures, target, of=most, to=(least,))


def run(context: Context) -> Table:
    """Fill mailboxes of every size, then time single operations in each."""
    sizes = context.size.growth
    own = Own(context.folder)
    names = {size: f"size{size}" for size in sizes}
    own.add_accounts(names.values())
    for size, name in names.items():
        supply = Mix(8)
        own.fill(name, (supply.sized(_OCTETS) for _ in range(size)))
    own.start()
    with ExitStack() as stack:
        stack.callback(own.server.stop)
        logins = {size: (f"{name}@{DOMAIN}", own.passwords[f"{name}@{DOMAIN}"]) for size, name in names.items()}
        boxes = [_Boxes(OWN, own.port("imap"), logins, own.server.address("lmtp"), context.size.operations)]
        if context.with_peers:
            peer = stack.enter_context(dovecot(context.folder / "dovecot", "sdbox"))
            for size, name in names.items():
                client = Imap(peer.imap)
                client.login(name, PASSWORD)
                client.command("CREATE Drafts")
                supply = Mix(8)
                client.fill("INBOX", (supply.sized(_OCTETS) for _ in range(size)))
                client.close()
            of_peer = {size: (name, PASSWORD) for size, name in names.items()}
            boxes.append(_Boxes("Dovecot sdbox", peer.imap, of_peer, peer.lmtp, context.size.operations))
        rows = [_row(label, box, sizes, context.size.rounds) for label in _OPERATIONS for box in boxes]
    notes = [
        f"Single operations, one after another, in mailboxes of {', '.join(f'{size:,}' for size in sizes)} messages; the "
        f"ratio is the largest mailbox's over the smallest's. Flat is at most {_FLAT} times.",
        SELECT_NOTE,
    ]
    return Table("Cost against the size of the mailbox", rows, notes)
