"""The envelope of a message on its way (RFC 5321 §2.3.1) with its DSN parameters (RFC 3461)."""

from typing import Literal

import msgspec


class EnvelopeRecipient(msgspec.Struct, frozen=True):
    """One recipient; `notify` holds NEVER, SUCCESS, FAILURE, DELAY; `original` is ORCPT as given.

    `mailbox_id` in the queue: this mailbox alone waits, whatever else the address leads to was served. `alias` is the
    address here through which mail goes on to this recipient, who is not the sender's business. `via` names where to
    deliver instead of the address's mail servers: `smtp:HOST:PORT`, or the URL of a webhook.
    """

    address: str
    notify: frozenset[str] = frozenset()
    original: str = ""
    mailbox_id: str = ""
    alias: str = ""
    via: str = ""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Sender ("" for the null return path), recipients, and what was asked for.

    `account` submitted it here, "" for mail from elsewhere. Nobody gets it before `release_at`, in seconds since the
    epoch; `hold_request` is how that was asked for (RFC 4865 §5.1.2). `require_tls`: see RFC 8689.
    `original_sender` of forwarded mail is the return path it came with.
    """

    sender: str
    recipients: tuple[EnvelopeRecipient, ...]
    ret: Literal["", "FULL", "HDRS"] = ""
    envelope_id: str = ""
    smtputf8: bool = False
    body: Literal["7BIT", "8BITMIME", "BINARYMIME"] = "8BITMIME"
    account: str = ""
    release_at: float = 0.0
    hold_request: str = ""
    require_tls: bool = False
    original_sender: str = ""


class RecipientResult(msgspec.Struct, frozen=True):
    """What became of one recipient."""

    address: str
    outcome: Literal["delivered", "queued", "dropped", "deferred", "failed"]
    smtp_code: int
    enhanced_code: str
    text: str

    @property
    def accepted(self) -> bool:
        """Whether the responsibility is ours now."""
        return self.outcome in ("delivered", "queued", "dropped")
