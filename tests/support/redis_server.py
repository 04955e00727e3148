"""A real Redis server for tests, which can be killed, started again, and stopped in its tracks."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from support.ports import free_port
from support.programs import require_program


class RedisServer:
    """One server on a free port that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self._program = require_program("redis-server")
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and return when it answers."""
        command = [str(self._program), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._folder)]
        command += ["--save", "", "--appendonly", "no"]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        with Redis(port=self.port, retry=Retry(ConstantBackoff(0.05), 200, (RedisError,))) as client:
            client.ping()

    def kill(self) -> None:
        """End it without a word."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def freeze(self) -> None:
        """Let it hang: connections stay, answers do not come."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self.thaw()
            self.kill()


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A server that runs until the end; skips the test where there is no redis-server."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
