"""A real MongoDB server for tests: a replica set of one member on a free port."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from support.ports import free_port
from support.processes import running
from support.programs import require_program

_SHARED_MEMORY = Path("/dev/shm")
_ATTEMPTS = 30


@contextmanager
def mongod(*, initiated: bool = True) -> Iterator[str]:
    """The URL, without a database, of a server that runs until the end; skips the test where there is no mongod.

    Unless `initiated` it waits for the configuration of its replica set.
    """
    program = require_program("mongod")
    memory = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="mailstead-mongod-", dir=memory))
    port = free_port()
    command: list[str | Path] = [program, "--dbpath", folder, "--port", str(port), "--bind_ip", "127.0.0.1"]
    command += ["--replSet", "rs0", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"]
    command += ["--setParameter", "diagnosticDataCollectionEnabled=false"]
    try:
        with running(command, folder / "log"):
            _initiate(port) if initiated else _await_answer(port)
            yield f"mongodb://127.0.0.1:{port}/?replicaSet=rs0"
    finally:
        shutil.rmtree(folder)


def _await_answer(port: int) -> None:
    with MongoClient[dict[str, Any]](
        "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=20000
    ) as client:
        client.admin.command("hello")


def _initiate(port: int) -> None:
    with MongoClient[dict[str, Any]]("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=1000) as client:
        for attempt in range(_ATTEMPTS):
            try:
                client.admin.command(
                    "replSetInitiate", {"_id": "rs0", "members": [{"_id": 0, "host": f"127.0.0.1:{port}"}]}
                )
                break
            except PyMongoError:
                if attempt == _ATTEMPTS - 1:
                    raise
    with MongoClient[dict[str, Any]]("127.0.0.1", port, replicaSet="rs0", serverSelectionTimeoutMS=20000) as client:
        client.admin.command("ping")  # waits for the member to become primary
