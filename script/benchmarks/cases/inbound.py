"""Mail in through everything: connection policy, SPF, DKIM, DMARC, ARC, junk, filter script, durable delivery."""

import itertools
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from benchmarks.case import Context
from benchmarks.clients.smtp import send_all
from benchmarks.mix import Mix
from benchmarks.own import DOMAIN, Own, open_mailbox
from benchmarks.process import resident, worked
from benchmarks.rounds import in_turn
from benchmarks.table import OWN, Row, Table, Target
from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.scripts import activate_script, put_script
from mailstead.formats.message.date import format_date
from mailstead.formats.message.part import Bounds
from mailstead.mail.authentication.arc.result import ArcResult
from mailstead.mail.authentication.arc.seal import seal
from mailstead.mail.authentication.dkim.sign import sign
from mailstead.mail.authentication.message import CheckedMessage
from mailstead.mail.screening.view import View
from mailstead.services.stores import Stores
from support.dkim_keys import rsa_key, signing_key
from support.dns_authority import dns_authority

_OCTETS = 10_240
_POOL = 2000
_LEARNED = 60
_PROCESSES, _ALONE = 2, "in one process"
_SAMPLES = 10
_ACCOUNTS = ("alice", "bob", "carol", "dave")
_AUTHOR, _FORWARDER = "client.example", "forwarder.example"
_SCRIPT = b"""require ["fileinto", "spamtest", "relational", "comparator-i;ascii-numeric", "imap4flags"];
if header :contains "subject" "quagmire" { addflag "\\\\Flagged"; }
if spamtest :value "ge" :comparator "i;ascii-numeric" "9" { fileinto "Junk"; }
elsif address :domain "from" "elsewhere.example" { fileinto "Archive"; }
"""
_SETTINGS = {
    "MAILSTEAD_SCREENING_EXEMPT": "",  # this host is a stranger: everything is asked about it
    "MAILSTEAD_SCREENING_MESSAGES_PER_ADDRESS": "100000000",
    "MAILSTEAD_SCREENING_MESSAGES_PER_NETWORK": "100000000",
    "MAILSTEAD_SCREENING_MESSAGES_PER_SENDER_DOMAIN": "100000000",
    "MAILSTEAD_SCREENING_RECIPIENTS_PER_ADDRESS": "100000000",
}


def run(context: Context) -> Table:
    """Messages a second with as many processes as there are processors to use, and with one; what each costs."""
    size = context.size
    supply = Mix(11)
    spent: dict[str, list[float]] = {}
    with ExitStack() as stack:
        authority = stack.enter_context(dns_authority(_zone()))
        servers = {
            name: stack.enter_context(_server(context.folder / folder, authority.address, count))
            for name, folder, count in ((OWN, "several", _PROCESSES), (_ALONE, "one", 1))
        }

        def rate(name: str) -> float:
            own = servers[name]
            messages = [(f"{_ACCOUNTS[0]}@{DOMAIN}", _signed(supply.sized(_OCTETS))) for _ in range(size.received)]
            before, started = worked(own.pid), time.perf_counter()
            send_all(own.port("mx"), messages, size.sessions)  # a 250 is for what is on disk
            seconds = time.perf_counter() - started
            spent.setdefault(name, []).append((worked(own.pid) - before) / size.received * 1000)
            return size.received / seconds

        figures = in_turn(size.rounds, {name: partial(rate, name) for name in servers})
    rows = [
        Row(
            f"{size.received:,} messages over {size.sessions} kept connections",
            "messages/s",
            figures,
            Target(300, at_least=True, is_absolute=True),
            higher_is_better=True,
        ),
        Row("processor time of a message", "ms", {name: times[1:] for name, times in spent.items()}),
    ]
    notes = [
        "Every message of a round is another one of 10 KB with an RSA-2048 signature and one ARC set; the client is a stranger "
        "whose name, lists, greeting, limits and reputation are looked at. Server and mailboxes have learned junk and good "
        "mail, the mailbox runs a filter script with spamtest. Answers of DNS come from a name server of the benchmark, "
        f"cached by Mailstead. Mailstead answers with {_PROCESSES} processes (MAILSTEAD_WORKERS), beside it with one; the "
        "client and the name server share the processors with them.",
    ]
    return Table("Mail in through everything", rows, notes)


