"""How many messages a second a mail exchanger takes in, checks and stores durably: Mailstead, and Postfix with Dovecot.

    .venv/bin/python script/benchmarks/smtp.py [--messages 3000] [--sessions 20] [--octets 10240] [--rounds 5]

The load is Postfix's smtp-source over kept connections, for both. Rounds alternate; a round ends when the last message
can be read. Medians and their ratio are printed.
"""

import argparse
import poplib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from peers import PASSWORD, dovecot, free_port, install_peers, postfix, program

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support.mailstead_server import mailstead_server  # the tests' own way to run a server


def pop3_count(port: int, user: str, password: str) -> int:
    client = poplib.POP3("127.0.0.1", port)
    client.user(user)
    client.pass_(password)
    count = client.stat()[0]
    client.quit()
    return count


def load(port: int, arguments: argparse.Namespace) -> None:
    subprocess.run(
        [
            program("smtp-source"), "-d", "-s", str(arguments.sessions), "-m", str(arguments.messages),
            "-l", str(arguments.octets), "-f", "sender@client.example", "-t", "alice@example.test",
            f"inet:127.0.0.1:{port}",
        ],
        check=True,
    )  # fmt: skip


def measured(port: int, count: Callable[[], int], arguments: argparse.Namespace) -> float:
    """Messages a second from the first connection to the last message stored."""
    before = count()
    started = time.monotonic()
    load(port, arguments)
    while count() < before + arguments.messages:
        time.sleep(0.1)
    return float(arguments.messages / (time.monotonic() - started))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--octets", type=int, default=10240)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    install_peers()
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        peer_port, pop3_port = free_port(), free_port()
        settings = {"MAILSTEAD_INSECURE_AUTH": "true"}
        with (
            mailstead_server(folder, settings) as server,
            dovecot(folder / "dovecot", pop3_port) as lmtp,
            postfix(folder / "postfix", peer_port, lmtp),
        ):
            own_port, own_pop3 = server.address("mx")[1], server.address("pop3")[1]
            rates: dict[str, list[float]] = {"Mailstead": [], "Postfix + Dovecot LMTP": []}
            for _ in range(arguments.rounds):
                rates["Mailstead"].append(
                    measured(
                        own_port,
                        lambda: pop3_count(own_pop3, "alice@example.test", server.password("alice")),
                        arguments,
                    )
                )
                rates["Postfix + Dovecot LMTP"].append(
                    measured(peer_port, lambda: pop3_count(pop3_port, "alice", PASSWORD), arguments)
                )
    medians = {who: statistics.median(found) for who, found in rates.items()}
    for who, found in rates.items():
        print(f"{who}: {medians[who]:.0f} messages/s ({', '.join(f'{rate:.0f}' for rate in found)})")
    print(f"ratio: {medians['Mailstead'] / medians['Postfix + Dovecot LMTP']:.2f}")


if __name__ == "__main__":
    main()
