"""A certificate authority of this installation's own, so that TLS works from the first start.

In one folder, written in this order: `ca.key`, `ca.pem`, `key.pem`, `certificate.pem`. A crash between two of them leaves
a pair that does not match, which the next call sees and makes anew. Processes that start at once take turns.
"""

import fcntl
import ipaddress
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mailstead.foundation.errors import PermanentError

AUTHORITY_DAYS = 3650
HOST_DAYS = 397
_RENEW_BEFORE = timedelta(days=30)
_BACKDATE = timedelta(hours=1)
_NAME_LIMIT = 64


class AuthorityError(PermanentError):
    """A file of the local authority cannot be used."""

    public_text = "The local certificate authority cannot be used"


def ensure_local_authority(directory: Path, names: Sequence[str], now: datetime | None = None) -> Path:
    """Make `ca.pem`, `ca.key`, `certificate.pem` and `key.pem` in `directory` where they lack or expire within 30 days.

    `names` are host names and addresses of the certificate; a certificate that lacks one of them is made anew. An
    authority that is renewed keeps its key and name, so that who trusts the old one trusts what it signs further on.
    Returns the path of `ca.pem`. A certificate put there by somebody else (another issuer) is left alone.
    Raises AuthorityError, OSError.
    """
    now = now or datetime.now(UTC)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone(directory):
        authority, key = _authority(directory, now)
        if not _host_is_well(directory, authority, names, now):
            _make_host_certificate(directory, authority, key, names, now)
    return directory / "ca.pem"


@contextmanager
def alone(directory: Path, *, wait: bool = True) -> Iterator[None]:
    """Of all processes, one at a time in that folder of certificates; not to be nested.

    Raises OSError, BlockingIOError among them when another is there and `wait` is off.
    """
    descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def _authority(directory: Path, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key_path, path = directory / "ca.key", directory / "ca.pem"
    if not (key_path.exists() and path.exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        write_durable(key_path, key_pem(key), mode=0o600)
        return _make_authority(path, key, _authority_name(), now), key
    key = _load_key(key_path)
    authority = _load_certificate(path)
    if not _same_key(authority, key):
        raise AuthorityError(detail=f"{key_path} is not the key of {path}")
    if authority.not_valid_after_utc - now <= _RENEW_BEFORE:
        authority = _make_authority(path, key, authority.subject, now)
    return authority, key


def _host_is_well(directory: Path, authority: x509.Certificate, names: Sequence[str], now: datetime) -> bool:
    path, key_path = directory / "certificate.pem", directory / "key.pem"
    if not (path.exists() and key_path.exists()):
        return False
    current = _load_certificate(path)
    try:
        current.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return True  # somebody else's
    fresh = current.not_valid_after_utc - now > _RENEW_BEFORE
    complete = {_written(name) for name in names} <= set(certificate_names(current))
    return fresh and complete and _same_key(current, _load_key(key_path))


def _load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError as error:
        raise AuthorityError(detail=f"{path} is no certificate") from error


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise AuthorityError(detail=f"{path} is no private key without password") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityError(detail=f"{path} is no elliptic curve key")
    return key


def _same_key(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bool:
    return certificate.public_key() == key.public_key()


def certificate_names(certificate: x509.Certificate) -> list[str]:
    """Host names and addresses that a certificate is for."""
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in alternative.get_values_for_type(x509.IPAddress)]
    return [*alternative.get_values_for_type(x509.DNSName), *addresses]


def _written(name: str) -> str:
    """A name as certificates have it: addresses in their usual form, others as A-labels."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name if name.isascii() else name.encode("idna").decode("ascii")


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(_written(name))


def _authority_name() -> x509.Name:
    name = f"Mailstead local CA {x509.random_serial_number():x}"
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_NAME_LIMIT])])


def _make_authority(path: Path, key: ec.EllipticCurvePrivateKey, subject: x509.Name, now: datetime) -> x509.Certificate:
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
    write_durable(path, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
    return certificate


def _make_host_certificate(
    directory: Path,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    names: Sequence[str],
    now: datetime,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _written(names[0])[:_NAME_LIMIT])]))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(min(now + timedelta(days=HOST_DAYS), authority.not_valid_after_utc))
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
    write_durable(directory / "key.pem", key_pem(key), mode=0o600)
    chain = certificate.public_bytes(serialization.Encoding.PEM) + authority.public_bytes(serialization.Encoding.PEM)
    write_durable(directory / "certificate.pem", chain, mode=0o644)


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


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A private key as PEM, without a password."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def write_durable(path: Path, data: bytes, *, mode: int) -> None:
    """Write a file in one durable step: readers see the old content or the new, also after a crash."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
