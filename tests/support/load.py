"""Clients that send, file and fetch mail while servers are killed under them, and know exactly what was acknowledged.

Every message has a token of its own. What became of a token is certain (acknowledged), or open (the connection was
lost before the reply); nothing is ever sent a second time by a client.
"""

import contextlib
import hashlib
import imaplib
import itertools
import poplib
import random
import re
import smtplib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from support.smtp_sink import Sink

TIMEOUT = 20.0
LOST = (OSError, EOFError, smtplib.SMTPException, imaplib.IMAP4.error, poplib.error_proto)
_TOKEN = re.compile(rb"^Message-ID: <(\w+)@load\.test>\r$", re.MULTILINE | re.IGNORECASE)
_DIGEST = re.compile(rb"^X-Digest: (\w+)\r$", re.MULTILINE)
Address = Callable[[str], tuple[str, int]]


@dataclass
class Filed:
    """An appended message: what was acknowledged of it, and what was asked for besides."""

    appended: bool = False
    flagged: bool = False
    asked_to_move: bool = False
    moved: bool = False


@dataclass
class Record:
    """What clients know. `into[account]`: tokens acknowledged for a mailbox; `open`: tokens without a reply."""

    into: dict[str, set[str]] = field(default_factory=dict)
    out: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    filed: dict[str, Filed] = field(default_factory=dict)
    fetched: set[str] = field(default_factory=set)
    asked_to_remove: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)


def message(token: str, chance: random.Random) -> bytes:
    """A message of some hundred octets to some hundred thousand, with a digest of its body."""
    lines = chance.choice((1, 5, 5, 20, 20, 100, 4000 if chance.random() < 0.2 else 10))
    body = b"".join(b"%064x .line of some length\r\n" % chance.getrandbits(256) for _ in range(lines))
    digest = hashlib.sha256(body).hexdigest()
    return b"From: alice@example.test\r\nMessage-ID: <%s@load.test>\r\nX-Digest: %s\r\n\r\n%s" % (
        token.encode(),
        digest.encode(),
        body,
    )


def token_of(raw: bytes) -> str | None:
    """The token of a message that the load sent; fails when its body is not what was sent."""
    found, digest = _TOKEN.search(raw), _DIGEST.search(raw)
    if found is None or digest is None:
        return None
    assert hashlib.sha256(raw.partition(b"\r\n\r\n")[2]).hexdigest() == digest[1].decode(), found[1]
    return found[1].decode()


