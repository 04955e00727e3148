"""The internet of tests/faults/test_internet.py: its zones, hosts and policies, and the server on it."""

import base64
import hashlib
import poplib
import re
import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import dkim
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.peers.postfix import postfix
from mailstead.foundation.tls.authority import ensure_local_authority
from support.eventually import eventually_sync
from support.internet import Hosts, hosts, internet_dns
from support.mailstead_server import MailsteadServer, mailstead_server
from support.ports import free_port
from support.programs import require_program
from support.scripted_smtp import EXTENSIONS, ScriptedServer

TLS = (*EXTENSIONS, "STARTTLS")


class Case(NamedTuple):
    """What happens, and how it has to end; `end` is delivered, waits or returned, over TLS or in the clear."""

    name: str
    happens: str
    end: str


_HOSTS = {  # the case's host, by the last number of its address
    "plain": 1, "self-signed": 2, "broken-tls": 3, "sts": 4, "sts-stripped": 5, "sts-wrong": 6, "sts-other-mx": 7,
    "sts-testing": 8, "dane": 9, "dane-wrong": 10, "dane-stripped": 11, "blackhole": 13, "second": 14, "later": 15,
    "never": 16, "postfix-sink": 18, "policies": 20, "author": 30, "list": 31, "forger": 32,
}  # fmt: skip


def address(name: str) -> str:
    return "127.0.0.1" if name == "postfix" else f"127.77.0.{_HOSTS[name]}"


def domain_of(case: str) -> str:
    if case.startswith("dane"):
        return f"{case}.signed.test"
    return {"bogus": "bogus.test", "no-domain": "nowhere.plain.test", "postfix-unknown": "postfix.plain.test"}.get(
        case, f"{case}.plain.test"
    )


def recipient_of(case: str) -> str:
    return f"{'nobody' if case == 'postfix-unknown' else 'dave'}@{domain_of(case)}"


class World:
    """The internet and the server on it."""

    def __init__(
        self, server: MailsteadServer, made: dict[str, ScriptedServer], key: bytes, mx_port: int, postfix_port: int
    ) -> None:
        self.server, self.made, self.key = server, made, key
        self.mx_port, self.postfix_port = mx_port, postfix_port
        self.waiting: dict[str, dict[str, Any]] = {}

    def send_all(self, cases: Sequence[Case]) -> None:
        """Submit one message for each case, and wait until each was tried."""
        host, port = self.server.address("submission")
        with smtplib.SMTP(host, port) as smtp:
            smtp.starttls(context=self.server.client_context())
            smtp.login("alice@example.test", self.server.password("alice"))
            for case in cases:
                message = f"From: alice@example.test\r\nSubject: {case.name}\r\n\r\n{case.happens}\r\n"
                smtp.sendmail("alice@example.test", [recipient_of(case.name)], message)

        def is_settled() -> bool:
            rows = self.server.command_json("queue", "list")
            self.waiting = {row["recipients"][0]: row for row in rows if row["recipients"] and row["sender"]}
            return all(row["state"] == "ready" and row["attempts"] for row in rows)

        eventually_sync(is_settled, longest=90, pause=0.3)

    def delivered_to(self, case: str) -> list[tuple[bool, str]]:
        """Whether it went over TLS, and the subject, for each message to the case's recipient."""
        wanted = recipient_of(case)
        found = []
        for host in self.made.values():
            for (_, recipients, message), encrypted in zip(host.messages, host.encrypted, strict=True):
                if wanted in recipients:
                    subject = re.search(rb"^Subject: ([^\r]*)", message, re.MULTILINE)
                    found.append((encrypted, subject[1].decode() if subject else ""))
        return found

    def mailbox(self, who: str) -> list[str]:
        host, port = self.server.address("pop3s")
        pop = poplib.POP3_SSL(host, port, context=self.server.client_context())
        try:
            pop.user(f"{who}@example.test")
            pop.pass_(self.server.password(who))
            count, _ = pop.stat()
            return [b"\r\n".join(pop.retr(number + 1)[1]).decode("utf-8", "replace") for number in range(count)]
        finally:
            pop.quit()


def certificates(folder: Path, name: str, *names: str) -> ssl.SSLContext:
    ensure_local_authority(folder / name, names)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / name / "certificate.pem", folder / name / "key.pem")
    return context


