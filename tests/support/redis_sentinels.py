"""Two Redis servers, a master and its replica, and three sentinels that watch them; with passwords and TLS."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from support.certificates import make_certificates
from support.eventually import eventually_sync
from support.ports import free_port
from support.programs import require_program

PASSWORD, SENTINEL_PASSWORD, NAME = "s3cret/word", "watch@men", "mail"


class RedisSentinels:
    """Servers and sentinels by port."""

    def __init__(self, folder: Path) -> None:
        self._server = require_program("redis-server")
        self._sentinel = require_program("redis-sentinel")
        self.folder = folder
        make_certificates(folder)
        self.servers = [free_port(), free_port()]
        self.sentinels = [free_port() for _ in range(3)]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """As MAILSTEAD_BUS_URL has it."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        options = f"sentinel_password=watch%40men&ssl_ca_certs={self.folder}/ca.pem"
        return f"rediss+sentinel://:s3cret%2Fword@{hosts}/{NAME}/0?{options}"

    def _common(self, port: int) -> str:
        return (
            f"port 0\ntls-port {port}\nbind 127.0.0.1\ntls-cert-file {self.folder}/certificate.pem\n"
            f"tls-key-file {self.folder}/key.pem\ntls-ca-cert-file {self.folder}/ca.pem\ntls-auth-clients no\n"
            f"tls-replication yes\ndir {self.folder}\n"
        )

    def start(self) -> None:
        """Start all, and return when the sentinels know of each other and of the replica."""
        for port in self.servers:
            text = self._common(port) + f'requirepass {PASSWORD}\nmasterauth {PASSWORD}\nsave ""\nappendonly no\n'
            text += f"dbfilename {port}.rdb\n"
            if port != self.servers[0]:
                text += f"replicaof 127.0.0.1 {self.servers[0]}\n"
            (self.folder / f"{port}.conf").write_text(text)
            self.start_server(port)
        for port in self.sentinels:
            (self.folder / f"{port}.conf").write_text(
                self._common(port) + f"requirepass {SENTINEL_PASSWORD}\nsentinel sentinel-pass {SENTINEL_PASSWORD}\n"
                f"sentinel monitor {NAME} 127.0.0.1 {self.servers[0]} 2\nsentinel auth-pass {NAME} {PASSWORD}\n"
                f"sentinel down-after-milliseconds {NAME} 1000\nsentinel failover-timeout {NAME} 5000\n"
            )
            self._run([self._sentinel, self.folder / f"{port}.conf"], port)
        eventually_sync(lambda: all(self._is_settled(port) for port in self.sentinels), longest=60, pause=0.1)

    def start_server(self, port: int) -> None:
        """Start a server, or start it again."""
        self._run([self._server, self.folder / f"{port}.conf"], port)

    def _run(self, command: list[Path], port: int) -> None:
        with (self.folder / f"{port}.log").open("ab") as log:
            self._processes[port] = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def _client(self, port: int, password: str) -> "Redis":
        ca = str(self.folder / "ca.pem")
        return Redis(
            "127.0.0.1", port, password=password, ssl=True, ssl_ca_certs=ca, decode_responses=True, socket_timeout=2
        )

    def _is_settled(self, port: int) -> bool:
        with suppress(RedisError, OSError), self._client(port, SENTINEL_PASSWORD) as client:
            state = client.sentinel_master(NAME)
            return bool(state["num-slaves"] == 1 and state["num-other-sentinels"] == 2)
        return False

    def master(self) -> int | None:
        """The port that most sentinels name, once the server there says so itself."""
        for port in self.sentinels:
            with suppress(RedisError, OSError), self._client(port, SENTINEL_PASSWORD) as client:
                named = int(client.sentinel_get_master_addr_by_name(NAME)[1])
                with self._client(named, PASSWORD) as server:
                    return named if server.role()[0] == "master" else None
        return None

    def kill_master(self) -> int:
        """End the master without a word, and return its port when the other one is the master."""
        port = self.master()
        assert port is not None
        self._processes[port].kill()
        self._processes[port].wait()
        eventually_sync(lambda: self.master() not in (None, port), longest=60, pause=0.1)
        return port

    def stop(self) -> None:
        """End them all."""
        for process in self._processes.values():
            process.kill()
            process.wait()


@contextmanager
def redis_sentinels(folder: Path) -> Iterator[RedisSentinels]:
    """All of them until the end; skips the test where there is no redis-sentinel."""
    made = RedisSentinels(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
