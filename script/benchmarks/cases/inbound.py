"""Mail in through everything: connection policy, SPF, DKIM, DMARC, ARC, junk, filter script, durable delivery."""

import itertools
import time
from collections.abc import Iterator

from benchmarks.case import Context
from benchmarks.clients.imap import Imap
from benchmarks.clients.smtp import send_all
from benchmarks.mix import Mix
from benchmarks.own import DOMAIN, Own, open_mailbox
from benchmarks.process import resident
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
    """Messages a second, and memory after the first tenth and after all of a long run."""
    size = context.size
    zone = {
        "1.0.0.127.in-addr.arpa": {"PTR": f"mail.{_AUTHOR}."},
        _AUTHOR: {"TXT": "v=spf1 ip4:127.0.0.1 -all", "MX": f"10 mail.{_AUTHOR}.", "A": "127.0.0.1"},
        f"mail.{_AUTHOR}": {"A": "127.0.0.1"},
        f"_dmarc.{_AUTHOR}": {"TXT": "v=DMARC1; p=reject"},
        f"s1._domainkey.{_AUTHOR}": {"TXT": rsa_key().public_record},
        f"s1._domainkey.{_FORWARDER}": {"TXT": rsa_key().public_record},
    }
    with dns_authority(zone) as authority:
        own = Own(context.folder / "own", _SETTINGS | {"MAILSTEAD_DNS_SERVERS": authority.address})
        own.server.data.parent.mkdir(parents=True)
        own.add_accounts(_ACCOUNTS)
        _prepare(own)
        own.start()
        try:
            rows = _measured(own, size.received, size.rounds, size.sessions, size.soaked)
        finally:
            own.server.stop()
    notes = [
        "Every message of a round is another one of 10 KB with an RSA-2048 signature and one ARC set; the client is a stranger "
        "whose name, lists, greeting, limits and reputation are looked at. Server and mailboxes have learned junk and good "
        "mail, each mailbox runs a filter script with spamtest. Answers of DNS come from a name server of the benchmark, "
        "cached by Mailstead. One process; the client and the name server share the processors with it.",
        f"The long run sends {size.soaked:,} messages (of a pool of {_POOL:,}) to {len(_ACCOUNTS)} mailboxes.",
    ]
    return Table("Mail in through everything", rows, notes)


def _measured(own: Own, received: int, rounds: int, sessions: int, soaked: int) -> list[Row]:
    supply = Mix(11)
    client = Imap(own.port("imap"))
    client.login(f"alice@{DOMAIN}", own.passwords[f"alice@{DOMAIN}"])

    def rate() -> float:
        messages = [(f"alice@{DOMAIN}", _signed(supply.sized(_OCTETS))) for _ in range(received)]
        started = time.perf_counter()
        send_all(own.port("mx"), messages, sessions)  # a 250 is for what is on disk
        return received / (time.perf_counter() - started)

    figures = in_turn(rounds, {OWN: rate})
    pool = [_signed(supply.sized(_OCTETS)) for _ in range(min(_POOL, soaked))]
    send_all(own.port("mx"), list(_spread(pool, max(soaked // 10, 1))), sessions)
    early = resident(own.pid)
    send_all(own.port("mx"), list(_spread(pool, soaked - soaked // 10)), sessions)
    late = resident(own.pid)
    return [
        Row(
            f"{received:,} messages over {sessions} kept connections",
            "messages/s",
            figures,
            Target(300, at_least=True, is_absolute=True),
            higher_is_better=True,
        ),
        Row(f"memory after {max(soaked // 10, 1):,} messages", "MB", {OWN: [early]}),
        Row(f"memory after {soaked:,} messages", "MB", {OWN: [late]}),
    ]


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
