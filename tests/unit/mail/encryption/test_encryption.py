import email
import email.policy
import ssl
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pysequoia
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.encryption import published_key, set_encryption
from mailstead.foundation.errors import NotFoundError
from mailstead.foundation.net.reach import NotPublicError, Reach
from mailstead.foundation.spool import Spool
from mailstead.mail.encryption.errors import UnusableKeyError
from mailstead.mail.encryption.key import read_key
from mailstead.mail.encryption.message import encrypt_message, is_encrypted
from mailstead.mail.encryption.wkd import directory_hash, find_key
from mailstead.mail.routing.delivery import DirectDelivery, LocalRecipient
from support.installation import installation
from support.scripted_resolver import ScriptedResolver

NOW = datetime.now(UTC)
ALICE = "alice@example.test"
MESSAGE = (
    b"Received: from x\r\nFrom: carol@remote.test\r\nContent-Type: text/plain; charset=utf-8\r\nSubject: s\r\n"
    b"Content-Transfer-Encoding: 8bit\r\nMIME-Version: 1.0\r\n\r\nHello \xc3\xa9\r\n-- \r\nCarol\r\n"
)
ENTITY = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nHello \xc3\xa9\r\n-- \r\nCarol\r\n"


@pytest.fixture(scope="module")
def openpgp() -> Any:
    return pysequoia.Tsk.generate(f"Alice <{ALICE}>")


def public(key: Any) -> bytes:
    return bytes(key.extract_certificate())


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def certificate(key: Any, *, days: int = 30, usage: bool | None = True) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Alice")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=60))
        .not_valid_after(NOW + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(ALICE)]), critical=False)
    )
    if usage is not None:
        false = dict.fromkeys(
            ("content_commitment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign", "encipher_only",
             "decipher_only"), False,
        )  # fmt: skip
        builder = builder.add_extension(
            x509.KeyUsage(digital_signature=True, key_encipherment=usage, **false), critical=True
        )
    return builder.sign(key, hashes.SHA256())


def test_openpgp_mime_is_read_by_its_owner(openpgp: Any) -> None:
    found = read_key(public(openpgp), NOW.timestamp())
    assert (found.kind, found.addresses) == ("openpgp", (ALICE,))
    assert found.fingerprint == str(openpgp.extract_certificate().fingerprint).upper()
    made = encrypt_message(MESSAGE, found, NOW.timestamp())
    assert made is not None
    assert b"Hello" not in made
    read = email.message_from_bytes(made, policy=email.policy.SMTP)
    assert (read["received"], read["from"], read["subject"]) == ("from x", "carol@remote.test", "s")
    assert read.get_content_type() == "multipart/encrypted"
    assert read.get_param("protocol") == "application/pgp-encrypted"
    control, sealed = [part.get_payload(decode=True) for part in read.walk()][1:]
    assert isinstance(control, bytes)
    assert isinstance(sealed, bytes)
    assert [part.get_content_type() for part in read.walk()][1:] == [
        "application/pgp-encrypted",
        "application/octet-stream",
    ]
    assert control.strip() == b"Version: 1"
    decrypted = pysequoia.decrypt(bytes=sealed, decryptor=openpgp.decryptor())
    assert decrypted.bytes == ENTITY
    assert encrypt_message(made, found, NOW.timestamp()) is None, "never twice"


def test_smime_is_read_by_its_owner(rsa_key: rsa.RSAPrivateKey) -> None:
    issued = certificate(rsa_key)
    found = read_key(issued.public_bytes(Encoding.PEM), NOW.timestamp())
    assert (found.kind, found.addresses) == ("smime", (ALICE,))
    assert found == read_key(issued.public_bytes(Encoding.DER), NOW.timestamp())
    made = encrypt_message(MESSAGE, found, NOW.timestamp())
    assert made is not None
    assert b"Hello" not in made
    read = email.message_from_bytes(made)
    assert (read.get_content_type(), read.get_param("smime-type")) == ("application/pkcs7-mime", "enveloped-data")
    assert max(len(line) for line in made.splitlines()) <= 100
    body = read.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert pkcs7.pkcs7_decrypt_der(body, issued, rsa_key, []) == ENTITY
    assert encrypt_message(made, found, NOW.timestamp()) is None, "never twice"


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"nonsense", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\x30\x03\x02\x01\x01", b"x" * 300_000,
    ],
)  # fmt: skip
def test_what_is_no_key(octets: bytes) -> None:
    with pytest.raises(UnusableKeyError) as caught:
        read_key(octets, NOW.timestamp())
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=400))
@settings(max_examples=50)
def test_no_octets_are_more_than_refused(octets: bytes) -> None:
    for start in (b"", b"\x30\x82", b"\xc6\x33\x04", b"\x99\x01"):
        with pytest.raises(UnusableKeyError):
            read_key(start + octets, NOW.timestamp())


