"""S/MIME with an owner's certificate (RFC 8551 §3.3): enveloped data under AES-256, the key under RSA."""

import base64

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from mailstead.mail.encryption.errors import UnusableKeyError
from mailstead.stores.directory.records import Encryption

_BITS_LEAST = 2048
_LINE = 76


def read(octets: bytes) -> Encryption:
    """A certificate, PEM or DER. Raises UnusableKeyError."""
    try:
        if b"-----BEGIN" in octets:
            certificate = x509.load_pem_x509_certificate(octets)
        else:
            certificate = x509.load_der_x509_certificate(octets)
        key = certificate.public_key()
        usage = _usage(certificate)
        addresses = _addresses(certificate)
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise UnusableKeyError(f"Not a certificate: {error}") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < _BITS_LEAST:
        raise UnusableKeyError(f"S/MIME needs a certificate with an RSA key of at least {_BITS_LEAST} bits")
    if usage is not None and not usage.key_encipherment:
        raise UnusableKeyError("The certificate is not for encryption (key encipherment)")
    return Encryption(
        kind="smime",
        key=certificate.public_bytes(Encoding.DER),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex().upper(),
        addresses=addresses,
        expires_at=certificate.not_valid_after_utc.timestamp(),
    )


def _usage(certificate: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None


def _addresses(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(name.lower() for name in names.get_values_for_type(x509.RFC822Name))


def encrypt_entity(entity: bytes, certificate: bytes) -> tuple[bytes, bytes]:
    """The entity as enveloped data: its content fields, and its body. Raises UnusableKeyError."""
    try:
        builder = (
            pkcs7.PKCS7EnvelopeBuilder()
            .set_data(entity)
            .set_content_encryption_algorithm(algorithms.AES256)
            .add_recipient(x509.load_der_x509_certificate(certificate))
        )
        sealed = builder.encrypt(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableKeyError(f"The certificate cannot be encrypted to: {error}") from error
    encoded = base64.b64encode(sealed)
    lines = b"\r\n".join(encoded[start : start + _LINE] for start in range(0, len(encoded), _LINE))
    fields = (
        b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\n'
        b"Content-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="smime.p7m"\r\n'
    )
    return fields, lines + b"\r\n"
