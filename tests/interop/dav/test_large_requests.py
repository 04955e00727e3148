"""Bodies that are far too large, over real sockets: refused before they are read, and not kept."""

import base64
import http.client
import socket
from pathlib import Path

from support.dav import calendar, event
from support.mailstead_server import MailsteadServer

MEGABYTE = 1024 * 1024


def resident(pid: int) -> int:
    """Octets of memory that a process holds."""
    text = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("VmRSS:"))


def status(server: MailsteadServer, method: str, path: str, authorization: str, body: str = "") -> int:
    """What a request is answered with."""
    client = http.client.HTTPConnection(*server.address("caldav"), timeout=60)
    client.request(method, path, body, {"Authorization": authorization, "Content-Type": "text/calendar"})
    with client.getresponse() as response:
        response.read()
    client.close()
    return response.status


def test_bodies_of_100_megabytes(server: MailsteadServer, login: tuple[str, str]) -> None:
    host, port = server.address("caldav")
    address, password = login
    authorization = "Basic " + base64.b64encode(f"{address}:{password}".encode()).decode()
    path = f"/dav/{address}/calendars/default/x.ics"
    head = f"Host: {host}\r\nAuthorization: {authorization}\r\nContent-Type: text/calendar\r\n"
    assert status(server, "GET", path, authorization) == 404
    assert server.process is not None
    before = resident(server.process.pid)
    for method, length in (
        ("PUT", "Content-Length: 104857600"),
        ("PUT", "Transfer-Encoding: chunked"),
        ("REPORT", "Transfer-Encoding: chunked"),
    ):
        with socket.create_connection((host, port), 60) as connection:
            connection.sendall(f"{method} {path} HTTP/1.1\r\n{head}{length}\r\n\r\n".encode())
            chunk = b"x" * MEGABYTE
            if "chunked" in length:
                chunk = b"%x\r\n%s\r\n" % (len(chunk), chunk)
            answer = b""
            try:
                for _ in range(100):
                    connection.sendall(chunk)
                answer = connection.recv(64)
            except (ConnectionResetError, BrokenPipeError):
                pass  # the server had answered, and closed
            assert answer[:12] in (b"", b"HTTP/1.1 403" if method == "PUT" else b"HTTP/1.1 413")
    assert resident(server.process.pid) - before < 60 * MEGABYTE
    assert status(server, "GET", path, authorization) == 404
    assert status(server, "PUT", path, authorization, calendar(event("x"))) == 201


def test_who_waits_to_be_asked_is_refused_beforehand(server: MailsteadServer, login: tuple[str, str]) -> None:
    host, port = server.address("caldav")
    address, password = login
    authorization = "Basic " + base64.b64encode(f"{address}:{password}".encode()).decode()
    request = (
        f"PUT /dav/{address}/contacts/default/x.vcf HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\n"
        "Content-Type: text/vcard\r\nContent-Length: 104857600\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection((host, port), 60) as connection, connection.makefile("rb") as answer:
        connection.sendall(request.encode())
        text = answer.read().decode()
    assert text.startswith("HTTP/1.1 403 ")
    assert "max-resource-size" in text
