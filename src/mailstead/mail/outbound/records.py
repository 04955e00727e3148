"""What the queue keeps: a message file, and one consignment per destination of a message.

A consignment is in one of four states; MOVES is the table of them.

ready    waits until `due_at`
claimed  a worker tries it, under a lease that the worker extends while it lives
held     a person stopped it
pending  a notice or a forwarded copy whose origin is not settled yet

An attempt that ended is written down in two steps. First `record`, in one write right after the remote's answer:
recipients that are done are struck off, and what has to be told or forwarded is owed under ids chosen then. Now the
owed messages are put in as pending. Then `finish`, in one write: nothing is owed any more, and only after that the
pending ones become ready. A crash at any point repeats steps, never their effect: every step finds what it did before.
"""

from hashlib import blake2b
from typing import Any, Literal, TypeAlias

import msgspec

from mailstead.formats.message.delivery_status import Action
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.stores.documents.interface import CollectionSpec, Index

State = Literal["ready", "claimed", "held", "pending"]
Move = Literal["claim", "give_back", "finish", "hold", "release", "retry", "adopt"]
LOCAL = "local:"  # destination of mail that waits for a mailbox of this installation
HOST = "smtp:"  # begins the destination of mail for a server that an alias names
HOOK = "hook:"  # begins the destination of what goes to webhooks of a host

ONCE_DAYS = 7
"""How long it is remembered that something was queued once."""

MOVES: dict[Move, dict[State, State]] = {
    "claim": {"ready": "claimed"},
    "give_back": {"claimed": "ready"},
    "finish": {"claimed": "ready"},  # held when a person asked for it meanwhile; gone when all recipients are done
    "hold": {"ready": "held"},
    "release": {"held": "ready"},
    "retry": {"ready": "ready"},
    "adopt": {"pending": "ready"},
}
"""Which move leads from which state to which; a person may drop a consignment in any state."""

CONSIGNMENTS = CollectionSpec(
    "consignment",
    (
        Index(("home", "state", "due_at")),
        Index(("home", "state", "destination", "due_at")),
        Index(("home", "state", "lease_until")),
        Index(("queue_id",)),
        Index(("trace_id",)),
        Index(("queued_at",)),
        Index(("done_at",), expire_after=ONCE_DAYS * 86400.0),
    ),
)


def once_id(name: str) -> str:
    """The id of the note, beside the consignments, that something was queued once."""
    return f"once:{blake2b(name.encode(), digest_size=24).hexdigest()}"


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told of one recipient."""

    recipient: EnvelopeRecipient
    action: Action
    status: str
    remote_host: str = ""
    diagnostic: str = ""
    advice: str = ""


class OwedNotice(msgspec.Struct, frozen=True, kw_only=True, tag="notice"):
    """A notice that is to be queued as `queue_id`; all of `settled` have one action.

    It goes to the message's sender, or to the owner of `alias`, the address here that passed the message on.
    """

    queue_id: str
    settled: tuple[Settled, ...]
    retry_until: float | None = None
    alias: str = ""


class OwedForward(msgspec.Struct, frozen=True, kw_only=True, tag="forward"):
    """A copy of the message that is to be queued as `queue_id` for other recipients."""

    queue_id: str
    recipients: tuple[EnvelopeRecipient, ...]


Owed: TypeAlias = OwedNotice | OwedForward


class Consignment(msgspec.Struct, frozen=True, kw_only=True):
    """The recipients of one message at one destination; `id` is unique, `queue_id` the message's.

    `home` names the queue folder that has the message's file: the workers of that folder deliver it. `origin` is the
    consignment that owes this one, "" for what people sent. `retry_at`: due then, once nothing is owed. `hold`: to be
    held when the attempt under way ends. `forced`: a person asked for an attempt now, whatever is known of the
    destination.
    """

    id: str
    queue_id: str
    trace_id: str
    home: str
    destination: str
    state: State
    due_at: float
    queued_at: float
    attempts: int
    size: int
    envelope: Envelope
    origin: str = ""
    owed: tuple[Owed, ...] = ()
    retry_at: float = 0.0
    hold: bool = False
    forced: bool = False
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
    def begun_at(self) -> float:
        """From when on it is tried: the queue's patience is counted from there."""
        return max(self.queued_at, self.envelope.release_at)

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
