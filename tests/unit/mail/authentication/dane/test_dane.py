"""Certificates bound by TLSA records, and the policy for a server."""

import asyncio
import hashlib
import ssl
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from mailstead.foundation.dns.answer import ResolutionError
from mailstead.foundation.net.client import connect
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.mail.authentication.dane.discover import Dane, find_dane
from mailstead.mail.authentication.dane.record import TlsaRecord, parse_tlsa
from mailstead.mail.authentication.dane.verify import verify_dane
from mailstead.mail.authentication.mtasts.policy import StsPolicy
from mailstead.mail.authentication.tls_policy import server_policy
from support.scripted_resolver import ScriptedResolver

HOST = "mail.example.test"
NOW = datetime.now(UTC).timestamp()
STS = StsPolicy("enforce", ("mail.example.test",), 86400)


@pytest.fixture
def chain(tmp_path: Path) -> list[bytes]:
    """The certificate of mail.example.test and its authority's, in DER."""
    ensure_local_authority(tmp_path, (HOST,))
    return [
        x509.load_pem_x509_certificate((tmp_path / name).read_bytes()).public_bytes(Encoding.DER)
        for name in ("certificate.pem", "ca.pem")
    ]


def key_of(certificate: bytes) -> bytes:
    loaded = x509.load_der_x509_certificate(certificate)
    return loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def record(usage: int, selector: int, matching: int, certificate: bytes) -> TlsaRecord:
    data = key_of(certificate) if selector else certificate
    if matching:
        data = hashlib.new("sha256" if matching == 1 else "sha512", data).digest()
    found = parse_tlsa(f"{usage} {selector} {matching} {data.hex()}")
    assert found is not None
    return found


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_each_way_to_bind_a_certificate(chain: list[bytes], selector: int, matching: int) -> None:
    own, authority = chain
    assert verify_dane([record(3, selector, matching, own)], [own], ["other.test"], 0) == ""
    assert verify_dane([record(3, selector, matching, authority)], chain, [HOST], NOW)
    assert verify_dane([record(2, selector, matching, authority)], chain, [HOST], NOW) == ""
    assert verify_dane([record(2, selector, matching, authority)], [own], [HOST], NOW), "the issuer was not shown"


def test_an_issuer_binds_names_and_dates(chain: list[bytes]) -> None:
    anchored = [record(2, 1, 1, chain[1])]
    assert "not valid for other.test" in verify_dane(anchored, chain, ["other.test"], NOW)
    assert verify_dane(anchored, chain, ["other.test", HOST], NOW) == ""
    assert verify_dane(anchored, chain, [HOST], NOW + 10 * 365 * 86400)
    assert verify_dane(anchored, [], [HOST], NOW) == "the server showed no certificate"
    assert verify_dane(anchored, [b"junk", chain[1]], [HOST], NOW) == "a certificate in the chain cannot be read"


def test_one_of_several_records_is_enough(chain: list[bytes]) -> None:
    other = TlsaRecord(3, 1, 1, bytes(32))
    assert verify_dane([other, record(3, 1, 1, chain[0])], chain, [HOST], NOW) == ""
    assert verify_dane([other], chain, [HOST], NOW) == "no TLSA record matches the certificate"
    assert verify_dane([TlsaRecord(3, 1, 1, bytes(32))], [b"junk"], [HOST], NOW)


@pytest.mark.parametrize(
    "text",
    ["", "3 1 1", "3 1 1 zz", "3 1 1 ab", "0 0 1 " + "00" * 32, "1 1 1 " + "00" * 32, "3 2 1 " + "00" * 32, "3 1 3 00",
     "3 1 0 abc"],
)  # fmt: skip
def test_records_of_no_use(text: str) -> None:
    assert parse_tlsa(text) is None


@given(st.text(alphabet="0123456789abcdefg ", max_size=90))
def test_any_record_is_read_or_of_no_use(text: str) -> None:
    parse_tlsa(text)


def asking(
    zone: Mapping[str, Mapping[str, str | list[str]]], *, authenticated: Sequence[str] = (), failing: Sequence[str] = ()
) -> ScriptedResolver:
    return ScriptedResolver(zone, authenticated=authenticated, failing=failing)


SECURE = (HOST, f"_25._tcp.{HOST}")
DIGEST = "00" * 32
ZONE: dict[str, dict[str, str | list[str]]] = {
    HOST: {"A": "192.0.2.1", "AAAA": "2001:db8::1"},
    f"_25._tcp.{HOST}": {"TLSA": [f"3 1 1 {DIGEST}", "1 1 1 00"]},
}


