"""A certificate authority of this installation's own, so that TLS works from the first start."""

import ipaddress
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3650
HOST_DAYS = 397
_RENEW_BEFORE = timedelta(days=30)
_BACKDATE = timedelta(hours=1)


def ensure_local_authority(directory: Path, names: Sequence[str], now: datetime | None = None) -> Path:
    """Make `ca.pem`, `ca.key`, `certificate.pem` and `key.pem` in `directory` where they lack or are about to expire.

    `names` are host names and addresses of the certificate; a certificate that lacks one of them is made anew.
    Returns the path of `ca.pem`. A certificate put there by somebody else (another issuer) is left alone.
    """
    now = now or datetime.now(UTC)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority_path, certificate_path = directory / "ca.pem", directory / "certificate.pem"
    if not (authority_path.exists() and (directory / "ca.key").exists()):
        _make_authority(directory, now)
    authority = x509.load_pem_x509_certificate(authority_path.read_bytes())
    if certificate_path.exists() and (directory / "key.pem").exists():
        current = x509.load_pem_x509_certificate(certificate_path.read_bytes())
        ours = current.issuer == authority.subject
        fresh = current.not_valid_after_utc - now > _RENEW_BEFORE
        if not ours or (fresh and set(names) <= set(certificate_names(current))):
            return authority_path
    _make_host_certificate(directory, authority, names, now)
    return authority_path


def certificate_names(certificate: x509.Certificate) -> list[str]:
    """Host names and addresses that a certificate is for."""
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in alternative.get_values_for_type(x509.IPAddress)]
    return [*alternative.get_values_for_type(x509.DNSName), *addresses]


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _make_authority(directory: Path, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"Mailstead local CA {x509.random_serial_number():x}"[:64])]
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(directory / "ca.key", _pem(key))
    write_private(directory / "ca.pem", certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)


def _make_host_certificate(directory: Path, authority: x509.Certificate, names: Sequence[str], now: datetime) -> None:
    authority_key = serialization.load_pem_private_key((directory / "ca.key").read_bytes(), None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + timedelta(days=HOST_DAYS))
        .add_extension(
            x509.SubjectAlternativeName([_general_name(name) for name in dict.fromkeys(names)]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    write_private(directory / "key.pem", _pem(key))
    chain = certificate.public_bytes(serialization.Encoding.PEM) + authority.public_bytes(serialization.Encoding.PEM)
    write_private(directory / "certificate.pem", chain, mode=0o644)


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_private(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Write a file in one durable step: readers see the old content or the new, also after a crash."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
