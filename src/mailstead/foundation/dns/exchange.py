"""One query to one server: UDP with a random port and id, TCP when the answer was cut (RFC 7766 §5)."""

import asyncio
import struct

import dns.exception
import dns.flags
import dns.message
import dns.rcode

_LENGTH = struct.Struct("!H")
EDNS_PAYLOAD = 1232


class ExchangeError(Exception):
    """This server gave no usable answer."""


class _Datagram(asyncio.DatagramProtocol):
    def __init__(self, query: dns.message.Message, answered: "asyncio.Future[dns.message.Message]") -> None:
        self._query = query
        self._answered = answered

    def datagram_received(self, data: bytes, _: object) -> None:
        if self._answered.done():
            return
        try:
            answer = dns.message.from_wire(data, ignore_trailing=True)
        except dns.exception.DNSException:
            return  # forged or damaged: the true answer may still come
        if self._query.is_response(answer):
            self._answered.set_result(answer)

    def error_received(self, error: Exception) -> None:
        if not self._answered.done():
            self._answered.set_exception(ExchangeError(str(error)))


async def exchange(query: dns.message.Message, server: str, port: int, timeout: float) -> dns.message.Message:
    """Ask `server` within `timeout` seconds. Raises ExchangeError."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[dns.message.Message] = loop.create_future()
    try:
        async with asyncio.timeout(timeout):
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Datagram(query, answered), remote_addr=(server, port)
            )
            try:
                transport.sendto(query.to_wire())
                answer = await answered
            finally:
                transport.close()
            if answer.flags & dns.flags.TC:
                answer = await _over_tcp(query, server, port)
    except (OSError, TimeoutError, EOFError, dns.exception.DNSException) as error:
        raise ExchangeError(f"{server}: {error or 'timeout'}") from error
    if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise ExchangeError(f"{server}: {dns.rcode.to_text(answer.rcode())}")
    return answer


async def _over_tcp(query: dns.message.Message, server: str, port: int) -> dns.message.Message:
    reader, writer = await asyncio.open_connection(server, port)
    try:
        wire = query.to_wire()
        writer.write(_LENGTH.pack(len(wire)) + wire)
        (length,) = _LENGTH.unpack(await reader.readexactly(2))
        answer = dns.message.from_wire(await reader.readexactly(length))
    finally:
        writer.close()
    if not query.is_response(answer):
        raise ExchangeError(f"{server}: answered another question")
    return answer