def test_certificates_that_are_not_for_encryption(rsa_key: rsa.RSAPrivateKey) -> None:
    for issued in (
        certificate(rsa_key, usage=False),
        certificate(ec.generate_private_key(ec.SECP256R1())),
        certificate(rsa_key, days=-1),
        certificate(rsa.generate_private_key(65537, 1024)),
    ):
        with pytest.raises(UnusableKeyError):
            read_key(issued.public_bytes(Encoding.PEM), NOW.timestamp())


def test_openpgp_is_refused_in_plain_words_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysequoia", None)
    with pytest.raises(UnusableKeyError, match="OpenPGP is not installed"):
        read_key(b"-----BEGIN PGP PUBLIC KEY BLOCK-----", NOW.timestamp())


@pytest.mark.parametrize(
    ("header", "body", "encrypted"),
    [
        (b"Content-Type: multipart/encrypted; boundary=x\r\n", b"", True),
        (b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n", b"", True),
        (b"Content-Type: application/x-pkcs7-mime\r\n", b"", True),
        (b"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\n", b"", False),
        (b"", b"-----BEGIN PGP MESSAGE-----\r\n", True),
        (b"", b"I quote:\r\n-----BEGIN PGP MESSAGE-----\r\n", False),
        (b"Content-Type: multipart/signed; boundary=x\r\n", b"", False),
    ],
)
def test_what_is_encrypted_already(header: bytes, body: bytes, encrypted: bool) -> None:
    assert is_encrypted(header + b"Subject: s\r\n\r\n" + body) is encrypted


async def test_what_arrives_is_encrypted_and_what_cannot_be_is_not_lost(tmp_path: Path, openpgp: Any) -> None:
    async with installation(tmp_path) as made:
        local = DirectDelivery(made.directory, made.mailboxes, made.trace, made.settings, made.clock)

        async def deliver(trace_id: str) -> bytes:
            found = await made.directory.resolve(ALICE)
            with Spool(1000, tmp_path) as spool:
                spool.append(MESSAGE)
                await local.deliver("c@remote.test", [LocalRecipient(ALICE, found.destinations[0])], spool, trace_id)
            return (await made.messages(ALICE))[-1]

        assert (await deliver("t1")).endswith(MESSAGE)
        alias = await set_encryption(made.administration, COMMAND_LINE, ALICE, public(openpgp))
        stored = await deliver("t2")
        assert stored.startswith(b"Return-Path: <c@remote.test>\r\nDelivered-To: alice@example.test\r\n")
        assert b"-----BEGIN PGP MESSAGE-----" in stored
        assert b"Hello" not in stored
        assert alias.encryption is not None
        await set_encryption(made.administration, COMMAND_LINE, ALICE, None)
        assert b"Hello" in await deliver("t3")


async def test_the_key_is_published_for_its_own_address_alone(tmp_path: Path, openpgp: Any) -> None:
    assert directory_hash("Joe.Doe") == "iy9q119eutrkn8s1mk4r39qejnbu3n5q", "the example of the draft"
    async with installation(tmp_path) as made:
        for address in (ALICE, "bob@example.test"):
            await set_encryption(made.administration, COMMAND_LINE, address, public(openpgp))
        directory = made.directory
        assert await published_key(directory, "example.test", directory_hash("alice")) == public(openpgp)
        assert await published_key(directory, "example.test", directory_hash("bob")) is None
        assert await published_key(directory, "other.test", directory_hash("alice")) is None
        await set_encryption(made.administration, COMMAND_LINE, ALICE, None)
        assert await published_key(directory, "example.test", directory_hash("alice")) is None


async def test_a_directory_is_asked_at_public_addresses_only() -> None:
    context = ssl.create_default_context()
    inner = Reach(ScriptedResolver({"openpgpkey.evil.test": {"A": "127.0.0.1"}}), ())
    with pytest.raises(NotPublicError):
        await find_key("a@evil.test", inner, context)
    with pytest.raises(NotFoundError):
        await find_key("a@nowhere.test", Reach(ScriptedResolver({}), ()), context)