def run_long(context: Context) -> Table:
    """Memory of a server of one process after each tenth of a long run."""
    size = context.size
    with (
        dns_authority(_zone()) as authority,
        _server(context.folder / "own", authority.address, 1) as own,
    ):
        supply = Mix(11)
        pool = [_signed(supply.sized(_OCTETS)) for _ in range(min(_POOL, size.soaked))]
        messages = _spread(pool, size.soaked)
        tenth = max(size.soaked // _SAMPLES, 1)
        memory = []
        while some := list(itertools.islice(messages, tenth)):
            send_all(own.port("mx"), some, size.sessions)
            memory.append(resident(own.pid))
    early, late = memory[0], memory[-1]
    rows = [
        Row(f"memory after {number * tenth:,} messages", "MB", {OWN: [found]})
        for number, found in enumerate(memory, 1)
        if number in (1, len(memory) // 2, len(memory))
    ]
    rows.append(
        Row("the last over the first", "x", {OWN: [late / early]}, Target(1.25, is_absolute=True)),
    )
    note = (
        f"{size.soaked:,} messages of 10 KB (of a pool of {_POOL:,}) to {len(_ACCOUNTS)} mailboxes through everything, in "
        "one process. Resident memory, which counts pages of mapped files, too."
    )
    return Table("Memory over a long run of mail in", rows, [note])


def _zone() -> dict[str, dict[str, str]]:
    return {
        "1.0.0.127.in-addr.arpa": {"PTR": f"mail.{_AUTHOR}."},
        _AUTHOR: {"TXT": "v=spf1 ip4:127.0.0.1 -all", "MX": f"10 mail.{_AUTHOR}.", "A": "127.0.0.1"},
        f"mail.{_AUTHOR}": {"A": "127.0.0.1"},
        f"_dmarc.{_AUTHOR}": {"TXT": "v=DMARC1; p=reject"},
        f"s1._domainkey.{_AUTHOR}": {"TXT": rsa_key().public_record},
        f"s1._domainkey.{_FORWARDER}": {"TXT": rsa_key().public_record},
    }


@contextmanager
def _server(folder: Path, dns: str, processes: int) -> Iterator[Own]:
    own = Own(folder, _SETTINGS | {"MAILSTEAD_DNS_SERVERS": dns, "MAILSTEAD_WORKERS": str(processes)})
    own.server.data.parent.mkdir(parents=True)
    own.add_accounts(_ACCOUNTS)
    _prepare(own)
    own.start()
    try:
        yield own
    finally:
        own.server.stop()


def _spread(pool: list[bytes], count: int) -> Iterator[tuple[str, bytes]]:
    names = itertools.cycle(_ACCOUNTS)
    return ((f"{next(names)}@{DOMAIN}", raw) for raw in itertools.islice(itertools.cycle(pool), count))


def _signed(raw: bytes) -> bytes:
    """The message with the date of now, a signature and one ARC set."""
    now = int(time.time())
    header, _, body = raw.partition(b"\r\n\r\n")
    lines = [f"Date: {format_date(now)}".encode() if one.startswith(b"Date:") else one for one in header.split(b"\r\n")]
    header = b"\r\n".join(lines) + b"\r\n\r\n"
    signed = sign(header, (body,), [signing_key(rsa_key(), _AUTHOR)], now) + header + body
    sealed = seal(
        CheckedMessage.of_bytes(signed),
        ArcResult(result="none"),
        f"{_FORWARDER}; dmarc=pass header.from={_AUTHOR}",
        signing_key(rsa_key(), _FORWARDER),
        now,
    )
    return sealed.fields + signed


def _prepare(own: Own) -> None:
    """Filter scripts, and what server and mailboxes have learned."""
    supply = Mix(3)

    async def work(stores: Stores) -> None:
        for kind in (True, False):
            for _ in range(_LEARNED):
                features = stores.junk.features.of(View(supply.message(), Bounds(), 65536))
                stores.junk.model.learn(features, junk=kind)
        for name in _ACCOUNTS:
            address = f"{name}@{DOMAIN}"
            await put_script(stores.administration, COMMAND_LINE, address, "main", _SCRIPT)
            await activate_script(stores.administration, COMMAND_LINE, address, "main")
            mailbox = await open_mailbox(stores, name)
            inbox = mailbox.folder("INBOX").id
            mailbox.move(inbox, [(1, 10)], mailbox.folder("Junk").id)
            mailbox.move(inbox, [(11, 20)], mailbox.folder("Archive").id)

    for name in _ACCOUNTS:
        own.fill(name, [supply.message() for _ in range(20)])
    own.with_stores(work)
