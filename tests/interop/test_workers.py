"""Several processes that answer the clients of one server: they share its listeners and its fate."""

import imaplib
import os
import select
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from support.mailstead_server import MailsteadServer, mailstead_server

SETTINGS = {"MAILSTEAD_WORKERS": "2", "MAILSTEAD_INSECURE_AUTH": "true"}
PATIENCE = 60.0
MESSAGES = 12
pytestmark = pytest.mark.xdist_group("workers")


@contextmanager
def stopped(*processes: int) -> Iterator[None]:
    """While this lasts `processes` do nothing."""
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def gone(process: int) -> None:
    """Returns when a process that is not our child has ended."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        # readable at the end of the process (pidfd_open(2))
        assert select.select([descriptor], [], [], PATIENCE)[0]
    finally:
        os.close(descriptor)


def greeting(server: MailsteadServer, service: str) -> bytes:
    with socket.create_connection(server.address(service), PATIENCE) as connection:
        return connection.recv(200)


def send(server: MailsteadServer, number: int) -> None:
    host, port = server.address("mx")
    with smtplib.SMTP(host, port, "client.example", PATIENCE) as client:
        text = f"From: a@client.example\r\nSubject: number {number}\r\n\r\n{number}\r\n"
        client.sendmail("a@client.example", ["alice@example.test"], text)


def found(server: MailsteadServer) -> list[set[bytes]]:
    """The subjects that some sessions see, each its own."""
    seen = []
    with ExitStack() as stack:
        for _ in range(6):
            session = stack.enter_context(imaplib.IMAP4(*server.address("imap"), PATIENCE))
            session.login("alice@example.test", server.password("alice"))
            session.select("INBOX", readonly=True)
            _, rows = session.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            seen.append({row[1].strip() for row in rows if isinstance(row, tuple)})
    return seen


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailsteadServer]:
    """Runs before and after each test."""
    with mailstead_server(tmp_path_factory.mktemp("workers"), SETTINGS) as running:
        yield running


def test_each_process_answers_alone_and_all_see_the_same(server: MailsteadServer) -> None:
    assert server.process is not None
    everybody = [server.process.pid, *server.workers()]
    for one in everybody:
        with stopped(*(other for other in everybody if other != one)):
            assert greeting(server, "imap").startswith(b"* OK ")
            assert greeting(server, "pop3").startswith(b"+OK ")
    for number in range(MESSAGES):
        send(server, number)
    wanted = {b"Subject: number %d" % number for number in range(MESSAGES)}
    for seen in found(server):
        assert wanted <= seen


def test_a_worker_that_is_killed_comes_back(server: MailsteadServer) -> None:
    assert server.process is not None
    (killed,) = server.workers()
    os.kill(killed, signal.SIGKILL)
    send(server, 1001)  # whoever is left answers
    gone(killed)
    (new,) = server.workers()
    assert new != killed
    with stopped(server.process.pid):
        assert greeting(server, "imap").startswith(b"* OK ")  # waits until the new one accepts
    send(server, 1002)
    assert all({b"Subject: number 1001", b"Subject: number 1002"} <= seen for seen in found(server))


def test_workers_end_with_the_process_that_started_them(server: MailsteadServer) -> None:
    (worker,) = server.workers()
    server.kill()
    gone(worker)
    server.start()
    (worker,) = server.workers()
    assert server.stop() == 0
    assert not Path(f"/proc/{worker}").exists()
    server.start()


def test_a_worker_is_nothing_for_people(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("mailstead")
    server = MailsteadServer(tmp_path / "data", SETTINGS)
    done = subprocess.run(
        [program, "serve", "--worker", "1"],
        check=False,
        env=server.environment,
        capture_output=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 2
    assert b"--worker" in done.stderr
