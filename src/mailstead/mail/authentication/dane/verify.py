"""Checking the certificates that a server showed (RFC 7672 §3)."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from mailstead.mail.authentication.dane.record import EE, TlsaRecord

_CHAIN_LIMIT = 10


def verify_dane(records: Sequence[TlsaRecord], chain: Sequence[bytes], names: Sequence[str], now: float) -> str:
    """Why a chain (DER, the server's own first) satisfies none of `records`; "" when it does.

    DANE-EE binds the certificate whatever its names and dates say (§3.1.1); DANE-TA binds an issuer in the chain, and the
    certificate has to be valid at `now` for one of `names` (§3.1.2).
    """
    if not chain:
        return "the server showed no certificate"
    if any(record.usage == EE and record.matches(chain[0]) for record in records):
        return ""
    reason = "no TLSA record matches the certificate"
    for issuer in chain[:_CHAIN_LIMIT]:
        if any(record.usage != EE and record.matches(issuer) for record in records):
            reason = _issued_by(issuer, chain[:_CHAIN_LIMIT], names, now)
            if not reason:
                return ""
    return reason


def _issued_by(issuer: bytes, chain: Sequence[bytes], names: Sequence[str], now: float) -> str:
    try:
        anchor = x509.load_der_x509_certificate(issuer)
        own, *others = [x509.load_der_x509_certificate(certificate) for certificate in chain]
    except ValueError:
        return "a certificate in the chain cannot be read"
    builder = PolicyBuilder().store(Store([anchor])).time(datetime.fromtimestamp(now, UTC).replace(tzinfo=None))
    reason = ""
    for name in dict.fromkeys(names):
        try:
            builder.build_server_verifier(x509.DNSName(name)).verify(own, others)
        except (VerificationError, ValueError) as error:
            reason = f"the certificate is not valid for {name} under its TLSA record: {error}"[:300]
        else:
            return ""
    return reason
