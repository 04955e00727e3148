"""One error hierarchy that carries what every protocol needs to answer.

A server never invents its own mapping: it reads `smtp_code` and `enhanced_code` (RFC 3463), `imap_code` (a response
code of RFC 9051 §7.1, without brackets), `http_status` and `temporary` from the error itself. `public_text` may be
shown to a peer; the exception's arguments may hold more and go to the log only.
"""


class MailsteadError(Exception):
    """A failure that a peer or a person is told about; subclasses set the codes."""

    smtp_code: int = 451
    enhanced_code: str = "4.3.0"
    imap_code: str | None = "SERVERBUG"
    http_status: int = 500
    temporary: bool = True
    public_text: str = "Something went wrong on this server"

    def __init__(self, public_text: str | None = None, *, detail: str = "") -> None:
        super().__init__(public_text or self.public_text, detail)
        if public_text is not None:
            self.public_text = public_text
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.public_text}: {self.detail}" if self.detail else self.public_text


class TemporaryError(MailsteadError):
    """Try again later."""

    imap_code = "UNAVAILABLE"
    http_status = 503
    public_text = "Temporarily unavailable"


class PermanentError(MailsteadError):
    """Trying again does not help."""

    smtp_code = 554
    enhanced_code = "5.0.0"
    imap_code: str | None = "CANNOT"
    http_status = 400
    temporary = False
    public_text = "Refused"


class NotFoundError(PermanentError):
    """What was named does not exist."""

    smtp_code = 550
    enhanced_code = "5.1.1"
    imap_code = "NONEXISTENT"
    http_status = 404
    public_text = "Not found"


class AlreadyExistsError(PermanentError):
    """What was to be made exists already."""

    imap_code = "ALREADYEXISTS"
    http_status = 409
    public_text = "Already exists"


class InvalidError(PermanentError):
    """The input is not of the form asked for."""

    smtp_code = 501
    enhanced_code = "5.5.4"
    imap_code: str | None = "CLIENTBUG"
    http_status = 400
    public_text = "Invalid value"


class AuthenticationError(PermanentError):
    """The credentials are wrong; the same answer whether the account exists or not."""

    smtp_code = 535
    enhanced_code = "5.7.8"
    imap_code = "AUTHENTICATIONFAILED"
    http_status = 401
    public_text = "Authentication failed"


class PermissionDeniedError(PermanentError):
    """The actor may not do this."""

    smtp_code = 550
    enhanced_code = "5.7.1"
    imap_code = "NOPERM"
    http_status = 403
    public_text = "Not allowed"


class LimitExceededError(TemporaryError):
    """A limit of Settings was reached."""

    smtp_code = 452
    enhanced_code = "4.3.2"
    imap_code = "LIMIT"
    http_status = 429
    public_text = "Limit reached"


class OverQuotaError(TemporaryError):
    """The mailbox has no room for this."""

    smtp_code = 452
    enhanced_code = "4.2.2"
    imap_code = "OVERQUOTA"
    http_status = 507
    public_text = "Mailbox is full"
