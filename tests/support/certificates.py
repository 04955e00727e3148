"""A certificate authority of a test's own, for programs that speak TLS to each other."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def make_certificates(folder: Path) -> None:
    """`ca.pem`; `certificate.pem` and `key.pem` for 127.0.0.1, good for servers and clients; `both.pem` with both."""
    authority, host = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a host")])
    now = datetime.now(UTC)

    def begun(name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False
        )
        return builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(days=1))

    root = begun(issuer, authority).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    leaf = begun(subject, host).add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
    )
    leaf = leaf.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
    )
    pem = serialization.Encoding.PEM
    certificate = leaf.sign(authority, hashes.SHA256()).public_bytes(pem)
    key = host.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "ca.pem").write_bytes(root.sign(authority, hashes.SHA256()).public_bytes(pem))
    for name, content in (("certificate.pem", certificate), ("key.pem", key), ("both.pem", certificate + key)):
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
