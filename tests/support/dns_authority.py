"""An authoritative DNS server on loopback, over UDP and TCP, in threads of its own.

Threads, so that it answers while a test waits for a program, and while no event loop runs. Use:

    with dns_authority({"example.test": {"MX": "10 mail.example.test.", "TXT": "v=spf1 -all"}}) as authority:
        settings(dns_servers=(authority.address,))
        authority.fail("slow.example.test", Failure.SILENCE)
        assert authority.count("example.test", "MX") == 1
"""

import enum
import socket
import socketserver
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.node
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.zone

Records = Mapping[str, Mapping[str, str | Sequence[str]]]
_TTL = 300
_CHAIN = 16
_STRING = 255
_IDLE = 10.0


class Failure(enum.Enum):
    """How the server fails for a name."""

    SILENCE = "no answer at all"
    SERVFAIL = "SERVFAIL"
    REFUSED = "REFUSED"
    TRUNCATION = "UDP answers are cut"
    NO_EDNS = "FORMERR where the query has EDNS"
    OTHER_QUESTION = "answers another question"
    OTHER_ID = "answers with another id"
    GARBAGE = "octets that are no message"
    SERVFAIL_ONCE = "SERVFAIL to the first query"


class Authority:
    """What the server knows and what it was asked."""

    def __init__(self, zone: str | Records, *, negative_ttl: int = 60) -> None:
        self._lock = threading.Lock()
        text = zone if isinstance(zone, str) else ""
        self._zone = dns.zone.from_text(
            f"$TTL {_TTL}\n{text}\n", origin=dns.name.root, relativize=False, check_origin=False
        )
        self._failures: dict[dns.name.Name, Failure] = {}
        self._authenticated: set[dns.name.Name] = set()
        self._negative_ttl = negative_ttl
        self._held: list[Callable[[], None]] | None = None
        self.repetitions = 1
        self._chase = True
        self._tcp_fails = True
        self.queries: Counter[tuple[str, str]] = Counter()
        self.transports: Counter[str] = Counter()
        self.source_ports: set[int] = set()
        self.last_query: dns.message.Message | None = None
        self.address = ""
        self.port = 0
        if not isinstance(zone, str):
            for name, types in zone.items():
                for kind, values in types.items():
                    self.put(name, kind, *((values,) if isinstance(values, str) else values))

    def put(self, name: str, kind: str, *values: str, ttl: int = _TTL) -> None:
        """Set the records of one name and type; a TXT value without quotes is cut into strings as needed."""
        rdtype = dns.rdatatype.from_text(kind)
        rdataset = dns.rdataset.Rdataset(dns.rdataclass.IN, rdtype)
        rdataset.update_ttl(ttl)
        for value in values:
            written = _txt(value) if kind in ("TXT", "SPF") and not value.startswith('"') else value
            rdataset.add(dns.rdata.from_text(dns.rdataclass.IN, rdtype, written), ttl)
        with self._lock:
            self._zone.find_node(_name(name), create=True).replace_rdataset(rdataset)

    def remove(self, name: str) -> None:
        """Forget a name."""
        with self._lock:
            self._zone.delete_node(_name(name))

    def fail(self, name: str, failure: Failure | None) -> None:
        """Fail for `name` from now on; None: answer again."""
        with self._lock:
            if failure is None:
                self._failures.pop(_name(name), None)
            else:
                self._failures[_name(name)] = failure

    def authenticate(self, *names: str) -> None:
        """Set AD in answers about `names`."""
        with self._lock:
            self._authenticated |= {_name(name) for name in names}

    def count(self, name: str, kind: str) -> int:
        """How often this was asked."""
        return self.queries[(_name(name).to_text(), kind)]

    def repeat(self, times: int) -> None:
        """Send every UDP answer so often."""
        self.repetitions = times

    def chase(self, *, on: bool) -> None:
        """Whether the records of a CNAME's target are added to the answer."""
        self._chase = on

    def only_udp_fails(self) -> None:
        """Answer over TCP whatever fails."""
        self._tcp_fails = False

    def hold(self) -> None:
        """Keep answers back until `release`."""
        with self._lock:
            self._held = []

    def release(self) -> None:
        """Send the answers that were kept back."""
        with self._lock:
            held, self._held = self._held or [], None
        for send in held:
            send()

    def serve(self, wire: bytes, transport: str, send: Callable[[bytes], None]) -> None:
        """Answer one query through `send`."""
        query = dns.message.from_wire(wire)
        question = query.question[0]
        with self._lock:
            self.last_query = query
            self.transports[transport] += 1
            self.queries[(question.name.canonicalize().to_text(), dns.rdatatype.to_text(question.rdtype))] += 1
            answer = self._answer(query, transport)
            if answer is None:
                return
            if self._held is not None:
                self._held.append(lambda: send(answer))
                return
        send(answer)

    def _answer(self, query: dns.message.Message, transport: str) -> bytes | None:
        name, kind = query.question[0].name.canonicalize(), query.question[0].rdtype
        reply = dns.message.make_response(query, recursion_available=True)
        failure = self._failures.get(name) if transport == "udp" or self._tcp_fails else None
        if failure is Failure.SERVFAIL_ONCE:
            del self._failures[name]
            failure = Failure.SERVFAIL
        if failure is Failure.SILENCE:
            return None
        if failure is Failure.GARBAGE:
            return reply.to_wire()[:2] + b"\x81\x80\xff\xff\xff\xff no message"
        if failure in (Failure.SERVFAIL, Failure.REFUSED):
            reply.set_rcode(dns.rcode.from_text(failure.value))
            return reply.to_wire()
        if failure is Failure.NO_EDNS and query.edns >= 0:
            reply = dns.message.make_response(query)
            reply.use_edns(False)
            reply.set_rcode(dns.rcode.FORMERR)
            return reply.to_wire()
        if failure is Failure.TRUNCATION and transport == "udp":
            reply.flags |= dns.flags.TC
            return reply.to_wire()
        self._fill(reply, name, kind)
        if failure is Failure.OTHER_QUESTION:
            reply.question[0] = dns.rrset.RRset(_name("other.test"), dns.rdataclass.IN, kind)
        wire = (
            reply.to_wire(max_size=65535)
            if transport == "tcp"
            else reply.to_wire(max_size=max(512, query.payload), prefer_truncation=True)
        )
        return struct.pack("!H", reply.id ^ 1) + wire[2:] if failure is Failure.OTHER_ID else wire

    def _fill(self, reply: dns.message.Message, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> None:
        if name in self._authenticated:
            reply.flags |= dns.flags.AD
        for _ in range(_CHAIN):
            node = self._node(name)
            found = node.get_rdataset(dns.rdataclass.IN, kind) if node is not None else None
            if found is not None:
                reply.answer.append(dns.rrset.from_rdata_list(name, found.ttl, list(found)))
                return
            alias = node.get_rdataset(dns.rdataclass.IN, dns.rdatatype.CNAME) if node is not None else None
            if alias is None:
                break
            reply.answer.append(dns.rrset.from_rdata_list(name, alias.ttl, list(alias)))
            if not self._chase:
                return
            name = alias[0].target.canonicalize()
        exists = self._node(name) is not None or any(known.is_subdomain(name) for known in self._zone.nodes)
        reply.set_rcode(dns.rcode.NOERROR if exists else dns.rcode.NXDOMAIN)
        start = "ns.test. host.test. 1 3600 600 86400"
        reply.authority.append(
            dns.rrset.from_text(_parent(name), self._negative_ttl, "IN", "SOA", f"{start} {self._negative_ttl}")
        )

    def _node(self, name: dns.name.Name) -> dns.node.Node | None:
        node = self._zone.get_node(name)
        if node is None and len(name.labels) > 2:
            node = self._zone.get_node(dns.name.Name((b"*", *name.labels[1:])))
        return node


def _name(text: str) -> dns.name.Name:
    return dns.name.from_text(text).canonicalize()


def _parent(name: dns.name.Name) -> dns.name.Name:
    return dns.name.Name(name.labels[-3:]) if len(name.labels) > 3 else name


def _txt(value: str) -> str:
    pieces = [value[start : start + _STRING] for start in range(0, len(value), _STRING)] or [""]
    return " ".join('"' + "".join(map(_escaped, piece)) + '"' for piece in pieces)


def _escaped(character: str) -> str:
    if character < " ":
        return f"\\{ord(character):03d}"
    return f"\\{character}" if character in '\\"' else character


class _UDP(socketserver.BaseRequestHandler):
    def __init__(self, authority: Authority, *arguments: Any) -> None:
        self._authority = authority
        super().__init__(*arguments)

    def handle(self) -> None:
        wire, sock = self.request
        self._authority.source_ports.add(self.client_address[1])
        self._authority.serve(wire, "udp", partial(_send_to, sock, self.client_address, self._authority.repetitions))


class _TCP(socketserver.StreamRequestHandler):
    timeout = _IDLE

    def __init__(self, authority: Authority, *arguments: Any) -> None:
        self._authority = authority
        super().__init__(*arguments)

    def handle(self) -> None:
        prefix = self.rfile.read(2)
        if len(prefix) < 2:
            return
        answered = threading.Event()

        def send(answer: bytes) -> None:
            self.wfile.write(struct.pack("!H", len(answer)) + answer)
            answered.set()

        (length,) = struct.unpack("!H", prefix)
        self._authority.serve(self.rfile.read(length), "tcp", send)
        answered.wait(_IDLE)


class _TCPServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


def _send_to(sock: socket.socket, address: tuple[str, int], times: int, answer: bytes) -> None:
    for _ in range(times):
        sock.sendto(answer, address)


@contextmanager
def dns_authority(zone: str | Records = "", *, negative_ttl: int = 60, host: str = "127.0.0.1") -> Iterator[Authority]:
    """A running server; `address` is what `MAILSTEAD_DNS_SERVERS` takes.

    `zone` is a master file with absolute names, or a dict of names to types to values.
    """
    authority = Authority(zone, negative_ttl=negative_ttl)
    servers = _bind(authority, host)
    authority.port = servers[0].server_address[1]
    authority.address = f"{host}:{authority.port}"
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield authority
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()


def _bind(authority: Authority, host: str) -> tuple[socketserver.TCPServer, socketserver.UDPServer]:
    for _ in range(50):
        tcp = _TCPServer((host, 0), partial(_TCP, authority))
        try:
            return tcp, socketserver.UDPServer((host, tcp.server_address[1]), partial(_UDP, authority))
        except OSError:
            tcp.server_close()  # the port is free for TCP and taken for UDP: try another
    raise OSError("no port is free for both UDP and TCP")
