"""When a server that says nothing is ready."""

import socket
import time

_LONGEST = 20.0


def wait_for_port(port: int) -> None:
    """Return when 127.0.0.1 takes connections on `port`. Raises ConnectionRefusedError after 20 seconds."""
    deadline = time.monotonic() + _LONGEST
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
