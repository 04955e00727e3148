"""The data of records, in presentation form."""

import socket

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from mailstead.foundation.dns.wire import AAAA, CNAME, SOA, TXT, A, MalformedError, Record, read_name

_FIXED = {A: (socket.AF_INET, 4), AAAA: (socket.AF_INET6, 16)}
_SOA_TAIL = 20


def record_text(wire: bytes, record: Record) -> str:
    """Addresses in their usual form, TXT with its strings joined, others as a master file has them.

    Raises MalformedError.
    """
    if record.kind in _FIXED:
        family, size = _FIXED[record.kind]
        if record.size != size:
            raise MalformedError("address of the wrong size")
        return socket.inet_ntop(family, wire[record.start : record.start + size])
    if record.kind == TXT:
        return _joined(wire[record.start : record.start + record.size]).decode("utf-8", "replace")
    try:
        data = dns.rdata.from_wire(
            dns.rdataclass.IN, dns.rdatatype.RdataType.make(record.kind), wire, record.start, record.size
        )
        return data.to_text()
    except (dns.exception.DNSException, ValueError) as error:
        raise MalformedError(str(error)) from error


def _joined(data: bytes) -> bytes:
    strings = []
    position = 0
    while position < len(data):
        end = position + 1 + data[position]
        if end > len(data):
            raise MalformedError("string cut short")
        strings.append(data[position + 1 : end])
        position = end
    return b"".join(strings)


def alias_target(wire: bytes, record: Record) -> bytes:
    """Where a CNAME points, as it travels. Raises MalformedError."""
    assert record.kind == CNAME
    try:
        return read_name(wire, record.start)[0]
    except IndexError as error:
        raise MalformedError("name cut short") from error


def negative_ttl(wire: bytes, record: Record) -> int:
    """How long an absence may be remembered by a SOA record (RFC 2308 §5). Raises MalformedError."""
    assert record.kind == SOA
    if record.size < _SOA_TAIL:
        raise MalformedError("SOA cut short")
    end = record.start + record.size
    return min(record.ttl, int.from_bytes(wire[end - 4 : end], "big"))


def name_text(name: bytes) -> str:
    """A name for people, without the final dot; odd octets escaped."""
    return dns.name.from_wire(name, 0)[0].to_text(omit_final_dot=True)
