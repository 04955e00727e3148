"""A configuration profile (.mobileconfig) that sets mail, calendars and contacts up on Apple's systems."""

import plistlib
import uuid
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

from mailstead.foundation.tls.pair import CertificatePair
from mailstead.interfaces.web.discovery.servers import MailServer, MailServers

TYPE = "application/x-apple-aspen-config"
_NAMESPACE = uuid.UUID("8b0f2a8e-5d0a-4c39-9d5d-3a8a5f6f5c11")


def _payload(kind: str, address: str, **content: Any) -> dict[str, Any]:
    """The same account gives the same identifiers, so that a new profile replaces the old one."""
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": f"mailstead.{kind}.{address}",
        "PayloadUUID": str(uuid.uuid5(_NAMESPACE, f"{kind} {address}")).upper(),
        "PayloadDisplayName": address,
    } | content


def _server(prefix: str, server: MailServer, address: str, password: str) -> dict[str, Any]:
    told = {
        f"{prefix}MailServerHostName": server.host,
        f"{prefix}MailServerPortNumber": server.port,
        f"{prefix}MailServerUseSSL": True,
        f"{prefix}MailServerUsername": address,
        f"{prefix}MailServerAuthentication": "EmailAuthPassword",
    }
    if password:
        told |= {f"{prefix}Password": password}
    return told


def profile(servers: MailServers, address: str, password: str = "") -> bytes:
    """The profile; without a password the device asks for it."""
    payloads = []
    incoming, outgoing = servers.first("imap"), servers.first("smtp")
    if incoming is not None and outgoing is not None:
        payloads.append(
            _payload(
                "com.apple.mail.managed",
                address,
                EmailAccountType="EmailTypeIMAP",
                EmailAddress=address,
                EmailAccountName=address,
                **_server("Incoming", incoming, address, password),
                **_server("Outgoing", outgoing, address, password),
            )
        )
    host, _, port = servers.web.removeprefix("https://").partition(":")
    for kind, prefix in (("com.apple.caldav.account", "CalDAV"), ("com.apple.carddav.account", "CardDAV")):
        told: dict[str, Any] = {
            f"{prefix}AccountDescription": address,
            f"{prefix}HostName": host,
            f"{prefix}Port": int(port or 443),
            f"{prefix}UseSSL": True,
            f"{prefix}Username": address,
            f"{prefix}PrincipalURL": f"/dav/{address}/",
        }
        payloads.append(_payload(kind, address, **told, **({f"{prefix}Password": password} if password else {})))
    whole = _payload("Configuration", address, PayloadContent=payloads, PayloadOrganization=servers.host)
    return plistlib.dumps(whole)


def signed_profile(content: bytes, pair: CertificatePair) -> bytes:
    """The profile signed by the host's certificate (RFC 5652); as it stands when there is none that can sign."""
    try:
        chain = x509.load_pem_x509_certificates(pair.certificate.read_bytes())
        key = load_pem_private_key(pair.key.read_bytes(), None)
    except (OSError, ValueError, TypeError):  # TypeError: the key wants a password
        return content
    if not chain or not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        return content
    builder = PKCS7SignatureBuilder().set_data(content).add_signer(chain[0], key, hashes.SHA256())
    for certificate in chain[1:]:
        builder = builder.add_certificate(certificate)
    return builder.sign(Encoding.DER, [PKCS7Options.Binary, PKCS7Options.NoCapabilities])
