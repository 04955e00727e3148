"""The whole server on an internet of the test's own; docs/test-internet.md is the table of its cases and their ends."""

import base64
import hashlib
import poplib
import re
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import dkim
import pytest
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

TABLE = Path(__file__).parents[2] / "docs/test-internet.md"
TLS = (*EXTENSIONS, "STARTTLS")


class Case(NamedTuple):
    """What happens, and how it has to end; `end` is delivered, waits or returned, over TLS or in the clear."""

    name: str
    happens: str
    end: str


SENT = (
    Case("plain", "The host offers no TLS, and no policy asks for it", "delivered in the clear"),
    Case("self-signed", "The host's certificate is its own, and no policy asks for more", "delivered over TLS"),
    Case("broken-tls", "The handshake with the host fails, and no policy asks for TLS", "delivered in the clear"),
    Case("sts", "MTA-STS in mode enforce, and the certificate is right", "delivered over TLS"),
    Case("sts-stripped", "MTA-STS in mode enforce, and somebody on the way strips STARTTLS", "waits: offers no TLS"),
    Case("sts-wrong", "MTA-STS in mode enforce, and the certificate is for another name", "waits: Hostname mismatch"),
    Case(
        "sts-other-mx", "MTA-STS in mode enforce, and the policy does not name the host", "waits: not among the servers"
    ),
    Case("sts-testing", "MTA-STS in mode testing, and the certificate is for another name", "delivered over TLS"),
    Case("dane", "TLSA records under DNSSEC, and the certificate matches", "delivered over TLS"),
    Case("dane-wrong", "TLSA records under DNSSEC, and the certificate is another", "waits: TLS policy"),
    Case("dane-stripped", "TLSA records under DNSSEC, and somebody on the way strips STARTTLS", "waits: offers no TLS"),
    Case("bogus", "The domain's DNSSEC signatures are forged", "waits: DNS"),
    Case("blackhole", "The only host neither takes nor refuses connections", "waits: timed out"),
    Case("blackhole-first", "The first of two hosts is a black hole", "delivered in the clear"),
    Case("refused-first", "The first of two hosts refuses connections", "delivered in the clear"),
    Case("later", "The host says 451 first and takes the message at the next try", "waits: 451, then delivered once"),
    Case("never", "The host says 550 5.1.1", "returned: 5.1.1"),
    Case("null-mx", "The domain says that it takes no mail", "returned: 5.1.10"),
    Case("no-domain", "There is no such domain", "returned: 5.1.2"),
    Case("postfix", "A Postfix takes the message for a mailbox that it has", "delivered over TLS"),
    Case("postfix-unknown", "A Postfix has no such mailbox", "returned: 5.1.1"),
)
ARRIVING = (
    Case("authorised", "The author's domain publishes p=reject, and SPF passes for it", "taken"),
    Case("forged", "Somebody else writes in that domain's name", "refused: 550 5.7.1"),
    Case("broken-signature", "A list changes a signed message of that domain", "refused: 550 5.7.1"),
    Case("sealed-by-trusted", "The same, sealed with ARC by a list that the setting trusts", "taken"),
    Case("sealed-by-stranger", "The same, sealed by a list that nobody trusts", "refused: 550 5.7.1"),
    Case("from-postfix", "A Postfix brings a message over TLS, its SPF passes", "taken"),
)

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

    def send_all(self) -> None:
        """Submit one message for each case, and wait until each was tried."""
        host, port = self.server.address("submission")
        with smtplib.SMTP(host, port) as smtp:
            smtp.starttls(context=self.server.client_context())
            smtp.login("alice@example.test", self.server.password("alice"))
            for case in SENT:
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


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    for program in ("knotd", "unbound", "postfix"):
        require_program(program)
    folder = tmp_path_factory.mktemp("internet")
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
        opened.send_all()
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


