"""IMAP with real clients: imaplib, IMAPClient, mbsync, curl, against the whole server."""

import imaplib
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from imapclient import IMAPClient

from support.corpus import corpus_messages
from support.mailstead_server import MailsteadServer, mailstead_server
from support.programs import require_program


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailsteadServer]:
    with mailstead_server(tmp_path_factory.mktemp("imap"), {"MAILSTEAD_INSECURE_AUTH": "true"}) as running:
        yield running


@pytest.fixture
def client(server: MailsteadServer) -> Iterator[IMAPClient]:
    host, port = server.address("imaps")
    with IMAPClient(host, port, ssl=True, ssl_context=server.client_context()) as connected:
        connected.login("alice@example.test", server.password("alice"))
        yield connected


def test_a_wrong_password_is_refused(server: MailsteadServer) -> None:
    host, port = server.address("imap")
    with imaplib.IMAP4(host, port) as connection:
        assert connection.starttls(server.client_context())[0] == "OK"
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            connection.login("alice@example.test", "wrong")


def test_append_fetch_store_search_copy_move_expunge(client: IMAPClient) -> None:
    client.create_folder("Проекты/a & b")
    assert "Проекты/a & b" in [name for _, _, name in client.list_folders()]
    client.select_folder("Проекты/a & b")
    messages = [f"Subject: number {number}\r\n\r\nbody {number}\r\n".encode() for number in range(5)]
    for message in messages:
        client.append("Проекты/a & b", message, ["\\Seen"])
    client.noop()
    assert client.search("ALL") == [1, 2, 3, 4, 5]
    fetched = client.fetch(
        client.search("ALL"), ["BODY.PEEK[]", "FLAGS", "ENVELOPE", "BODYSTRUCTURE", "INTERNALDATE", "RFC822.SIZE"]
    )
    assert [fetched[uid][b"BODY[]"] for uid in range(1, 6)] == messages
    assert fetched[3][b"ENVELOPE"].subject == b"number 2"
    assert (
        client.fetch(2, ["BODY[HEADER.FIELDS (SUBJECT)]"])[2][b"BODY[HEADER.FIELDS (SUBJECT)]"]
        == b"Subject: number 1\r\n\r\n"
    )
    assert client.fetch(2, ["BODY[TEXT]<2.3>"])[2][b"BODY[TEXT]<2>"] == b"dy "
    assert client.search(["SUBJECT", "number 3"]) == [4]
    assert client.search(["BODY", "ody 4"]) == [5]
    assert client.search(["OR", "UID", "1", "NOT", "TEXT", "body"]) == [1]
    client.add_flags([1, 2], ["\\Flagged", "$Work"])
    assert client.search(["KEYWORD", "$work", "FLAGGED"]) == [1, 2]
    client.copy([1], "Archive")
    client.move([2], "Archive")
    client.delete_messages([3])
    client.expunge()
    assert client.search("ALL") == [1, 4, 5]
    client.select_folder("Archive", readonly=True)
    assert [data[b"BODY[]"] for data in client.fetch(client.search("ALL"), ["BODY.PEEK[]"]).values()] == messages[:2]
    status = client.folder_status("Проекты/a & b", ["MESSAGES", "UIDNEXT", "UNSEEN"])
    assert status == {b"MESSAGES": 3, b"UIDNEXT": 6, b"UNSEEN": 0}
    client.delete_folder("Проекты/a & b")


def test_idle_tells_of_new_mail(server: MailsteadServer, client: IMAPClient) -> None:
    client.select_folder("Drafts")
    client.idle()
    host, port = server.address("imaps")
    with IMAPClient(host, port, ssl=True, ssl_context=server.client_context()) as other:
        other.login("alice@example.test", server.password("alice"))
        other.append("Drafts", b"Subject: new\r\n\r\nx\r\n")
    told = client.idle_check(timeout=20)
    assert (1, b"EXISTS") in told
    client.idle_done()


