"""What the queue keeps: a message file, and one consignment per destination of a message.

state       ready --claim--> claimed --> (gone: all recipients done) | ready (retry later)
            ready <--release-- held <--hold-- ready;  any --drop--> gone
"""

from typing import Any, Literal

import msgspec

from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.stores.documents.interface import CollectionSpec, Index

State = Literal["ready", "claimed", "held"]
LOCAL = "local:"  # destination of mail that waits for a mailbox of this installation

CONSIGNMENTS = CollectionSpec(
    "consignment",
    (
        Index(("state", "due_at")),
        Index(("state", "destination", "due_at")),
        Index(("queue_id",)),
        Index(("state", "lease_until")),
    ),
)


class Consignment(msgspec.Struct, frozen=True, kw_only=True):
    """The recipients of one message at one destination; `id` is unique, `queue_id` the message's."""

    id: str
    queue_id: str
    trace_id: str
    destination: str
    state: State
    due_at: float
    queued_at: float
    attempts: int
    size: int
    envelope: Envelope
    lease_until: float = 0.0
    worker: str = ""
    last_error: str = ""
    notified_delay: bool = False
    version: int = 1

    @property
    def sender(self) -> str:
        """The return path."""
        return self.envelope.sender

    @property
    def recipients(self) -> tuple[EnvelopeRecipient, ...]:
        """Those that still wait."""
        return self.envelope.recipients


def to_document(consignment: Consignment) -> dict[str, Any]:
    """The consignment as a document."""
    document: dict[str, Any] = msgspec.to_builtins(consignment)
    del document["version"]
    return document


def from_document(document: dict[str, Any]) -> Consignment:
    """The consignment of a document."""
    return msgspec.convert(document, Consignment)
