"""What can go wrong with a mailbox."""

from mailstead.foundation.errors import (
    AlreadyExistsError,
    AuthenticationError,
    NotFoundError,
    PermanentError,
    TemporaryError,
)


class NoSuchFolderError(NotFoundError):
    """There is no folder of that name."""

    public_text = "No such mailbox"


class FolderExistsError(AlreadyExistsError):
    """There is a folder of that name."""

    public_text = "Mailbox exists"


class FolderNotDeletableError(PermanentError):
    """INBOX cannot be deleted."""

    public_text = "This mailbox cannot be deleted"


class MailboxBusyError(TemporaryError):
    """Another process held the write lock for too long."""

    imap_code = "INUSE"
    enhanced_code = "4.2.0"
    public_text = "Mailbox is busy"


class MailboxDamagedError(TemporaryError):
    """The file cannot be read, or was set aside; it is never overwritten."""

    imap_code = "CONTACTADMIN"
    enhanced_code = "4.2.0"
    public_text = "Mailbox is damaged"


class WrongKeyError(AuthenticationError):
    """The key does not open this mailbox."""
