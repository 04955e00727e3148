"""Mail in: accepted, checked, stored."""

import time
from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.case import Context
from benchmarks.clients.imap import Imap
from benchmarks.clients.smtp import send_all
from benchmarks.mix import Mix
from benchmarks.own import DOMAIN, own_server
from benchmarks.peers.dovecot import PASSWORD, dovecot
from benchmarks.peers.postfix import postfix, to_dovecot
from benchmarks.rounds import in_turn
from benchmarks.table import OWN, Row, Table, Target
from support.dns_authority import dns_authority

_OCTETS = 10_240
_PEER = "Postfix + Dovecot LMTP"
_POLL = 0.02
# The sender's domain has a mail server and a policy that lets this client send
_ZONE = {
    "client.example": {"TXT": "v=spf1 ip4:127.0.0.1 -all", "MX": "10 mail.client.example.", "A": "127.0.0.1"},
    "mail.client.example": {"A": "127.0.0.1"},
    "_dmarc.client.example": {"TXT": "v=DMARC1; p=none"},
}
_LONGEST = 900.0


def run(context: Context) -> Table:
    """Messages a second from the first connection to the last message in the mailbox."""
    size = context.size
    supply = Mix(5)

    def rate(port: int, client: Imap) -> Callable[[], float]:
        def measure() -> float:
            messages = [(f"alice@{DOMAIN}", supply.sized(_OCTETS)) for _ in range(size.received)]
            wanted = client.count("INBOX") + size.received
            started = time.perf_counter()
            send_all(port, messages, size.sessions)
            while client.count("INBOX") < wanted:
                if time.perf_counter() - started > _LONGEST:
                    raise TimeoutError(f"messages that were taken did not come into the mailbox: {wanted} are wanted")
                time.sleep(_POLL)
            return size.received / (time.perf_counter() - started)

        return measure

    with ExitStack() as stack:
        authority = stack.enter_context(dns_authority(_ZONE))
        settings = {"MAILSTEAD_DNS_SERVERS": authority.address}
        own = stack.enter_context(own_server(context.folder / "own", ["alice"], settings))
        client = Imap(own.port("imap"))
        client.login(f"alice@{DOMAIN}", own.passwords[f"alice@{DOMAIN}"])
        contestants = {OWN: rate(own.port("mx"), client)}
        if context.with_peers:
            store = stack.enter_context(dovecot(context.folder / "dovecot", "sdbox"))
            exchanger = stack.enter_context(postfix(context.folder / "postfix", to_dovecot(store.lmtp)))
            client = Imap(store.imap)
            client.login("alice", PASSWORD)
            contestants[_PEER] = rate(exchanger.port, client)
        figures = in_turn(size.rounds, contestants)
    row = Row(
        f"{size.received:,} messages of 10 KB over {size.sessions} kept connections",
        "messages/s",
        figures,
        Target(1.5, at_least=True),
        higher_is_better=True,
    )
    notes = [
        "Every message is another one. Mailstead answers 250 when a message is on disk in the mailbox; Postfix when it is "
        "in its queue, so the clock stops when the last message can be seen over IMAP. Dovecot stores in sdbox with "
        "mail_fsync = always, up to 20 LMTP deliveries at once; Postfix is stock. Mailstead looks at SPF, DKIM and DMARC of each "
        "message, in a name server of the benchmark; Postfix alone does not.",
    ]
    return Table("SMTP in", [row], notes)
