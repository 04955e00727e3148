"""Putting a certificate and its key in place of what is there, so that a crash leaves the old pair or the new.

Both are written beside the old ones as `.next`, then renamed: the key first. Whatever a crash left behind is finished or
dropped by `finish_installation`, which runs before certificates are looked at.
"""

from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from mailstead.foundation.errors import InvalidError
from mailstead.foundation.tls.authority import alone, sync_folder, write_durable

CERTIFICATE, KEY = "certificate.pem", "key.pem"
_NEXT = ".next"


def check_pair(chain: bytes, key: bytes) -> x509.Certificate:
    """The host's certificate of a chain (PEM, host first) when `key` (PEM) is its own. Raises InvalidError."""
    try:
        certificates = x509.load_pem_x509_certificates(chain)
    except ValueError as error:
        raise InvalidError("No certificate in PEM form") from error
    try:
        private = serialization.load_pem_private_key(key, None)
    except (ValueError, TypeError) as error:
        raise InvalidError("No private key in PEM form without a password") from error
    if _octets(certificates[0].public_key()) != _octets(private.public_key()):
        raise InvalidError("The key is not that of the first certificate")
    for certificate, issuer in pairwise(certificates):
        if certificate.issuer != issuer.subject:
            raise InvalidError("The chain is not in order: each certificate is followed by its issuer's")
    return certificates[0]


def install_pair(folder: Path, chain: bytes, key: bytes) -> x509.Certificate:
    """Put the pair into `folder`, which is made when it lacks. Raises InvalidError, OSError."""
    certificate = check_pair(chain, key)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with alone(folder):
        _finish(folder)
        write_durable(folder / f"{KEY}{_NEXT}", key, mode=0o600)
        write_durable(folder / f"{CERTIFICATE}{_NEXT}", chain, mode=0o644)
        _finish(folder)
    return certificate


def finish_installation(folder: Path) -> None:
    """Finish what a crash cut off. Raises OSError."""
    if (folder / f"{CERTIFICATE}{_NEXT}").exists() or (folder / f"{KEY}{_NEXT}").exists():
        with alone(folder):
            _finish(folder)


def _finish(folder: Path) -> None:
    key, chain = folder / f"{KEY}{_NEXT}", folder / f"{CERTIFICATE}{_NEXT}"
    if not chain.exists():  # the pair was not complete: nothing was put in place yet
        key.unlink(missing_ok=True)
        return
    if key.exists():
        key.rename(folder / KEY)
    chain.rename(folder / CERTIFICATE)
    sync_folder(folder)


def _octets(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
