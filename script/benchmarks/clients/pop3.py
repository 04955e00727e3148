"""RETR of a whole mailbox."""

import socket
import time

from benchmarks.clients import RefusedError

_RECEIVE = 1 << 18
_WINDOW = 50  # commands sent ahead


def retrieve_all(port: int, user: str, password: str) -> tuple[float, int]:
    """Seconds from connecting to the end of the last message, and how many messages came."""
    started = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        stream = connection.makefile("rb")
        stream.readline()
        answer = b""
        for line in (f"USER {user}", f"PASS {password}", "STAT"):
            connection.sendall(f"{line}\r\n".encode())
            answer = stream.readline()
            if not answer.startswith(b"+OK"):
                raise RefusedError(answer.decode("utf-8", "replace"))
        count = int(answer.split()[1])
        for first in range(1, count + 1, _WINDOW):
            last = min(first + _WINDOW - 1, count)
            connection.sendall(b"".join(b"RETR %d\r\n" % number for number in range(first, last + 1)))
            wanted, tail = last - first + 1, b""
            while wanted:
                data = connection.recv(_RECEIVE)
                if not data:
                    raise RefusedError("the server closed the connection")
                seen = tail + data
                wanted -= seen.count(b"\r\n.\r\n")
                tail = seen[-4:]
        seconds = time.perf_counter() - started
        connection.sendall(b"QUIT\r\n")
        stream.readline()
    return seconds, count
