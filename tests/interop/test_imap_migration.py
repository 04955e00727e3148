"""Import from other servers over IMAP: a real Dovecot, Mailstead itself; cut off and gone on with."""

import imaplib
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.transfer.files import file_source
from mailstead.administration.transfer.imap import import_account
from mailstead.foundation.errors import OverQuotaError
from mailstead.mail.migration.errors import MigrationError
from mailstead.mail.migration.location import Location
from mailstead.stores.mailbox.entries import UID_MOST
from mailstead.stores.mailbox.mailbox import Mailbox
from support.dovecot_server import PASSWORD, dovecot_server
from support.installation import installation
from support.mailstead_server import MailsteadServer, mailstead_server

pytestmark = pytest.mark.needs("/usr/sbin/dovecot")
ALICE = "alice@example.test"
LARGE = b"Subject: large\r\n\r\n" + b"0123456789abcdef\r\n" * 200_000
ODD = b"Subject: bare\r\n\r\n\xff\x01 8 bits, no line end"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that Dovecot's own users may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def maildir(path: Path, folder: str, messages: dict[str, bytes], keywords: str = "") -> None:
    root = path / folder if folder else path
    for part in ("cur", "new", "tmp"):
        (root / part).mkdir(parents=True)
    for name, raw in messages.items():
        (root / "cur" / name).write_bytes(raw)
        os.utime(root / "cur" / name, (1_500_000_000, 1_500_000_000))
    if keywords:
        (root / "dovecot-keywords").write_text(keywords)


def contents(mailbox: Mailbox) -> dict[str, list[tuple[bytes, int, str, int]]]:
    found = {}
    for folder in mailbox.folders():
        rows = mailbox.rows(folder.id, [(1, UID_MOST)], ("uid", "flags", "keywords", "internal_date", "message_id"))
        found[folder.name] = [
            (mailbox.content(message_id).read(), flags, keywords, date)
            for some in rows
            for _, flags, keywords, date, message_id in some
        ]
    return found


async def test_everything_comes_from_dovecot_once(folder: Path) -> None:
    mail = folder / "mail"
    inbox = {"1.a.x:2,FRSa": b"Subject: one\r\n\r\nbody\r\n", "2.b.x:2,": ODD, "3.c.x:2,DT": LARGE}
    maildir(mail, "", inbox, "0 work\n")
    maildir(mail, ".Gesendet", {"4.d.x:2,S": b"Subject: sent\r\n\r\n"})
    maildir(mail, ".Werk.H&AOQ-user", {"5.e.x:2,": b"Subject: deep\r\n\r\n"})
    maildir(mail, ".Leer", {})
    (mail / "subscriptions").write_text("Leer\n")
    expected = {
        "INBOX": [
            (inbox["1.a.x:2,FRSa"], 7, "work", 1_500_000_000),
            (ODD, 0, "", 1_500_000_000),
            (LARGE, 24, "", 1_500_000_000),
        ],
        "Sent": [(b"Subject: sent\r\n\r\n", 1, "", 1_500_000_000)],
        "Werk/Häuser": [(b"Subject: deep\r\n\r\n", 0, "", 1_500_000_000)],
    }
    spool = folder / "spool"
    spool.mkdir()
    with dovecot_server(folder / "dovecot", mail) as port:
        there = Location("somebody@old.test", "127.0.0.1", port, implicit_tls=False)
        async with installation(folder / "data") as made:
            with pytest.raises(MigrationError, match="refused"):
                await import_account(made.administration, COMMAND_LINE, ALICE, there, "wrong", spool)
            done = await import_account(made.administration, COMMAND_LINE, ALICE, there, PASSWORD, spool)
            assert (done.taken, done.known, done.failures) == (5, 0, ())
            mailbox = await made.mailbox(ALICE)
            found = contents(mailbox)
            assert {name: messages for name, messages in found.items() if messages} == expected
            assert found["Leer"] == []
            assert "Gesendet" not in found
            assert "Leer" in mailbox.subscriptions()
            (mail / "new" / "6.f.x").write_bytes(b"Subject: later\r\n\r\n")
            again = await import_account(made.administration, COMMAND_LINE, ALICE, there, PASSWORD, spool)
            assert (again.taken, again.known, again.failures) == (1, 5, ())
            assert mailbox.check() == []
            assert list(spool.iterdir()) == []
            await made.set_quota("bob@example.test", 100)
            with pytest.raises(OverQuotaError):
                await import_account(made.administration, COMMAND_LINE, "bob@example.test", there, PASSWORD, spool)


