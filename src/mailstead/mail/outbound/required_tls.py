"""Messages whose sender insists on TLS, or does without it (RFC 8689)."""

import re

import msgspec

from mailstead.foundation.errors import PermanentError
from mailstead.mail.authentication.mtasts.policy import StsPolicy
from mailstead.mail.authentication.tls_policy import TlsPolicy
from mailstead.mail.envelope import Envelope

_NOT_REQUIRED = re.compile(rb"^TLS-Required:[ \t\r\n]*No[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


class RequireTlsUnsupportedError(PermanentError):
    """The server does not promise to go on under TLS (RFC 8689 §4.2.1)."""

    smtp_code = 550
    enhanced_code = "5.7.30"
    public_text = "REQUIRETLS support required"


class EncryptionNeededError(PermanentError):
    """No session that meets REQUIRETLS could be had (RFC 8689 §4.2.1)."""

    smtp_code = 550
    enhanced_code = "5.7.10"
    public_text = "Encryption needed"


def is_binding(envelope: Envelope) -> bool:
    """Whether REQUIRETLS decides: a notice is sent on without it rather than lost (RFC 8689 §5)."""
    return envelope.require_tls and bool(envelope.sender)


def does_without_tls(envelope: Envelope, header: bytes) -> bool:
    """Whether policies of the recipient's domain are to be ignored (RFC 8689 §3); REQUIRETLS comes before that."""
    return not envelope.require_tls and b"tls-required" in header.lower() and bool(_NOT_REQUIRED.search(header))


def required(policy: TlsPolicy, sts: StsPolicy | None, *, mx_authenticated: bool) -> TlsPolicy:
    """The policy with REQUIRETLS on top. Raises EncryptionNeededError when nothing vouches for the server's name."""
    if not mx_authenticated and (sts is None or not sts.allows(policy.host)):
        raise EncryptionNeededError(
            detail=f"neither DNSSEC nor an MTA-STS policy says that {policy.host} serves {policy.domain}"
        )
    return msgspec.structs.replace(policy, is_required=True)