@pytest.mark.parametrize("case", SENT, ids=[case.name for case in SENT])
def test_mail_that_is_sent(world: World, case: Case) -> None:
    recipient = recipient_of(case.name)
    arrived = world.delivered_to(case.name)
    row = world.waiting.get(recipient)
    if case.end.startswith("delivered"):
        if case.name == "postfix":  # the Postfix passes it on by itself, in the clear
            eventually_sync(lambda: world.delivered_to("postfix"), pause=0.05)
            steps = str(world.server.command_json("trace", recipient))
            assert "handed to mx.postfix.plain.test over TLS" in steps
            return
        assert row is None
        assert arrived == [(case.end.endswith("over TLS"), case.name)]
    elif case.end.startswith("waits"):
        assert arrived == []
        assert row is not None, "it was given up or delivered"
        why = case.end.partition(": ")[2].partition(",")[0]
        assert why.lower() in row["last_error"].lower()
        if "then delivered" in case.end:
            world.server.command("queue", "retry", row["queue_id"])
            eventually_sync(lambda: world.delivered_to(case.name), pause=0.05)
            assert world.delivered_to(case.name) == [(False, case.name)]
    else:
        assert (arrived, row) == ([], None)
        status = case.end.partition(": ")[2]

        def notice() -> list[str]:
            return [text for text in world.mailbox("alice") if f"Final-Recipient: rfc822; {recipient}" in text]

        eventually_sync(notice, pause=0.2)
        (found,) = notice()
        assert f"\nStatus: {status}\r" in found


def test_what_failed_in_testing_is_collected_for_the_domains_report(world: World) -> None:
    assert "STARTTLS" in world.made["sts-testing"].verbs
    assert world.made["sts-testing"].connections == 2  # as the policy would have it, and then as it is


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


ACTIONS: dict[str, Callable[[World], str]] = {
    "authorised": lambda world: bring(world, address("author"), "writer@author.plain.test", written("authorised")),
    "forged": lambda world: bring(world, address("forger"), "writer@author.plain.test", written("forged")),
    "broken-signature": lambda world: bring(
        world, address("list"), "bounce@list.plain.test", by_a_list(signed(world, written("broken-signature")))
    ),
    "sealed-by-trusted": lambda world: bring(
        world,
        address("list"),
        "bounce@list.plain.test",
        sealed(world, signed(world, written("sealed-by-trusted")), "list.plain.test"),
    ),
    "sealed-by-stranger": lambda world: bring(
        world,
        address("list"),
        "bounce@stranger.plain.test",
        sealed(world, signed(world, written("sealed-by-stranger")), "stranger.plain.test"),
    ),
}


def by_postfix(world: World) -> str:
    message = b"From: dave@postfix.plain.test\r\nTo: alice@example.test\r\nSubject: from-postfix\r\n\r\nHello.\r\n"
    with smtplib.SMTP(address("postfix"), world.postfix_port) as smtp:
        smtp.sendmail("dave@postfix.plain.test", ["alice@example.test"], message)

    def is_there() -> bool:
        return any("Subject: from-postfix" in text for text in world.mailbox("alice"))

    eventually_sync(is_there, pause=0.2)
    return "250 passed on"


ACTIONS["from-postfix"] = by_postfix


@pytest.mark.parametrize("case", ARRIVING, ids=[case.name for case in ARRIVING])
def test_mail_that_arrives(world: World, case: Case) -> None:
    said = ACTIONS[case.name](world)
    there = [text for text in world.mailbox("alice") if case.name in text and "Subject: " in text]
    arrived = [text for text in there if re.search(rf"^Subject: (\[list\] )?{case.name}\r?$", text, re.MULTILINE)]
    if case.end == "taken":
        assert said.startswith("250")
        (message,) = arrived
        found = re.search(
            r"^Authentication-Results: mail\.example\.test;.*?(?=\r\n\S)", message, re.DOTALL | re.MULTILINE
        )
        assert found is not None
        results = found[0]
        assert ("dmarc=pass" in results) is (case.name == "authorised")
        if case.name == "from-postfix":
            assert "spf=pass" in results
            assert "ESMTPS" in message
        if case.name.startswith("sealed"):
            assert "arc=pass" in results
    else:
        assert said.startswith(case.end.partition(": ")[2])
        assert arrived == []


def table() -> str:
    """The cases as they stand in the documentation."""
    lines = []
    for title, cases in (("Mail that is sent", SENT), ("Mail that arrives", ARRIVING)):
        lines += [f"## {title}", "", "| case | what happens | how it ends |", "|---|---|---|"]
        lines += [f"| {case.name} | {case.happens} | {case.end} |" for case in cases]
        lines.append("")
    return "\n".join(lines)


def test_the_table_in_the_documentation_is_this_one() -> None:
    assert table() in TABLE.read_text("utf-8")
