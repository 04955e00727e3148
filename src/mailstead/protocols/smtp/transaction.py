"""One mail transaction: sender, recipients, and the message as it comes in (RFC 5321 §3.3)."""

import msgspec

from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.protocols.smtp.commands import Mail
from mailstead.stores.directory.records import Resolution


class Accepted(msgspec.Struct, frozen=True):
    """A recipient that was accepted, with what its address is here."""

    recipient: EnvelopeRecipient
    resolution: Resolution


class Transaction:
    """What a session holds between MAIL and the reply to the message."""

    __slots__ = (
        "accepted",
        "account",
        "id",
        "is_too_big",
        "limit",
        "mail",
        "octets",
        "release_at",
        "spool",
        "storage_failed",
    )

    def __init__(self, identifier: str, mail: Mail, limit: int, spool: Spool) -> None:
        self.id = identifier
        self.mail = mail
        self.limit = limit
        self.spool = spool
        self.accepted: list[Accepted] = []
        self.octets = 0
        self.is_too_big = False
        self.storage_failed = ""
        self.release_at = 0.0
        self.account = ""

    def take(self, data: bytes) -> None:
        """Keep more of the message; past the limit, or when the disk refuses, it is only counted."""
        self.octets += len(data)
        if self.is_too_big or self.storage_failed:
            return
        if self.octets > self.limit:
            self.is_too_big = True
            self.spool.close()
            return
        try:
            self.spool.append(data)
        except OSError as error:
            self.storage_failed = str(error)
            self.spool.close()

    def envelope(self) -> Envelope:
        """The envelope for delivery."""
        mail = self.mail
        return Envelope(
            sender=mail.sender,
            recipients=tuple([one.recipient for one in self.accepted]),
            ret=mail.ret,
            envelope_id=mail.envelope_id,
            smtputf8=mail.smtputf8,
            body=mail.body,
            account=self.account,
            release_at=self.release_at,
            hold_request=f"for;{mail.hold_for}" if mail.hold_for else mail.hold_until and f"until;{mail.hold_until}",
            require_tls=mail.require_tls,
        )

    def close(self) -> None:
        """Give the message back."""
        self.spool.close()
