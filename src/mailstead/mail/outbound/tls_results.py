"""What came of TLS with other servers, in the words of TLS reports (RFC 8460 §4.3)."""

from typing import Literal, Protocol

from mailstead.foundation.net.errors import StartTLSError
from mailstead.mail.authentication.tls_policy import TlsPolicy

ResultType = Literal[
    "success",
    "starttls-not-supported",
    "certificate-host-mismatch",
    "certificate-expired",
    "certificate-not-trusted",
    "validation-failure",
    "tlsa-invalid",
    "dnssec-invalid",
    "dane-required",
    "sts-policy-fetch-error",
    "sts-policy-invalid",
    "sts-webpki-invalid",
]

_BY_WORDS: tuple[tuple[str, ResultType], ...] = (
    ("hostname mismatch", "certificate-host-mismatch"),
    ("doesn't match", "certificate-host-mismatch"),
    ("certificate has expired", "certificate-expired"),
    ("certificate_verify_failed", "certificate-not-trusted"),
)


class TlsResults(Protocol):
    """Collects results; never waits, never fails."""

    def noted(self, policy: TlsPolicy, address: str, result: ResultType, detail: str) -> None:
        """One session with the server that `policy` is for, at `address`."""
        ...


def handshake_result(error: StartTLSError) -> ResultType:
    """The word for a handshake that failed: OpenSSL says why in text alone."""
    words = str(error).lower()
    return next((result for pattern, result in _BY_WORDS if pattern in words), "validation-failure")
