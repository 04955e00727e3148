"""What a command is refused with; everything else that may go wrong carries its own response code."""

from mailstead.foundation.errors import InvalidError, PermanentError


class CommandError(InvalidError):
    """The command is not of the grammar's form, or does not fit the state; answered with BAD (RFC 9051 §7.1.3)."""

    imap_code: str | None = None

    def __init__(self, public_text: str, code: str | None = None) -> None:
        super().__init__(public_text)
        self.imap_code = code


class NoError(PermanentError):
    """The command cannot be carried out; answered with NO (RFC 9051 §7.1.2)."""

    imap_code: str | None = None

    def __init__(self, public_text: str, code: str | None = None) -> None:
        super().__init__(public_text)
        self.imap_code = code


class ClosedError(PermanentError):
    """The session cannot go on; answered with BYE (RFC 9051 §7.1.5)."""

    imap_code: str | None = None

    def __init__(self, public_text: str, code: str | None = None) -> None:
        super().__init__(public_text)
        self.imap_code = code