class Load:
    """The clients, a thread each, until `stop`. `address(service)` says where a service is now."""

    def __init__(self, address: Address, passwords: dict[str, str], seed: int) -> None:
        self._address = address
        self._passwords = passwords
        self._seed = seed
        self._tokens = itertools.count()
        self._stop = threading.Event()
        self.record = Record(into={name: set() for name in ("admin", "alice", "bob")})
        self.failures: list[BaseException] = []
        clients = (self._mx, self._mx, self._lmtp, self._submission, self._submission, self._imap, self._pop3)
        self._threads = [
            threading.Thread(target=self._run, args=(client, random.Random(seed * 100 + number)), daemon=True)
            for number, client in enumerate(clients)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> Record:
        """End the clients; raises what went wrong in them besides lost connections."""
        self._stop.set()
        for thread in self._threads:
            thread.join(3 * TIMEOUT)
            assert not thread.is_alive()
        for failure in self.failures:
            raise failure
        return self.record

    def _run(self, client: Callable[[random.Random], None], chance: random.Random) -> None:
        while not self._stop.is_set():
            try:
                client(chance)
            except LOST as error:
                self.record.counts[f"lost {client.__name__.strip('_')}"] += 1
                if "AUTHENTICATIONFAILED" in str(error):
                    self.failures.append(error)
                    return
                self._stop.wait(0.02)  # nobody listens for a moment
            except BaseException as error:  # noqa: BLE001 the test's thread raises it
                self.failures.append(error)
                return

    def _token(self) -> str:
        token = f"t{self._seed}x{next(self._tokens)}"
        self.record.open.add(token)
        return token

    def _settle(self, token: str, *accounts: str) -> None:
        for account in accounts:
            self.record.into[account].add(token)
        self.record.open.discard(token)

    def _mx(self, chance: random.Random) -> None:
        with smtplib.SMTP(*self._address("mx"), timeout=TIMEOUT) as smtp:
            for _ in range(chance.randrange(1, 30)):
                token = self._token()
                accounts = chance.choice((("alice",), ("bob",), ("admin",), ("alice", "bob")))
                refused = smtp.sendmail(
                    "carol@remote.test", [f"{one}@example.test" for one in accounts], message(token, chance)
                )
                assert not refused
                self._settle(token, *accounts)
                self.record.counts["mx"] += 1
                if self._stop.is_set():
                    return

    def _lmtp(self, chance: random.Random) -> None:
        with smtplib.LMTP(*self._address("lmtp"), timeout=TIMEOUT) as lmtp:
            for _ in range(chance.randrange(1, 30)):
                token, account = self._token(), chance.choice(("alice", "bob"))
                lmtp.sendmail("carol@remote.test", [f"{account}@example.test"], message(token, chance))
                self._settle(token, account)
                self.record.counts["lmtp"] += 1
                if self._stop.is_set():
                    return

    def _submission(self, chance: random.Random) -> None:
        with smtplib.SMTP(*self._address("submission"), timeout=TIMEOUT) as smtp:
            smtp.login("alice@example.test", self._passwords["alice"])
            for _ in range(chance.randrange(1, 20)):
                token = self._token()
                local = chance.choice(((), (), ("bob",), ("alice", "bob")))
                remote = [f"dave+{token}@remote{chance.randrange(3)}.test"]
                smtp.sendmail(
                    "alice@example.test", remote + [f"{one}@example.test" for one in local], message(token, chance)
                )
                self.record.out.add(token)
                self._settle(token, *local)
                self.record.counts["submission"] += 1
                if self._stop.is_set():
                    return

    def _imap(self, chance: random.Random) -> None:
        imap = imaplib.IMAP4(*self._address("imap"), timeout=TIMEOUT)
        try:
            imap.login("bob@example.test", self._passwords["bob"])
            for name in ("Work", "Done"):
                imap.create(name)  # it may be there
            assert imap.select("Work")[0] == "OK"
            for _ in range(chance.randrange(1, 20)):
                self._file(imap, chance)
                if self._stop.is_set():
                    return
        finally:
            with contextlib.suppress(*LOST):
                imap.shutdown()

    def _file(self, imap: imaplib.IMAP4, chance: random.Random) -> None:
        """APPEND, STORE and MOVE of one message."""
        token = self._token()
        filed = self.record.filed[token] = Filed()
        status, said = imap.append("Work", "", "", message(token, chance))
        if status != "OK":
            return
        filed.appended = True
        self.record.open.discard(token)
        found = re.search(rb"APPENDUID \d+ (\d+)", said[0])
        assert found is not None, said
        uid = found[1].decode()
        if imap.uid("STORE", uid, "+FLAGS", r"(\Flagged)")[0] == "OK":
            filed.flagged = True
        if chance.random() < 0.5:
            filed.asked_to_move = True
            if imap.uid("MOVE", uid, "Done")[0] == "OK":
                filed.moved = True
        self.record.counts["imap"] += 1

    def _pop3(self, chance: random.Random) -> None:
        pop = poplib.POP3(*self._address("pop3"), timeout=TIMEOUT)
        try:
            pop.user("admin@example.test")
            pop.pass_(self._passwords["admin"])
            count = min(pop.stat()[0], 20)
            asked = set[str]()
            for number in range(1, count + 1):
                token = token_of(b"\r\n".join(pop.retr(number)[1]) + b"\r\n")
                if token is None:
                    continue
                self.record.fetched.add(token)
                if chance.random() < 0.5:
                    asked.add(token)
                    self.record.asked_to_remove.add(token)
                    pop.dele(number)
            pop.quit()
            self.record.removed |= asked
            self.record.counts["pop3"] += 1
        finally:
            with contextlib.suppress(*LOST):
                pop.close()


class Found:
    """What is in the mailboxes in the end: tokens by folder, and the flags of each."""

    def __init__(self, address: Address, passwords: dict[str, str]) -> None:
        self.folders: dict[tuple[str, str], Counter[str]] = {}
        self.flagged: set[str] = set()
        for account in ("admin", "alice", "bob"):
            imap = imaplib.IMAP4(*address("imap"), timeout=3 * TIMEOUT)
            imap.login(f"{account}@example.test", passwords[account])
            for folder in ("INBOX", "Work", "Done") if account == "bob" else ("INBOX",):
                assert imap.select(folder, readonly=True)[0] == "OK"
                tokens = self.folders[account, folder] = Counter()
                _, answers = imap.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[])")
                for answer in answers:
                    if not isinstance(answer, tuple):
                        continue
                    token = token_of(answer[1])
                    if token is not None:
                        tokens[token] += 1
                        if b"\\Flagged" in answer[0]:
                            self.flagged.add(token)
            imap.logout()


def check(record: Record, found: Found, sink: Sink, kills_in_doubt: Counter[str]) -> None:
    """Nothing acknowledged is lost, nothing appears twice, flags are there; out in doubt only after a kill.

    `kills_in_doubt` counts, by token, the kills after which the queue still held a claim on its message: each may
    have come between the remote's 250 and the commit, and lets it arrive once more, no oftener.
    """
    for (account, folder), tokens in found.folders.items():
        twice = {token for token, count in tokens.items() if count > 1}
        assert not twice, f"twice in {folder} of {account}: {sorted(twice)[:10]}"
    for account, expected in record.into.items():
        there = set(found.folders[account, "INBOX"])
        if account == "admin":
            assert not record.removed & there, "removed by POP3, and there again"
            expected = expected - record.asked_to_remove
        assert not expected - there, f"acknowledged and lost for {account}: {sorted(expected - there)[:10]}"
        strangers = there - record.into[account] - record.open
        assert not strangers, f"never sent to {account}: {sorted(strangers)[:10]}"
    work, done = found.folders["bob", "Work"], found.folders["bob", "Done"]
    for token, filed in record.filed.items():
        assert work[token] + done[token] <= 1, f"{token} is in both folders"
        if filed.appended:
            assert work[token] + done[token] == 1, f"{token} was appended and is lost"
        if filed.flagged:
            assert token in found.flagged, f"{token} lost its flag"
        if filed.moved:
            assert done[token] == 1, f"{token} was moved and is not there"
        if filed.appended and not filed.asked_to_move:
            assert work[token] == 1, f"{token} moved by itself"
    arrived = Counter(recipient.partition("+")[2].partition("@")[0] for _, to, _ in sink.messages for recipient in to)
    assert not record.out - set(arrived), f"acknowledged and never sent: {sorted(record.out - set(arrived))[:10]}"
    for token, count in arrived.items():
        assert count <= 1 + kills_in_doubt[token], f"{token} was sent {count} times, in doubt {kills_in_doubt[token]}"
    for _, _, raw in sink.messages:
        assert token_of(raw) is not None