@contextmanager
def cut(port: int, after: int, victim: list[subprocess.Popen[bytes]]) -> Iterator[int]:
    """A port that leads to `port` and kills the process when `after` octets came back."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def carry(source: socket.socket, target: socket.socket, deadly: bool) -> None:
            count = 0
            while data := _read(source):
                count += len(data)
                if deadly and count > after:
                    victim[0].kill()
                    break
                target.sendall(data)
            for one in (source, target):
                one.close()

        def serve() -> None:
            client, _ = server.accept()
            back = socket.create_connection(("127.0.0.1", port))
            other = threading.Thread(target=carry, args=(client, back, False))
            other.start()
            carry(back, client, deadly=True)
            other.join()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def _read(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


def test_killed_midway_and_run_again_nothing_is_lost_and_nothing_twice(folder: Path) -> None:
    mail = folder / "mail"
    messages = [b"Subject: %d\r\n\r\n" % number + b"x" * 2000 + b"\r\n" for number in range(900)]
    maildir(mail, "", {f"{number:04}.x:2,": raw for number, raw in enumerate(messages[:600])})
    maildir(mail, ".Werk", {f"{number:04}.x:2,": raw for number, raw in enumerate(messages[600:])})
    mailstead = MailsteadServer(folder / "data")
    mailstead.command("domain", "add", "example.test")
    mailstead.command("alias", "add", ALICE)
    with dovecot_server(folder / "dovecot", mail) as port:
        for after in (700_000, 500_000):
            victim: list[subprocess.Popen[bytes]] = []
            with (
                cut(port, after, victim) as door,
                subprocess.Popen(
                    [
                        str(Path(sys.executable).with_name("mailstead")),
                        *("mailbox", "import", ALICE, f"imap://me@127.0.0.1:{door}", "--password-stdin"),
                    ],
                    env=mailstead.environment,
                    cwd=folder,
                    stdin=subprocess.PIPE,
                ) as process,
            ):
                victim.append(process)
                assert process.stdin is not None
                process.stdin.write(PASSWORD.encode() + b"\n")
                process.stdin.close()
                assert process.wait(60) == -9
        done = mailstead.command_json(
            "mailbox", "import", ALICE, f"imap://me@127.0.0.1:{port}", "--password-stdin", given=PASSWORD.encode()
        )
    assert done["failures"] == []
    assert done["imported"] + done["known"] == 900
    assert done["known"] > 0
    mailstead.command("mailbox", "export", ALICE, str(folder / "out"), "--format", "mbox")
    found = [bytes(item.raw) for item in file_source(folder / "out").items()]
    assert sorted(found) == sorted(messages)


def test_from_mailstead_itself_with_tls_checked(tmp_path: Path) -> None:
    with mailstead_server(tmp_path) as server:
        alice, bob = (f"{name}@{server.demo['domain']}" for name in ("alice", "bob"))
        host, port = server.address("imaps")
        with imaplib.IMAP4_SSL(host, port, ssl_context=server.client_context()) as client:
            client.login(alice, server.password("alice"))
            before = int(client.select("INBOX")[1][0] or b"0")
            for number in range(3):
                client.append("INBOX", "(\\Seen)", None, b"Subject: %d\r\n\r\n" % number)
        plain = server.address("imap")
        for scheme, place in (("imaps", (host, port)), ("imap", plain)):
            source = f"{scheme}://{alice.replace('@', '%40')}@{place[0]}:{place[1]}"
            given = server.password("alice").encode()
            refused = server.command("mailbox", "import", bob, source, "--password-stdin", given=given, check=False)
            assert refused.returncode == 1
            (line,) = refused.stderr.splitlines()
            assert b"certificate" in line
            trusting = ("mailbox", "import", bob, source, "--password-stdin", "--ca-file", server.ready["ca"])
            done = server.command_json(*trusting, given=given)
            assert done["failures"] == []
            # by another port it is the same mail
            assert done["imported" if scheme == "imaps" else "known"] >= before + 3
            assert done["known" if scheme == "imaps" else "imported"] == 0
