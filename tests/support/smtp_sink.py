"""An SMTP server on loopback, in a thread of its own, that keeps what it is sent."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Sink:
    """What arrived: sender, recipients and octets of each message; `answers` override replies by verb."""

    port: int = 0
    messages: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    answers: dict[str, list[str]] = field(default_factory=dict)

    def wait_for(self, count: int, seconds: float = 30) -> None:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.messages) >= count, seconds), self.messages


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _answer(self, verb: str, default: str) -> str:
        scripted = self.server.sink.answers.get(verb)
        return scripted.pop(0) if scripted else default

    def handle(self) -> None:
        with suppress(ConnectionError):  # clients are killed
            self._converse()

    def _converse(self) -> None:
        sender, recipients = "", list[str]()
        self._say(self._answer("CONNECT", "220 sink.test ESMTP"))
        while line := self.rfile.readline():
            verb = line.split()[0].upper().decode("ascii", "replace") if line.split() else ""
            match verb:
                case "EHLO":
                    self._say("250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME")
                case "MAIL":
                    sender, recipients = line.split(b"<")[1].split(b">")[0].decode(), []
                    self._say(self._answer("MAIL", "250 ok"))
                case "RCPT":
                    reply = self._answer("RCPT", "250 ok")
                    if reply.startswith("2"):
                        recipients.append(line.split(b"<")[1].split(b">")[0].decode())
                    self._say(reply)
                case "DATA":
                    self._say("354 go")
                    body = []
                    while (data := self.rfile.readline()) not in (b".\r\n", b""):
                        body.append(data[1:] if data.startswith(b".") else data)
                    if not data:
                        return  # the client went in the middle of the message
                    with self.server.sink.arrived:
                        self.server.sink.messages.append((sender, recipients, b"".join(body)))
                        self.server.sink.arrived.notify_all()
                    self._say(self._answer("DOT", "250 taken"))
                case "QUIT":
                    self._say("221 bye")
                    return
                case _:
                    self._say("250 ok")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    sink: Sink


@contextmanager
def smtp_sink(host: str = "127.0.0.1", port: int = 0) -> Iterator[Sink]:
    with _Server((host, port), _Handler) as server:
        server.sink = Sink(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.sink
        finally:
            server.shutdown()
            thread.join()
