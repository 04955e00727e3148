"""POP3: a whole mailbox fetched."""

from benchmarks.case import Context
from benchmarks.clients.pop3 import retrieve_all
from benchmarks.hosts import DOVECOT_NOTE, OWN_NOTE, Host, agree, hosts
from benchmarks.mix import Mix
from benchmarks.rounds import in_turn
from benchmarks.table import Row, Table, Target


def run(context: Context) -> Table:
    """RETR of every message over one connection, commands pipelined."""
    count = context.size.mailbox

    def retrieve(host: Host) -> float:
        seconds, messages = retrieve_all(host.pop3, host.user, host.password)
        agree({host.name: messages, "wanted": count}, "RETR")
        return seconds * 1000

    with hosts(context) as servers:
        for host in servers:
            client = host.client()
            client.fill("INBOX", Mix().messages(count))
            client.close()
        contestants = {host.name: (lambda host=host: retrieve(host)) for host in servers}
        figures = in_turn(context.size.rounds, contestants)
    row = Row(f"RETR of {count:,} messages", "ms", figures, Target(1.0))
    return Table("POP3", [row], [OWN_NOTE, DOVECOT_NOTE])