def test_every_corpus_message_goes_in_and_comes_out_by_append(server: MailsteadServer) -> None:
    """As it is, over a socket: clients' libraries would mend line ends on the way."""
    messages = [raw for _, raw in corpus_messages(None) if raw] or [b"Subject: x\r\n\r\n"]
    context = server.client_context()
    with (
        socket.create_connection(server.address("imaps"), 30) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        stream = secured.makefile("rwb")

        def command(text: bytes) -> list[bytes]:
            stream.write(b"a " + text + b"\r\n")
            stream.flush()
            lines: list[bytes] = []
            while not (line := stream.readline()).startswith(b"a "):
                found = re.search(rb"\{(\d+)\}\r\n\Z", line)
                lines.append(stream.read(int(found[1])) if found is not None else line)
            assert line.startswith(b"a OK"), line
            return lines

        stream.readline()
        command(b"LOGIN alice@example.test " + server.password("alice").encode())
        command(b"CREATE Corpus")
        for start in range(0, len(messages), 50):
            batch = b"".join(b" {%d+}\r\n%b" % (len(raw), raw) for raw in messages[start : start + 50])
            command(b"APPEND Corpus" + batch)
        command(b"SELECT Corpus")
        for uid, raw in enumerate(messages, 1):
            assert raw in command(b"UID FETCH %d BODY.PEEK[]" % uid), uid
        assert len(command(b"FETCH 1:* (ENVELOPE BODYSTRUCTURE)")) >= len(messages)


def test_mbsync_fetches_everything(server: MailsteadServer, tmp_path: Path) -> None:
    host, port = server.address("imaps")
    configuration = tmp_path / "mbsyncrc"
    configuration.write_text(
        f"IMAPAccount a\nHost localhost\nPort {port}\nUser bob@example.test\nPass {server.password('bob')}\nSSLType IMAPS\n"
        f"CertificateFile {server.ready['ca']}\n\nIMAPStore far\nAccount a\n\nMaildirStore near\nPath {tmp_path}/mail/\n"
        f"Inbox {tmp_path}/mail/INBOX\nSubFolders Verbatim\n\nChannel all\nFar :far:\nNear :near:\nPatterns *\nCreate Both\n"
        "Expunge Both\nSyncState *\n"
    )
    (tmp_path / "mail").mkdir()
    command = [str(require_program("mbsync")), "-c", str(configuration), "all"]
    subprocess.run(command, check=True, capture_output=True, env={"HOME": str(tmp_path)}, timeout=60)
    (message,) = [path for kind in ("new", "cur") for path in (tmp_path / "mail/INBOX" / kind).iterdir()]
    assert b"Welcome to Mailstead" in message.read_bytes()
    (tmp_path / "mail/INBOX/new").joinpath("1.local.host").write_bytes(b"Subject: mine\n\nx\n")
    subprocess.run(command, check=True, capture_output=True, env={"HOME": str(tmp_path)}, timeout=60)
    with IMAPClient(host, port, ssl=True, ssl_context=server.client_context()) as other:
        other.login("bob@example.test", server.password("bob"))
        other.select_folder("INBOX")
        assert len(other.search(["SUBJECT", "mine"])) == 1


def test_curl_reads_a_message(server: MailsteadServer) -> None:
    host, port = server.address("imaps")
    url = f"imaps://{host}:{port}/INBOX;UID=1"
    login = f"admin@example.test:{server.password('admin')}"
    command = [str(require_program("curl")), "-s", "--cacert", server.ready["ca"], "-u", login, url]
    found = subprocess.run(command, check=True, capture_output=True, timeout=60)
    assert b"Welcome to Mailstead" in found.stdout


def test_many_sessions_on_one_mailbox_converge(server: MailsteadServer) -> None:
    host, port = server.address("imaps")
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with IMAPClient(host, port, ssl=True, ssl_context=server.client_context()) as mine:
                mine.login("admin@example.test", server.password("admin"))
                mine.select_folder("Archive")
                for turn in range(5):
                    mine.append("Archive", f"Subject: {number}-{turn}\r\n\r\nx\r\n".encode())
                    uids = mine.search("ALL")
                    mine.add_flags(uids[: number + 1], [f"w{number}"])
                    if turn == 3:
                        mine.move(uids[:1], "Trash")
                mine.noop()
        except (AssertionError, imaplib.IMAP4.error, OSError) as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not failures
    with IMAPClient(host, port, ssl=True, ssl_context=server.client_context()) as mine:
        mine.login("admin@example.test", server.password("admin"))
        total = sum(mine.folder_status(name, ["MESSAGES"])[b"MESSAGES"] for name in ("Archive", "Trash"))
        assert total == 30
    assert server.command_json("mailbox", "check", "admin@example.test")["problems"] == []