def tlsa(folder: Path, name: str) -> str:
    certificate = x509.load_pem_x509_certificate((folder / name / "certificate.pem").read_bytes())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(certificate.public_key().public_bytes(serialization.Encoding.DER, form)).hexdigest()


def zones(port: int, key: rsa.RSAPrivateKey, matching: str) -> dict[str, str]:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = base64.b64encode(key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()
    record = f"v=DKIM1; k=rsa; p={public}"
    text = " ".join(f'"{record[start : start + 250]}"' for start in range(0, len(record), 250))
    plain = [
        f"{name} MX 10 mx.{name}\nmx.{name} A {address(name)}"
        for name in ("plain", "self-signed", "broken-tls", "sts", "sts-stripped", "sts-wrong", "sts-testing", "later", "never",
                     "postfix", "blackhole", "sts-other-mx")
    ]  # fmt: skip
    plain += [f"{name} MX 10 mx1.{name}\n{name} MX 20 mx2.{name}" for name in ("blackhole-first", "refused-first")]
    plain += [
        f"mx1.blackhole-first A {address('blackhole')}\nmx1.refused-first A 127.77.0.99",
        f"mx2.blackhole-first A {address('second')}\nmx2.refused-first A {address('second')}",
        "null-mx MX 0 .",
        f'postfix TXT "v=spf1 ip4:{address("postfix")} -all"',
    ]
    for name in ("sts", "sts-stripped", "sts-wrong", "sts-testing", "sts-other-mx"):
        plain.append(f'_mta-sts.{name} TXT "v=STSv1; id=1"\nmta-sts.{name} A {address("policies")}')
    for name, where in (("author", "author"), ("list", "list"), ("stranger", "list")):
        plain += [f'{name} TXT "v=spf1 ip4:{address(where)} -all"', f"sel._domainkey.{name} TXT {text}"]
    plain += [
        '_dmarc.author TXT "v=DMARC1; p=reject; aspf=s; adkim=s"',
        f"author MX 10 mx.author\nmx.author A {address('author')}",
    ]
    signed = [
        f"{name} MX 10 mx.{name}\nmx.{name} A {address(name)}\n_{port}._tcp.mx.{name} TLSA 3 1 1 {digest}"
        for name, digest in (("dane", matching), ("dane-wrong", "00" * 32), ("dane-stripped", matching))
    ]
    return {
        "plain.test": "\n".join(plain) + "\n",
        "signed.test": "\n".join(signed) + "\n",
        "bogus.test": "@ MX 10 mx\nmx A 127.77.0.12\n",
        "example.test": "@ MX 10 mail\nmail A 127.0.0.1\n",
    }


@contextmanager
def open_world(folder: Path, cases: Sequence[Case]) -> Iterator[World]:
    """All hosts of the internet and the server on it; a message for each case was sent and tried."""
    for program in ("knotd", "unbound", "postfix"):
        require_program(program)
    port, policy_port, mx_port = free_port(), free_port(), free_port()
    sts_names = ("sts", "sts-stripped", "sts-wrong", "sts-testing", "sts-other-mx")
    names = [f"mx.{name}.plain.test" for name in ("sts", "sts-other-mx")] + [
        f"mta-sts.{name}.plain.test" for name in sts_names
    ]
    trusted = certificates(folder, "trusted", *names)
    other = certificates(folder, "other", "elsewhere.test")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    policies = {
        f"mta-sts.{name}.plain.test": f"version: STSv1\r\nmode: {'testing' if name == 'sts-testing' else 'enforce'}\r\n"
        f"mx: {'mx.else.test' if name == 'sts-other-mx' else f'mx.{name}.plain.test'}\r\nmax_age: 86400\r\n"
        for name in sts_names
    }
    with ExitStack() as stack:
        dns = stack.enter_context(internet_dns(folder / "dns", zones(port, key, tlsa(folder, "other"))))
        net = stack.enter_context(hosts(port))
        made = _hosts(net, trusted, other)
        net.policy_host(address("policies"), policy_port, trusted, policies)
        sink = made["postfix-sink"]
        settings = {
            "virtual_mailbox_domains": "postfix.plain.test",
            "virtual_mailbox_maps": "inline:{dave@postfix.plain.test=dave}",
            "virtual_transport": f"smtp:[{address('postfix-sink')}]:{port}",
            "transport_maps": f"inline:{{example.test=smtp:[127.0.0.1]:{mx_port}}}",
            "smtp_tls_security_level": "may",
            "smtpd_tls_security_level": "may",
            "smtpd_tls_cert_file": str(folder / "other" / "certificate.pem"),
            "smtpd_tls_key_file": str(folder / "other" / "key.pem"),
            "myhostname": "mx.postfix.plain.test",
        }
        place = Path(stack.enter_context(TemporaryDirectory(prefix="mailstead-postfix-")))
        place.chmod(0o755)  # its own user has to get in
        stack.enter_context(postfix(place / "postfix", settings, port))
        assert sink.messages == []
        server = stack.enter_context(
            mailstead_server(
                folder,
                {
                    "MAILSTEAD_DNS_SERVERS": dns,
                    "MAILSTEAD_DNS_TRUSTED": "true",
                    "MAILSTEAD_QUEUE_REMOTE_PORT": str(port),
                    "MAILSTEAD_QUEUE_CONNECT_TIMEOUT": "1.5s",
                    "MAILSTEAD_MTA_STS_REMOTE_PORT": str(policy_port),
                    "MAILSTEAD_TLS_AUTHORITIES": str(folder / "trusted" / "ca.pem"),
                    "MAILSTEAD_PORT_MX": str(mx_port),
                    "MAILSTEAD_AUTHENTICATION_ARC_TRUSTED": "list.plain.test",
                    "MAILSTEAD_REPORTS_FLUSH": "0.1",
                },
            )
        )
        form = serialization.PrivateFormat.TraditionalOpenSSL
        pem = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        opened = World(server, made, pem, mx_port, port)
        opened.send_all(cases)
        yield opened


def _hosts(net: Hosts, trusted: ssl.SSLContext, other: ssl.SSLContext) -> dict[str, ScriptedServer]:
    broken = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)  # it has no certificate: handshakes fail
    offers: dict[str, ssl.SSLContext | None] = {
        "plain": None, "self-signed": other, "broken-tls": broken, "sts": trusted, "sts-stripped": None, "sts-wrong": trusted,
        "sts-other-mx": trusted, "sts-testing": trusted, "dane": other, "dane-wrong": other, "dane-stripped": None,
        "second": None, "later": None, "never": None, "postfix-sink": None,
    }  # fmt: skip
    made = {
        name: net.add(
            address(name),
            name=f"mx.{name}.test",
            extensions=TLS if context is not None else EXTENSIONS,
            tls=context,
            scripts={"later": {"RCPT": ["451 4.3.0 later"]}, "never": {"RCPT": ["550 5.1.1 nobody"]}}.get(name, {}),
        )
        for name, context in offers.items()
    }
    net.blackhole(address("blackhole"))
    return made