async def test_only_what_dnssec_vouches_for_counts() -> None:
    secure = asking(ZONE, authenticated=SECURE)
    assert await find_dane(secure, HOST, 25, mx_authenticated=True) == Dane(HOST, (TlsaRecord(3, 1, 1, bytes(32)),))
    assert await find_dane(secure, HOST, 25, mx_authenticated=False) is None
    assert await find_dane(secure, HOST, 465, mx_authenticated=True) is None
    for names in ((), (HOST,), (f"_25._tcp.{HOST}",)):
        found = await find_dane(asking(ZONE, authenticated=names), HOST, 25, mx_authenticated=True)
        assert found is None
    assert await find_dane(asking({}, authenticated=SECURE), HOST, 25, mx_authenticated=True) is None


async def test_records_stand_at_the_end_of_aliases_or_at_their_beginning() -> None:
    zone: dict[str, dict[str, str | list[str]]] = {"alias.test": {"CNAME": f"{HOST}."}, **ZONE}
    resolver = asking(zone, authenticated=("alias.test", *SECURE))
    found = await find_dane(resolver, "alias.test", 25, mx_authenticated=True)
    assert found is not None
    assert found.base == HOST


async def test_records_that_cannot_be_looked_up_forbid_the_server() -> None:
    resolver = asking({HOST: {"A": "192.0.2.1"}}, authenticated=SECURE, failing=[f"_25._tcp.{HOST}"])
    with pytest.raises(ResolutionError):
        await server_policy(resolver, "example.test", HOST, 25, mx_authenticated=True, sts=STS)
    policy = await server_policy(resolver, "example.test", HOST, 25, mx_authenticated=False, sts=STS)
    assert policy.source == "sts"


@pytest.mark.parametrize(
    ("sts", "host", "source", "requires_tls", "verifies_names", "is_refused"),
    [
        (None, HOST, "none", False, False, False),
        (StsPolicy("none", (), 1), HOST, "none", False, False, False),
        (STS, HOST, "sts", True, True, False),
        (STS, "other.test", "sts", True, True, True),
        (StsPolicy("testing", (HOST,), 1), "other.test", "sts", False, False, False),
    ],
)
async def test_policies_of_mta_sts(
    sts: StsPolicy | None, host: str, source: str, requires_tls: bool, verifies_names: bool, is_refused: bool
) -> None:
    policy = await server_policy(asking({}), "example.test", host, 25, mx_authenticated=True, sts=sts)
    assert (policy.source, policy.requires_tls, policy.verifies_names) == (source, requires_tls, verifies_names)
    assert bool(policy.refusal) == is_refused
    assert policy.unsatisfied([], NOW) == ""


async def test_dane_goes_before_mta_sts(chain: list[bytes]) -> None:
    digest = hashlib.sha256(key_of(chain[0])).hexdigest()
    zone = {HOST: {"A": "192.0.2.1"}, f"_25._tcp.{HOST}": {"TLSA": f"3 1 1 {digest}"}}
    resolver = asking(zone, authenticated=SECURE)
    policy = await server_policy(resolver, "example.test", HOST, 25, mx_authenticated=True, sts=STS)
    assert (policy.source, policy.requires_tls, policy.verifies_names) == ("tlsa", True, False)
    assert policy.unsatisfied(chain, NOW) == ""
    assert policy.unsatisfied(chain[1:], NOW)


async def test_records_of_no_use_oblige_to_tls_alone() -> None:
    zone = {HOST: {"A": "192.0.2.1"}, f"_25._tcp.{HOST}": {"TLSA": "1 1 1 00"}}
    resolver = asking(zone, authenticated=SECURE)
    policy = await server_policy(resolver, "example.test", HOST, 25, mx_authenticated=True, sts=None)
    assert (policy.requires_tls, policy.unsatisfied([], NOW)) == (True, "")


async def test_the_chain_that_a_server_shows(tmp_path: Path) -> None:
    ensure_local_authority(tmp_path, (HOST,))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    ended = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.transport.abort()

    server = await asyncio.start_server(hold, "127.0.0.1", 0, ssl=context)
    connection = await connect("127.0.0.1", server.sockets[0].getsockname()[1], timeout=5)
    client = ssl.create_default_context()
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    try:
        assert connection.peer_chain() == []
        await connection.start_client_tls(client, HOST, 5)
        shown = connection.peer_chain()
        assert shown[0] == connection.peer_certificate()
        authority = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes()).public_bytes(Encoding.DER)
        assert shown[1:] == [authority]
    finally:
        ended.set()
        connection.abort()
        server.close()
        await server.wait_closed()
