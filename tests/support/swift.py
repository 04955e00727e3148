"""A real object store with the S3 protocol on loopback (OpenStack Swift with s3api): it checks every signature."""

import getpass
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.ports import free_port

ACCESS_KEY, SECRET_KEY = "test:tester", "testing-secret"
_START_SECONDS = 30
_SERVERS = ("account", "container", "object")
_PROXY = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
log_name = proxy

[pipeline:main]
pipeline = catch_errors cache listing_formats s3api tempauth slo proxy-server

[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true

[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:1
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing-secret .admin
[filter:slo]
use = egg:swift#slo
"""
_SERVER = """
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
workers = 0
user = {user}
swift_dir = {folder}
devices = {folder}/devices
mount_check = false
log_name = {name}
recon_cache_path = {folder}/recon

[pipeline:main]
pipeline = {name}-server

[app:{name}-server]
use = egg:swift#{name}
"""


class Swift:
    """The store; `url` is its S3 endpoint."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """Credentials for S3 clients."""
        return {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY, "AWS_DEFAULT_REGION": "us-east-1"}

    def start(self) -> None:
        """Make the rings and start the four servers; returns when it answers."""
        folder, user = self._folder, getpass.getuser()
        for name in ("devices/d1", "recon"):
            (folder / name).mkdir(parents=True)
        (folder / "swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = a\nswift_hash_path_prefix = b\n")
        (folder / "proxy-server.conf").write_text(_PROXY.format(port=self._port, user=user, folder=folder))
        ports = {name: free_port() for name in _SERVERS}
        for name, port in ports.items():
            self._ring(name, port)
            (folder / f"{name}-server.conf").write_text(_SERVER.format(port=port, user=user, folder=folder, name=name))
        for name in (*_SERVERS, "proxy"):
            with (folder / f"{name}.log").open("ab") as log:
                self._processes.append(
                    subprocess.Popen(
                        [_program(f"swift-{name}-server"), str(folder / f"{name}-server.conf"), "-v"],
                        env=os.environ | {"PYTHONWARNINGS": "ignore"},
                        stdout=log,
                        stderr=subprocess.STDOUT,
                    )
                )
        for port in (*ports.values(), self._port):
            self._await(port)

    def _ring(self, name: str, port: int) -> None:
        builder = str(self._folder / f"{name}.builder")
        for arguments in (["create", "4", "1", "1"], ["add", f"r1z1-127.0.0.1:{port}/d1", "1"], ["rebalance"]):
            done = subprocess.run(
                [_program("swift-ring-builder"), builder, *arguments], capture_output=True, check=False
            )
            assert done.returncode in {0, 1}, done.stdout + done.stderr

    def _await(self, port: int) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except ConnectionRefusedError:
                logs = "\n".join(path.read_text() for path in self._folder.glob("*.log"))
                assert time.monotonic() < deadline, logs[-4000:]
                time.sleep(0.05)  # the condition is that it listens; nothing tells of that
            else:
                return

    def stop(self) -> None:
        """End all four."""
        for process in self._processes:
            process.kill()
            process.wait()


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


@contextmanager
def swift(folder: Path) -> Iterator[Swift]:
    """A running store under `folder`, without buckets."""
    store = Swift(folder)
    try:
        store.start()
        yield store
    finally:
        store.stop()