def bring(world: World, source: str, sender: str, message: bytes) -> str:
    """Bring a message to alice from an address of the internet: what the server said at the end."""
    with smtplib.SMTP("127.0.0.1", world.mx_port, source_address=(source, 0)) as smtp:
        smtp.ehlo("mx.test")
        assert smtp.mail(sender)[0] == 250
        assert smtp.rcpt("alice@example.test")[0] == 250
        code, text = smtp.data(message)
        return f"{code} {text.decode()}"


def written(subject: str) -> bytes:
    return (
        f"From: Author <writer@author.plain.test>\r\nTo: alice@example.test\r\nSubject: {subject}\r\n"
        f"Date: Wed, 25 Nov 2026 08:00:00 +0000\r\nMessage-ID: <{subject}@author.plain.test>\r\n\r\nHello.\r\n"
    ).encode()


def signed(world: World, message: bytes) -> bytes:
    return bytes(dkim.sign(message, b"sel", b"author.plain.test", world.key)) + message


def by_a_list(message: bytes) -> bytes:
    """What lists do to messages: another subject, and a footer."""
    return message.replace(b"Subject: ", b"Subject: [list] ") + b"-- \r\nTo leave the list write to the list.\r\n"


def sealed(world: World, message: bytes, sealer: str) -> bytes:
    """What a list does that seals: it tells what it found before it changed the message (RFC 8617 §5.1)."""
    checked = (
        f"Authentication-Results: {sealer}; dmarc=pass header.from=author.plain.test;\r\n"
        " dkim=pass header.d=author.plain.test\r\n"
    ).encode()
    changed = checked + by_a_list(message)
    return b"".join(dkim.arc_sign(changed, b"sel", sealer.encode(), world.key, sealer.encode())) + changed
