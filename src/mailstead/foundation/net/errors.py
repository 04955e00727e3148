"""What can go wrong on a connection."""

import errno

from mailstead.foundation.errors import LimitExceededError, MailsteadError, TemporaryError


class ReadTimeoutError(TemporaryError):
    """The peer sent nothing for as long as the session allows."""

    smtp_code = 421
    enhanced_code = "4.4.2"
    public_text = "Idle for too long"


class WriteTimeoutError(TemporaryError):
    """The peer left what was sent unread for too long."""

    smtp_code = 421
    enhanced_code = "4.4.2"
    public_text = "Nothing was read for too long"


class DrainingError(TemporaryError):
    """The service stops: the session ends at the next command boundary."""

    smtp_code = 421
    enhanced_code = "4.3.2"
    public_text = "Service is shutting down"


class ReadInterruptedError(TemporaryError):
    """Something other than input wants attention: the session asked to be woken for it."""

    public_text = "Interrupted"


class DisconnectedError(TemporaryError):
    """The peer is gone."""

    smtp_code = 421
    enhanced_code = "4.4.2"
    public_text = "Connection lost"


class StartTLSError(MailsteadError):
    """The handshake failed, or bytes came in before it that would have been taken for protected ones."""

    smtp_code = 454
    enhanced_code = "4.7.0"
    public_text = "TLS is not available"


class ConnectionLimitError(LimitExceededError):
    """Too many connections."""

    smtp_code = 421
    enhanced_code = "4.7.0"
    public_text = "Too many connections"


class ListenError(TemporaryError):
    """The address of the listener of that name cannot be listened on; `is_taken` when another program does."""

    def __init__(self, listener: str, place: str, error: OSError) -> None:
        super().__init__(f"{listener} cannot listen on {place}: {error.strerror or error}")
        self.listener = listener
        self.is_taken = error.errno == errno.EADDRINUSE


class ProxyHeaderError(MailsteadError):
    """What a trusted proxy sent first is no PROXY header."""
