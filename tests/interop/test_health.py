"""`mailstead health` beside a real server, and beside things that only look like one."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailstead.services.probe import PROBES, ProbeFailedError, speak
from mailstead.services.ready import Endpoint
from mailstead.services.registry import SERVICES
from support.mailstead_server import mailstead_server

ALL_ON = {f"MAILSTEAD_PORT_{name}": "0" for name in ("HTTP", "HTTPS", "SIEVE")}


def test_every_service_answers_in_its_protocol(tmp_path: Path) -> None:
    with mailstead_server(tmp_path, ALL_ON) as server:
        rows = server.command_json("health")
        assert all(row["healthy"] for row in rows), rows
        assert {row["service"] for row in rows} == {service.name for service in SERVICES}
        assert {row["endpoint"] for row in rows} - {None} == set(server.ready["services"]) == set(PROBES)
        assert [row["endpoint"] for row in server.command_json("health", "imap")] == ["imap", "imaps"]
        assert server.command("health", "imapp", check=False).returncode == 2
        server.stop()
        stopped = server.command("health", "imap", check=False)
        assert (stopped.returncode, stopped.stdout) == (1, b"imap\t-\tno\tdoes not run\n")
        assert server.command("health", check=False).returncode == 1


def test_a_service_that_starts_is_not_healthy_yet(tmp_path: Path) -> None:
    """Nor is one that fails to, again and again: it holds its lock meanwhile."""
    with mailstead_server(tmp_path, ALL_ON) as server:
        assert server.command("health", "imap").returncode == 0
        server.ready_file.unlink()
        (server.data / "ready.mx.json").write_bytes(b'{"pid":1,"version":"","started_at":0.0,"services":{},"ca":""}')
        for service in ("imap", "scheduler", "mx"):
            found = server.command("health", service, check=False)
            assert (found.returncode, found.stdout.split(b"\t")[2:]) == (1, [b"no", b"starts\n"]), service


@contextmanager
def answering(replies: bytes) -> Iterator[Endpoint]:
    """A peer that says `replies` to whoever comes first, whatever it hears, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(replies)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass

        thread = threading.Thread(target=answer)
        thread.start()
        yield Endpoint("127.0.0.1", listening.getsockname()[1], "none")
        thread.join()


@pytest.mark.parametrize(
    ("endpoint", "replies", "said"),
    [
        ("mx", b"554 no\r\n", "answers '554 no'"),
        ("mx", b"220-a\r\n220 b\r\n421 busy\r\n", "answers '421 busy'"),
        ("imap", b"* BYE full\r\n", "answers '* BYE full'"),
        ("imap", b"* OK x\r\n* CAPABILITY IMAP4rev1\r\n", "closed the connection"),
        ("pop3", b"-ERR [SYS/TEMP] later\r\n", "answers '-ERR [SYS/TEMP] later'"),
        ("sieve", b'"IMPLEMENTATION" "x"\r\nBYE "full"\r\n', "answers 'BYE \"full\"'"),
        ("lmtp", b"220 a\r\n" + b"250-x\r\n" * 201, "answers with more than 200 lines"),
        ("http", b"HTTP/1.1 502 Bad Gateway\r\n", "answers 'HTTP/1.1 502 Bad Gateway'"),
        ("metrics", b"HTTP/1.1 503 Service Unavailable\r\n", "answers 'HTTP/1.1 503 Service Unavailable'"),
        ("api", b"", "closed the connection"),
    ],
)
def test_a_wrong_answer_is_told(endpoint: str, replies: bytes, said: str) -> None:
    with answering(replies) as place, pytest.raises(ProbeFailedError) as failed:
        speak(place, PROBES[endpoint].dialogue, 5)
    assert str(failed.value) == said


def test_a_silent_peer_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(TimeoutError):
        speak(Endpoint("127.0.0.1", listening.getsockname()[1], "none"), PROBES["imap"].dialogue, 0.1)
