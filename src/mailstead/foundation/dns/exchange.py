"""One query to one server: UDP, then TCP when the answer was cut or somebody forges answers (RFC 7766 §5).

Every query has a random id and a socket of its own, connected to the server, so that its source port is the system's
random choice and only packets from that address and port are seen. An answer counts when id and question match
(RFC 5452 §9.1); anything else is passed over while the true answer may still come.
"""

import asyncio
import secrets
import socket
import struct

import structlog

from mailstead.foundation.dns.servers import Server
from mailstead.foundation.dns.wire import (
    BADVERS,
    FORMERR,
    NOERROR,
    NOTIMP,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    MalformedError,
    Question,
    Reply,
    encode_query,
    read_reply,
)

_LENGTH = struct.Struct("!H")
_DATAGRAM = 65535
_FORGERIES = 16  # then UDP is not trusted for this query (RFC 5452 §9.3)
_USABLE = frozenset({NOERROR, NXDOMAIN})
_WITHOUT_EDNS = frozenset({FORMERR, NOTIMP, BADVERS})

_FAILURES = {FORMERR: "FORMERR", SERVFAIL: "SERVFAIL", NOTIMP: "NOTIMP", REFUSED: "REFUSED"}

log = structlog.get_logger("mailstead.dns")


class ExchangeError(Exception):
    """This server gave no usable answer."""


class _Datagrams:
    """What comes back to one query; `answered` gets the answer, or None when it has to be asked for over TCP."""

    def __init__(self, sock: socket.socket, identifier: int, question: Question) -> None:
        self._socket = sock
        self._identifier = identifier
        self._question = question
        self._forgeries = 0
        self.answered: asyncio.Future[Reply | None] = asyncio.get_running_loop().create_future()

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
        try:
            reply = read_reply(wire, self._identifier, self._question)
        except MalformedError:
            reply = None
        if reply is not None:
            self.answered.set_result(None if reply.truncated else reply)
            return
        self._forgeries += 1
        if self._forgeries >= _FORGERIES:
            log.warning("forged DNS answers, asking over TCP", question=repr(self._question.name))
            self.answered.set_result(None)


async def exchange(question: Question, server: Server, timeout: float) -> Reply:
    """Ask `server` within `timeout` seconds.

    A server that knows no EDNS is asked without it (RFC 6891 §6.2.2). Raises ExchangeError.
    """
    try:
        async with asyncio.timeout(timeout):
            reply = await _ask(question, server, edns=True)
            if reply.rcode in _WITHOUT_EDNS:
                reply = await _ask(question, server, edns=False)
    except TimeoutError as error:
        raise ExchangeError(f"{server[0]}: no answer in {timeout:g} s") from error
    except (OSError, EOFError, MalformedError) as error:
        raise ExchangeError(f"{server[0]}: {error}") from error
    if reply.rcode not in _USABLE:
        raise ExchangeError(f"{server[0]}: {_FAILURES.get(reply.rcode, f'RCODE {reply.rcode}')}")
    return reply


async def _ask(question: Question, server: Server, *, edns: bool) -> Reply:
    identifier = secrets.randbits(16)
    query = encode_query(identifier, question, edns=edns)
    reply = await _over_udp(query, server, identifier, question)
    if reply is None:
        reply = await _over_tcp(query, server, identifier, question)
    return reply


async def _over_udp(query: bytes, server: Server, identifier: int, question: Question) -> Reply | None:
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.connect(server)
        sock.send(query)
        datagrams = _Datagrams(sock, identifier, question)
        loop.add_reader(sock.fileno(), datagrams.readable)
        try:
            return await datagrams.answered
        finally:
            loop.remove_reader(sock.fileno())


async def _over_tcp(query: bytes, server: Server, identifier: int, question: Question) -> Reply:
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(_LENGTH.pack(len(query)) + query)
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        reply = read_reply(await reader.readexactly(length), identifier, question)
    finally:
        writer.close()
    if reply is None or reply.truncated:
        raise ExchangeError(f"{server[0]}: answered another question")
    return reply
