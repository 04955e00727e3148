"""Certificates from a real ACME authority, while sessions run."""

import imaplib
import json
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import pytest
from acme import client, messages
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID
from josepy.jwa import ES256
from josepy.jwk import JWKEC

from support.eventually import eventually_sync
from support.knot_server import knot_server
from support.mailstead_server import MailsteadServer
from support.pebble import Pebble, pebble
from support.ports import free_port

HOST = "mail.example.test"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with pebble(tmp_path_factory.mktemp("authority"), free_port()) as running:
        running.start()
        yield running


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, authority: Pebble) -> Iterator[MailsteadServer]:
    settings = {"MAILSTEAD_PORT_HTTP": str(authority.http_port), "MAILSTEAD_TLS_RELOAD_INTERVAL": "0"}
    running = MailsteadServer(tmp_path_factory.mktemp("house") / "data", settings | authority.settings)
    running.start()
    yield running
    running.kill()


@pytest.fixture
def server(house: MailsteadServer) -> Iterator[MailsteadServer]:
    """The server, its commands' settings as they were."""
    settings = dict(house.settings)
    yield house
    house.settings = settings


def shown(server: MailsteadServer, service: str, name: str) -> x509.Certificate:
    """The certificate that a service shows to a client that asks for `name`."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(server.address(service), 10) as raw,
        context.wrap_socket(raw, server_hostname=name) as session,
    ):
        certificate = session.getpeercert(binary_form=True)
    assert certificate is not None
    return x509.load_der_x509_certificate(certificate)


def issuer(certificate: x509.Certificate) -> str:
    return str(certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


def public_key(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def names(certificate: x509.Certificate) -> list[str]:
    alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return alternative.value.get_values_for_type(x509.DNSName)


def cert(server: MailsteadServer, *arguments: str, code: int = 0) -> dict[str, Any]:
    """What `mailstead cert ARGUMENTS` says of each certificate."""
    done = server.command("cert", *arguments, "--json", check=False)
    assert done.returncode == code, done.stderr.decode()
    return {row["name"]: row for row in json.loads(done.stdout)}


def test_certificates_by_http_are_served_everywhere_and_sessions_stay(server: MailsteadServer) -> None:
    host, port = server.address("imaps")
    session = imaplib.IMAP4_SSL(host, port, ssl_context=server.client_context())
    session.login("alice@example.test", server.password("alice"))
    assert cert(server, "status")["host"]["source"] == "own authority"
    assert "local CA" in issuer(shown(server, "imaps", HOST))

    server.command("setup", "certificates", "--yes")
    obtained = cert(server, "status")
    assert {name: row["source"] for name, row in obtained.items()} == {"host": "acme", "example.test": "acme"}
    services = [name for name, endpoint in server.ready["services"].items() if endpoint["tls"] == "implicit"]
    assert {"imaps", "pop3s", "submissions", "https"} <= set(services)
    for service in services:
        found = shown(server, service, HOST)
        assert ("Pebble" in issuer(found), names(found)) == (True, [HOST]), service
        domain = shown(server, service, "mta-sts.example.test")
        assert {"autoconfig.example.test", HOST} & set(names(domain)) == {"autoconfig.example.test"}, service
    assert session.noop()[0] == "OK"
    session.logout()
    with socket.create_connection(server.address("http")) as plain:
        plain.sendall(b"GET /.well-known/acme-challenge/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert plain.recv(20).startswith(b"HTTP/1.1 404")

    assert cert(server, "renew") == {}
    before = shown(server, "imaps", HOST)
    cert(server, "issue", "host")
    kept = shown(server, "imaps", HOST)
    assert kept.serial_number != before.serial_number
    assert public_key(kept) == public_key(before)
    cert(server, "issue", "host", "--new-key")
    assert public_key(shown(server, "imaps", HOST)) != public_key(before)
    assert cert(server, "status")["host"]["source"] == "acme"


def test_a_wildcard_by_dns(server: MailsteadServer, authority: Pebble) -> None:
    server.settings |= {"MAILSTEAD_ACME_CHALLENGE": "dns-01", "MAILSTEAD_ACME_DNS_HOOK": str(authority.hook)}
    obtained = cert(server, "issue")
    assert {name: row["error"] for name, row in obtained.items()} == {"host": "", "example.test": ""}
    assert names(shown(server, "imaps", "anything.example.test")) == ["*.example.test"]

    broken = authority.hook.with_name("broken")
    broken.write_text("#!/bin/sh\necho no such zone >&2\nexit 3\n")
    broken.chmod(0o700)
    server.settings["MAILSTEAD_ACME_DNS_HOOK"] = str(broken)
    refused = cert(server, "issue", "host", code=1)
    assert "broken add: no such zone" in refused["host"]["error"]
    assert "broken add: no such zone" in cert(server, "status")["host"]["problem"]
    assert "Pebble" in issuer(shown(server, "imaps", HOST))


def test_a_wildcard_by_the_dns_provider(server: MailsteadServer, authority: Pebble, tmp_path: Path) -> None:
    with knot_server(tmp_path, "example.test") as knot:
        authority.stop()
        authority.asked = knot.address
        authority.start()
        server.settings |= {
            "MAILSTEAD_ACME_CHALLENGE": "dns-01",
            "MAILSTEAD_DNS_PUBLISH_URL": knot.url,
            "MAILSTEAD_DNS_SERVERS": knot.address,
        }
        obtained = cert(server, "issue", "example.test")
        assert obtained["example.test"]["error"] == ""
        left = dns.query.tcp(
            dns.message.make_query("_acme-challenge.example.test", "TXT"), "127.0.0.1", 5, port=knot.port
        )
        assert not left.answer
    authority.stop()
    authority.asked = authority.dns
    authority.start()


def test_a_short_life_is_renewed_by_an_authority_that_forgot_us(server: MailsteadServer, authority: Pebble) -> None:
    cert(server, "issue", "host")
    account = (server.data / "tls" / "acme" / "account.json").read_bytes()
    authority.stop()
    authority.start(validity=4)
    cert(server, "issue", "host")
    assert (server.data / "tls" / "acme" / "account.json").read_bytes() != account
    first = shown(server, "imaps", HOST).serial_number
    eventually_sync(lambda: "host" in cert(server, "renew", "host"))
    assert shown(server, "imaps", HOST).serial_number != first


def test_an_account_that_was_revoked_is_replaced(server: MailsteadServer, authority: Pebble) -> None:
    cert(server, "issue", "host")
    kept = json.loads((server.data / "tls" / "acme" / "account.json").read_bytes())
    key = JWKEC(key=serialization.load_pem_private_key(kept["key"].encode(), None))
    network = client.ClientNetwork(key, alg=ES256, verify_ssl=str(authority.authorities))  # type: ignore[arg-type]
    theirs = client.ClientV2(client.ClientV2.get_directory(authority.directory, network), network)
    account = messages.RegistrationResource(uri=kept["uri"], body=messages.Registration())
    network.account = account
    assert theirs.deactivate_registration(account).body.status == messages.STATUS_DEACTIVATED.name
    before = shown(server, "imaps", HOST).serial_number
    cert(server, "issue", "host")
    assert shown(server, "imaps", HOST).serial_number != before
    assert json.loads((server.data / "tls" / "acme" / "account.json").read_bytes())["uri"] != kept["uri"]


def test_what_hinders_is_told_and_the_old_certificate_stays(server: MailsteadServer, authority: Pebble) -> None:
    before = shown(server, "imaps", HOST).serial_number
    authority.dns_set("add-a", host=f"{HOST}.", addresses=["127.0.0.9"])
    refused = cert(server, "issue", code=1)
    assert "mail.example.test" in refused["host"]["error"]
    assert "127.0.0.9" in refused["host"]["error"]
    assert list(refused) == ["host"]  # the domain's names lead elsewhere now
    standing = cert(server, "status")["host"]
    assert standing["next_attempt"] > time.time()
    assert cert(server, "renew") == {}  # the authority's patience is spared
    assert shown(server, "imaps", HOST).serial_number == before

    authority.dns_set("clear-a", host=f"{HOST}.")
    authority.stop()
    assert "Connection" in cert(server, "issue", "host", code=1)["host"]["error"]
    authority.start()
    cert(server, "issue", "host")
    assert cert(server, "status")["host"]["problem"] == ""


def test_your_own_certificate_is_checked_and_never_renewed(server: MailsteadServer, authority: Pebble) -> None:
    folder = authority.authorities.parent
    chain, key = str(folder / "certificate.pem"), str(folder / "key.pem")
    wrong = server.command("cert", "import", chain, str(server.data / "tls" / "key.pem"), check=False)
    assert (wrong.returncode, wrong.stderr) == (1, b"The key is not that of the first certificate\n")
    server.command("cert", "import", chain, key)
    assert cert(server, "status")["host"]["source"] == "imported"
    given = x509.load_pem_x509_certificate(Path(chain).read_bytes())
    assert "host" not in cert(server, "renew")
    assert shown(server, "imaps", HOST).serial_number == given.serial_number
