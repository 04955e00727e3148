"""The servers that a mailbox is read from: Mailstead, and Dovecot with its two mailbox formats."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import msgspec

from benchmarks.case import Context
from benchmarks.clients.imap import Imap
from benchmarks.own import DOMAIN, own_server
from benchmarks.peers.dovecot import PASSWORD, dovecot
from benchmarks.table import OWN

FORMATS = {"Dovecot maildir": "maildir", "Dovecot sdbox": "sdbox"}
DOVECOT_NOTE = (
    "Dovecot is the distribution's, its indexes warm, with mail_fsync = always (Mailstead syncs every commit too) and "
    "kept login processes; no full-text plugin, as none is stock. TLS is off on both sides."
)
OWN_NOTE = "Mailstead runs with its defaults: AEGIS-256 encryption, full-text index, trace, limits."
SELECT_NOTE = (
    "SELECT is that of a folder that was selected before, as the rounds go on: Dovecot maps its index, Mailstead goes on "
    "from a snapshot in memory. The first SELECT after a start reads the folder's entries."
)


class Host(msgspec.Struct, frozen=True):
    """One server and the account to use on it."""

    name: str
    imap: int
    pop3: int
    user: str
    password: str

    def client(self) -> Imap:
        """A new connection that is logged in."""
        client = Imap(self.imap)
        client.login(self.user, self.password)
        return client


@contextmanager
def hosts(context: Context) -> Iterator[list[Host]]:
    """All of them, running, with an empty mailbox of alice's each."""
    with ExitStack() as stack:
        own = stack.enter_context(own_server(context.folder / "own", ["alice"]))
        address = f"alice@{DOMAIN}"
        found = [Host(OWN, own.port("imap"), own.port("pop3"), address, own.passwords[address])]
        if context.with_peers:
            for name, mailbox_format in FORMATS.items():
                peer = stack.enter_context(dovecot(context.folder / mailbox_format, mailbox_format))
                found.append(Host(name, peer.imap, peer.pop3, "alice", PASSWORD))
        yield found


def agree(answers: Mapping[str, object], what: str) -> None:
    """Raises AssertionError when servers differ in an answer: what is timed must be the same work."""
    if len({repr(answer) for answer in answers.values()}) > 1:
        raise AssertionError(f"{what}: {answers}")
