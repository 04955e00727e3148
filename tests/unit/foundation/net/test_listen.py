import asyncio
import errno
import socket
from pathlib import Path
from typing import Any

import pytest

from mailstead.foundation.net.connection import Endpoint
from mailstead.foundation.net.listen import Acceptor, open_sockets


class Exhausted(socket.socket):
    """Has no descriptors left for the first connection."""

    refused = False

    def accept(self) -> tuple[socket.socket, Any]:
        if not self.refused:
            self.refused = True
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


async def test_when_descriptors_run_out_accepting_goes_on_later(caplog: pytest.LogCaptureFixture) -> None:
    (opened,) = await open_sockets("127.0.0.1", 0)
    listening = Exhausted(fileno=opened.detach())
    accepted: asyncio.Queue[tuple[socket.socket, Endpoint]] = asyncio.Queue()
    acceptor = Acceptor(listening, lambda taken, peer: accepted.put_nowait((taken, peer)))
    with socket.create_connection(listening.getsockname()) as client:
        taken, peer = await asyncio.wait_for(accepted.get(), 10)
        assert listening.refused
        assert (peer.address, peer.port) == client.getsockname()
        assert not taken.getblocking()
        taken.close()
    acceptor.close()


async def test_all_addresses_share_the_port_that_the_system_chose() -> None:
    opened = await open_sockets("*", 0)
    assert len({listening.getsockname()[1] for listening in opened}) == 1
    for listening in opened:
        listening.close()


async def test_a_port_in_use_is_an_error_and_leaves_nothing_open() -> None:
    (opened,) = await open_sockets("127.0.0.1", 0)
    with pytest.raises(OSError, match="in use"):
        await open_sockets("127.0.0.1", opened.getsockname()[1])
    opened.close()


async def test_the_socket_of_a_dead_server_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    for _ in range(2):
        (opened,) = await open_sockets(f"unix:{path}", 0)
        opened.close()
    assert path.is_socket()
