"""A certificate chain with its private key, in two files, and the server context made of them."""

import ssl
from pathlib import Path
from typing import Literal

import msgspec
from cryptography import x509

from mailstead.foundation.errors import PermanentError
from mailstead.foundation.tls.authority import certificate_names

_MINIMUM = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_CIPHERS_12 = "ECDHE+AESGCM:ECDHE+CHACHA20"

FileState = tuple[int, int, int]


class CertificateError(PermanentError):
    """A certificate and its key cannot be used."""

    public_text = "The certificate cannot be used"


class CertificatePair(msgspec.Struct, frozen=True):
    """Where a chain (host certificate first) and its key lie."""

    certificate: Path
    key: Path

    def state(self) -> tuple[FileState | None, FileState | None]:
        """What changes when the files do."""
        return _file_state(self.certificate), _file_state(self.key)

    def load(self, minimum: Literal["1.2", "1.3"]) -> ssl.SSLContext:
        """A server context of TLS `minimum` or later with forward secrecy only. Raises CertificateError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = _MINIMUM[minimum]
        context.set_ciphers(_CIPHERS_12)
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        try:
            # without the password, an encrypted key would be asked for on the terminal
            context.load_cert_chain(self.certificate, self.key, password=lambda: b"")
        except (OSError, ssl.SSLError) as error:
            raise CertificateError(detail=f"{self.certificate} with {self.key}: {error}") from error
        return context

    def names(self) -> list[str]:
        """Names the certificate is for, lower case, wildcards among them. Raises CertificateError."""
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
            return [name.lower() for name in certificate_names(certificate)]
        except (OSError, ValueError) as error:
            raise CertificateError(detail=f"{self.certificate}: {error}") from error


def _file_state(path: Path) -> FileState | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
