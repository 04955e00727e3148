"""A MongoDB replica set of three servers, with a password and TLS, whose primary can be killed."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from support.certificates import make_certificates
from support.eventually import eventually_sync
from support.ports import free_port
from support.programs import require_program

USER, PASSWORD = "mailstead", "p@ss/word"
_PATIENCE = 20_000


class MongodbSet:
    """The servers by port."""

    def __init__(self, folder: Path) -> None:
        self._program = require_program("mongod")
        self.folder = folder
        make_certificates(folder)
        (folder / "keyfile").write_text("k" * 64)
        (folder / "keyfile").chmod(0o600)
        self.ports = [free_port() for _ in range(3)]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """As MAILSTEAD_DOCUMENTS_URL has it."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.ports)
        options = f"replicaSet=rs0&authSource=admin&tls=true&tlsCAFile={self.folder}/ca.pem"
        return f"mongodb://{USER}:p%40ss%2Fword@{hosts}/mail?{options}"

    def start(self, port: int) -> None:
        """Start a server, or start it again."""
        data = self.folder / str(port)
        data.mkdir(exist_ok=True)
        command = [str(self._program), "--port", str(port), "--bind_ip", "127.0.0.1", "--dbpath", str(data)]
        command += ["--replSet", "rs0", "--keyFile", str(self.folder / "keyfile"), "--nounixsocket"]
        command += ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(self.folder / "both.pem")]
        command += ["--tlsCAFile", str(self.folder / "ca.pem"), "--tlsAllowConnectionsWithoutCertificates"]
        command += ["--wiredTigerCacheSizeGB", "0.25", "--setParameter", "diagnosticDataCollectionEnabled=false"]
        with (self.folder / f"{port}.log").open("ab") as log:
            self._processes[port] = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def initiate(self) -> None:
        """Make them a set, and its user."""
        members = [{"_id": number, "host": f"127.0.0.1:{port}"} for number, port in enumerate(self.ports)]
        settings = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 300}
        for port in self.ports:
            with self._direct(port) as client:
                client.admin.command("ping")  # it listens
        with self._direct(self.ports[0]) as client:
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members, "settings": settings})
        eventually_sync(lambda: self.primary() is not None, longest=60)
        found = self.primary()
        assert found is not None
        with self._direct(found) as client:
            client.admin.command("createUser", USER, pwd=PASSWORD, roles=["root"], writeConcern={"w": 3})

    def _direct(self, port: int, patience: int = _PATIENCE) -> MongoClient[dict[str, Any]]:
        return MongoClient(
            "127.0.0.1",
            port,
            directConnection=True,
            tls=True,
            tlsCAFile=str(self.folder / "ca.pem"),
            serverSelectionTimeoutMS=patience,
        )

    def primary(self) -> int | None:
        """The port of the server that is the primary now."""
        for port, process in self._processes.items():
            if process.poll() is not None:
                continue
            with suppress(PyMongoError), self._direct(port, 1000) as client:
                if client.admin.command("hello")["isWritablePrimary"]:
                    return port
        return None

    def kill_primary(self) -> int:
        """End the primary without a word, and return its port when another one is elected."""
        eventually_sync(lambda: self.primary() is not None, longest=60)
        port = self.primary()
        assert port is not None
        self._processes[port].kill()
        self._processes[port].wait()
        eventually_sync(lambda: self.primary() not in (None, port), longest=60)
        return port

    def stop(self) -> None:
        """End them all."""
        for process in self._processes.values():
            process.kill()
            process.wait()


@contextmanager
def mongodb_set() -> Iterator[MongodbSet]:
    """A set that runs until the end; skips the test where there is no mongod."""
    folder = Path(tempfile.mkdtemp(prefix="mailstead-set-", dir="/dev/shm"))
    try:
        made = MongodbSet(folder)
        try:
            for port in made.ports:
                made.start(port)
            made.initiate()
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder)
