"""RETR of every message of a mailbox: Mailstead and Dovecot, the same messages, rounds in turn.

    .venv/bin/python script/benchmarks/pop3.py [--messages 20000] [--octets 4096] [--rounds 5] [--window 50]

The client pipelines `window` commands and only counts what comes back, so that it costs little. TLS is off.
"""

import argparse
import random
import smtplib
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from peers import PASSWORD, dovecot, free_port, install_peers

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support.mailstead_server import mailstead_server  # the tests' own way to run a server


def messages(count: int, octets: int) -> Iterator[bytes]:
    """Text that compresses as mail does."""
    numbers = random.Random(1)
    words = [numbers.randbytes(numbers.randint(1, 6)).hex() for _ in range(2000)]
    for number in range(count):
        lines = [" ".join(numbers.choices(words, k=9)) for _ in range(octets // 70)]
        head = [f"From: sender{number % 50}@client.example", "To: alice@example.test", f"Subject: message {number}"]
        yield "\r\n".join([*head, f"Message-ID: <{number}@client.example>", "", *lines, ""]).encode()


def fill(client: smtplib.SMTP, recipient: str, count: int, octets: int) -> None:
    for message in messages(count, octets):
        client.sendmail("sender@client.example", [recipient], message)
    client.quit()


def retrieve_all(port: int, user: str, password: str, window: int) -> tuple[float, int, int]:
    """Seconds from connecting to the end of the last message, messages, octets."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        stream = connection.makefile("rb")
        stream.readline()
        for line in (f"USER {user}", f"PASS {password}", "STAT"):
            connection.sendall(f"{line}\r\n".encode())
            answer = stream.readline()
        count = int(answer.split()[1])
        octets = 0
        for first in range(1, count + 1, window):
            last = min(first + window - 1, count)
            connection.sendall(b"".join(b"RETR %d\r\n" % number for number in range(first, last + 1)))
            wanted, tail = last - first + 1, b""
            while wanted:
                data = connection.recv(1 << 18)
                octets += len(data)
                seen = tail + data
                wanted -= seen.count(b"\r\n.\r\n")
                tail = seen[-4:]
        seconds = time.monotonic() - started
        connection.sendall(b"QUIT\r\n")
        stream.readline()
    return seconds, count, octets


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--octets", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--window", type=int, default=50)
    arguments = parser.parse_args()
    install_peers()
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        pop3_port = free_port()
        settings = {"MAILSTEAD_INSECURE_AUTH": "true", "MAILSTEAD_SMTP_TRANSACTIONS_LIMIT": "1000000"}
        with (
            mailstead_server(folder, settings) as server,
            dovecot(folder / "dovecot", pop3_port) as lmtp,
        ):
            own = smtplib.LMTP(*server.address("lmtp"))
            fill(own, "bob@example.test", arguments.messages, arguments.octets)
            fill(smtplib.LMTP(str(lmtp)), "bob", arguments.messages, arguments.octets)
            rates: dict[str, list[float]] = {"Mailstead": [], "Dovecot sdbox": []}
            own_port = server.address("pop3")[1]
            for _ in range(arguments.rounds):
                for who, port, user, password in (
                    ("Mailstead", own_port, "bob@example.test", server.password("bob")),
                    ("Dovecot sdbox", pop3_port, "bob", PASSWORD),
                ):
                    seconds, count, octets = retrieve_all(port, user, password, arguments.window)
                    rates[who].append(count / seconds)
                    print(f"{who}: {count} messages, {octets} octets in {seconds:.2f} s", file=sys.stderr)
    medians = {who: statistics.median(found) for who, found in rates.items()}
    for who, found in rates.items():
        print(f"{who}: {medians[who]:.0f} messages/s ({', '.join(f'{rate:.0f}' for rate in found)})")
    print(f"ratio of times: {medians['Dovecot sdbox'] / medians['Mailstead']:.2f}")


if __name__ == "__main__":
    main()
