"""One query to one server: UDP, then TCP when the answer was cut or somebody forges answers (RFC 7766 §5).

Every query has a random id and a socket of its own, connected to the server, so that its source port is the system's
random choice and only packets from that address and port are seen. An answer counts when id and question match
(RFC 5452 §9.1); anything else is passed over while the true answer may still come.
"""

import asyncio
import ipaddress
import socket
import struct

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import structlog

from mailstead.foundation.dns.servers import Server

EDNS_PAYLOAD = 1232
_LENGTH = struct.Struct("!H")
_HEADER = struct.Struct("!HH")
_HEADER_SIZE = 12
_DATAGRAM = 65535
_FORGERIES = 16  # then UDP is not trusted for this query (RFC 5452 §9.3)
_USABLE = frozenset({dns.rcode.NOERROR, dns.rcode.NXDOMAIN})
_WITHOUT_EDNS = frozenset({dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS})

log = structlog.get_logger("mailstead.dns")


class ExchangeError(Exception):
    """This server gave no usable answer."""


class _Datagrams:
    """What comes back to one query; `answered` gets the answer, or None when it has to be asked for over TCP."""

    def __init__(self, query: dns.message.Message, sock: socket.socket) -> None:
        self._query = query
        self._socket = sock
        self._forgeries = 0
        self.answered: asyncio.Future[dns.message.Message | None] = asyncio.get_running_loop().create_future()

    def readable(self) -> None:
        while not self.answered.done():
            try:
                wire = self._socket.recv(_DATAGRAM)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # the host says that nobody listens there
                self.answered.set_exception(error)
                return
            self._read(wire)

    def _read(self, wire: bytes) -> None:
        answer = self._matching(wire)
        if answer is not None:
            self.answered.set_result(answer if not answer.flags & dns.flags.TC else None)
            return
        self._forgeries += 1
        if self._forgeries >= _FORGERIES:
            log.warning("forged DNS answers, asking over TCP", question=str(self._query.question[0].name))
            self.answered.set_result(None)

    def _matching(self, wire: bytes) -> dns.message.Message | None:
        if len(wire) < _HEADER_SIZE or _HEADER.unpack_from(wire)[0] != self._query.id:
            return None
        try:
            answer = dns.message.from_wire(wire, ignore_trailing=True)
        except (dns.exception.DNSException, ValueError):
            return None
        return answer if self._query.is_response(answer) else None


async def exchange(query: dns.message.Message, server: Server, timeout: float) -> dns.message.Message:
    """Ask `server` within `timeout` seconds.

    A server that knows no EDNS is asked without it (RFC 6891 §7). Raises ExchangeError.
    """
    try:
        async with asyncio.timeout(timeout):
            answer = await _ask(query, server)
            if answer.rcode() in _WITHOUT_EDNS and query.edns >= 0:
                query.use_edns(False)
                answer = await _ask(query, server)
    except TimeoutError as error:
        raise ExchangeError(f"{server[0]}: no answer in {timeout:g} s") from error
    except (OSError, EOFError, ValueError, dns.exception.DNSException) as error:
        raise ExchangeError(f"{server[0]}: {error}") from error
    if answer.rcode() not in _USABLE:
        raise ExchangeError(f"{server[0]}: {dns.rcode.to_text(answer.rcode())}")
    return answer


async def _ask(query: dns.message.Message, server: Server) -> dns.message.Message:
    return await _over_udp(query, server) or await _over_tcp(query, server)


async def _over_udp(query: dns.message.Message, server: Server) -> dns.message.Message | None:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ipaddress.ip_address(server[0]).version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.connect(server)
        sock.send(query.to_wire())
        datagrams = _Datagrams(query, sock)
        loop.add_reader(sock.fileno(), datagrams.readable)
        try:
            return await datagrams.answered
        finally:
            loop.remove_reader(sock.fileno())


async def _over_tcp(query: dns.message.Message, server: Server) -> dns.message.Message:
    reader, writer = await asyncio.open_connection(*server)
    try:
        wire = query.to_wire()
        writer.write(_LENGTH.pack(len(wire)) + wire)
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        answer = dns.message.from_wire(await reader.readexactly(length))
    finally:
        writer.close()
    if not query.is_response(answer):
        raise ExchangeError(f"{server[0]}: answered another question")
    return answer
