import shutil
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from mailstead.foundation.clock import ManualClock
from mailstead.foundation.config.sections.tls import TlsSettings
from mailstead.foundation.tls.authority import ensure_local_authority
from mailstead.foundation.tls.contexts import TLSContexts
from mailstead.foundation.tls.pair import CertificateError

Version = Literal["1.2", "1.3"]


def shown(server: ssl.SSLContext, name: str | None, client: ssl.SSLContext | None = None) -> tuple[str, str]:
    """The certificate's first name and the protocol of a handshake in memory."""
    if client is None:
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = False
        client.verify_mode = ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            ends.remove(end)
            if not end.server_side:
                found = end
    der = found.getpeercert(True)
    assert der is not None
    certificate = x509.load_der_x509_certificate(der)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName)[0], found.version() or ""


def make(folder: Path, *names: str) -> Path:
    """A pair with an authority of its own, moved to `folder`."""
    made = folder.with_name(f"{folder.name}-made")
    ensure_local_authority(made, names)
    folder.mkdir(exist_ok=True)
    for name in ("certificate.pem", "key.pem"):
        shutil.copy(made / name, folder / name)
    shutil.rmtree(made)
    return folder


def test_sessions_use_current_tls_with_forward_secrecy(tmp_path: Path) -> None:
    ensure_local_authority(tmp_path, ("mail.example.test",))
    server = TLSContexts(tmp_path, TlsSettings()).server()
    assert shown(server, "mail.example.test") == ("mail.example.test", "TLSv1.3")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    assert shown(server, None, old) == ("mail.example.test", "TLSv1.2")
    old.set_ciphers("AES256-GCM-SHA384")
    with pytest.raises(ssl.SSLError):
        shown(server, None, old)


def test_tls_1_3_can_be_the_least(tmp_path: Path) -> None:
    ensure_local_authority(tmp_path, ("mail.example.test",))
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname = False
    old.verify_mode = ssl.CERT_NONE
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        shown(TLSContexts(tmp_path, TlsSettings(minimum="1.3")).server(), None, old)


def test_a_new_certificate_is_taken_up_while_serving(tmp_path: Path) -> None:
    clock = ManualClock()
    make(tmp_path / "tls", "old.example.test")
    contexts = TLSContexts(tmp_path / "tls", TlsSettings(reload_interval=5), clock)
    first = contexts.server()
    make(tmp_path / "tls", "new.example.test")
    assert contexts.server() is first
    clock.advance(6)
    assert shown(contexts.server(), None)[0] == "new.example.test"
    unchanged = contexts.server()
    clock.advance(6)
    assert contexts.server() is unchanged


def test_a_pair_that_cannot_be_used_leaves_the_old_one_until_it_is_whole(tmp_path: Path) -> None:
    clock = ManualClock()
    folder = make(tmp_path / "tls", "old.example.test")
    contexts = TLSContexts(folder, TlsSettings(), clock)
    new = make(tmp_path / "new", "new.example.test")
    for name, seen in (("certificate.pem", "old.example.test"), ("key.pem", "new.example.test")):
        shutil.copy(new / name, folder / name)
        clock.advance(6)
        assert shown(contexts.server(), None)[0] == seen
    (folder / "certificate.pem").unlink()
    contexts.reload()
    assert shown(contexts.server(), None)[0] == "new.example.test"


def test_clients_get_the_certificate_of_the_name_they_ask_for(tmp_path: Path) -> None:
    clock = ManualClock()
    folder = make(tmp_path / "tls", "mail.example.test")
    make(folder / "example.org", "mx.example.org", "*.example.org")
    (folder / "notes").mkdir()
    contexts = TLSContexts(folder, TlsSettings(), clock)
    wanted = {
        "mail.example.test": "mail.example.test",
        "unknown.test": "mail.example.test",
        "MX.example.org": "mx.example.org",
        "any.example.org": "mx.example.org",
        "example.org": "mx.example.org",
        "a.b.example.org": "mail.example.test",
        None: "mail.example.test",
    }
    for name, first in wanted.items():
        assert shown(contexts.server(), name)[0] == first
    make(folder / "example.net", "mx.example.net")
    (folder / "example.org" / "certificate.pem").write_text("junk")
    clock.advance(6)
    assert shown(contexts.server(), "mx.example.net")[0] == "mx.example.net"
    assert shown(contexts.server(), "mx.example.org")[0] == "mx.example.org"
    shutil.rmtree(folder / "example.org")
    clock.advance(6)
    assert shown(contexts.server(), "mx.example.org")[0] == "mail.example.test"


def test_a_wildcard_does_not_come_before_the_hosts_own_name(tmp_path: Path) -> None:
    folder = make(tmp_path / "tls", "mail.example.test")
    make(folder / "example.test", "*.example.test")
    contexts = TLSContexts(folder, TlsSettings(), ManualClock())
    assert shown(contexts.server(), "mail.example.test")[0] == "mail.example.test"
    assert shown(contexts.server(), "imap.example.test")[0] == "*.example.test"


def test_without_a_certificate_nothing_starts(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match=r"certificate\.pem"):
        TLSContexts(tmp_path, TlsSettings())


def test_a_key_under_a_password_is_an_error_and_no_prompt(tmp_path: Path) -> None:
    make(tmp_path, "mail.example.test")
    key = serialization.load_pem_private_key((tmp_path / "key.pem").read_bytes(), None)
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"password"),
    )
    (tmp_path / "key.pem").write_bytes(encrypted)
    with pytest.raises(CertificateError):
        TLSContexts(tmp_path, TlsSettings())


def test_settings_name_the_hosts_own_pair(tmp_path: Path) -> None:
    own = make(tmp_path / "elsewhere", "own.example.test")
    settings = TlsSettings(certificate=str(own / "certificate.pem"), key=str(own / "key.pem"))
    assert shown(TLSContexts(tmp_path / "tls", settings).server(), None)[0] == "own.example.test"


def test_contexts_for_sending_verify_or_take_anything(tmp_path: Path) -> None:
    authority = ensure_local_authority(tmp_path, ("mail.example.test",), datetime.now(UTC))
    contexts = TLSContexts(tmp_path, TlsSettings())
    server = contexts.server()
    assert shown(server, "other.example.test", contexts.client(False))[0] == "mail.example.test"
    assert contexts.client(False) is contexts.client(False)
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(server, "mail.example.test", contexts.client(True))
    trusting = TLSContexts(tmp_path, TlsSettings(authorities=str(authority)))
    assert shown(server, "mail.example.test", trusting.client(True))[0] == "mail.example.test"
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(server, "other.example.test", trusting.client(True))
