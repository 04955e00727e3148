"""deploy/router.conf in a real nginx: by name to the service, with the client's address before it."""

import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.network import NetworkSettings
from mailstead.foundation.net.client import connect
from mailstead.foundation.net.connection import Connection
from support.eventually import eventually_sync
from support.line_server import serving
from support.mailstead_server import mailstead_server
from support.ports import free_port
from support.processes import running
from support.programs import require_program

CONFIGURATION = Path(__file__).parents[2] / "deploy/router.conf"
ROUTER = "127.0.0.2"  # where it comes from, so that it can be told from those who come by themselves


@contextmanager
def router(folder: Path, **services: int) -> Iterator[tuple[int, int]]:
    """Its ports for TLS and for plain HTTP; `services` are ports on loopback by name and port in the configuration."""
    nginx = require_program("nginx")
    text = CONFIGURATION.read_text("utf-8").replace("/tmp/router.pid", str(folder / "router.pid"))
    secure, plain = free_port(), free_port()
    for port, given in ((443, secure), (80, plain)):
        text = text.replace(f"listen {port};", f"listen 127.0.0.1:{given};\n        listen [::1]:{given};")
    text = text.replace("proxy_protocol on;", f"proxy_protocol on;\n    proxy_bind {ROUTER};")
    for service, port in services.items():
        name, _, number = service.rpartition("_")
        text = re.sub(rf"\b{name}:{number};", f"127.0.0.1:{port};", text)
    (folder / "router.conf").write_text(text)
    command: list[str | Path] = [nginx, "-c", folder / "router.conf", "-e", "stderr", "-g", "daemon off;"]
    log = folder / "router.log"
    with running(command, log) as process:
        eventually_sync(lambda: process.poll() is not None or _listens(secure))
        assert process.poll() is None, log.read_text("utf-8", "replace")
        yield secure, plain


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
async def test_the_service_sees_the_client(tmp_path: Path, family: socket.AddressFamily) -> None:
    async def tell(connection: Connection) -> None:
        data = await connection.read(5)
        connection.write(f"{connection.peer.address} {connection.peer.port} {connection.local.port} ".encode() + data)
        await connection.flush(5)

    limits = NetworkSettings(proxy_trusted=(f"{ROUTER}/32",))
    async with serving(tmp_path, tell, limits=limits) as serving_on:
        with router(tmp_path, web_3000=serving_on.port) as (_, plain):
            address = "127.0.0.1" if family == socket.AF_INET else "::1"
            client = await connect(address, plain, timeout=5)
            client.write(b"GET /")
            said = b""
            while piece := await client.read(5):
                said += piece
            assert said == f"{address} {client.local.port} {plain} GET /".encode()
            await client.close()


def test_names_lead_to_services(tmp_path: Path) -> None:
    settings = {"MAILSTEAD_NETWORK_PROXY_TRUSTED": f"{ROUTER}/32"}
    with mailstead_server(tmp_path, settings) as server:
        ports = {
            name: server.ready["services"][endpoint]["port"]
            for name, endpoint in (("web_3443", "https"), ("web_3000", "http"), ("api_4000", "api"))
        }
        with router(tmp_path, **ports) as (secure, plain):

            def status(name: str, path: str) -> str:
                url = f"https://{name}:{secure}{path}"
                command: list[str | Path] = [require_program("curl"), "-sSk", "--connect-to", f"::127.0.0.1:{secure}"]
                command += ["-o", "/dev/null", "-w", "%{http_code}", url]
                return subprocess.run(command, check=True, capture_output=True, text=True).stdout

            assert status("mail.example.test", "/login") == "200"
            assert status("autoconfig.example.test", "/login") == "200"
            assert status("api.example.test", "/login") == "404"  # the API has no pages
            assert status("api.example.test", "/v1/openapi.json") == "200"
            assert status("mail.example.test", "/v1/openapi.json") == "200"
            with socket.create_connection(("127.0.0.1", plain), 5) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: mail.example.test\r\nConnection: close\r\n\r\n")
                assert client.makefile("rb").readline().startswith(b"HTTP/1.1 ")
