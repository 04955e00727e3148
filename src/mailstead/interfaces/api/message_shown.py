"""A message as the API tells it, in lists, alone and in events."""

import msgspec

from mailstead.formats.message.envelope_shown import Person
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.reading.listing import MessageRow
from mailstead.interfaces.reading.message import AttachmentShown


class MessageShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message. `flags` are system flags, `labels` the keywords; dates are in UTC, `size` is in octets.

    Text, HTML, header and attachments come with one message, not with lists; `raw` where it is asked for.
    """

    id: str
    thread_id: str
    folder_id: str
    folder: str
    uid: int
    subject: str
    sender: list[Person]
    to: list[Person]
    cc: list[Person]
    message_id: str
    date: str
    size: int
    preview: str
    flags: list[str]
    labels: list[str]
    is_unread: bool
    is_flagged: bool
    has_attachment: bool
    modify_index: int
    object: str = "message"
    text: str = ""
    html: str = ""
    header: list[tuple[str, str]] = []
    attachments: list[AttachmentShown] = []
    raw: str | None = None


def shown(folder_id: str, folder: str, row: MessageRow) -> MessageShown:
    """The message as lists tell it."""
    envelope = row.envelope
    bits = {
        "\\Seen": row.is_seen,
        "\\Answered": row.is_answered,
        "\\Flagged": row.is_flagged,
        "\\Deleted": row.is_deleted,
        "\\Draft": row.is_draft,
    }
    return MessageShown(
        row.id,
        f"T{row.thread_id}",
        folder_id,
        folder,
        row.uid,
        envelope.subject,
        list(envelope.senders),
        list(envelope.to),
        list(envelope.cc),
        envelope.message_id,
        moment(row.date),
        row.size,
        row.preview,
        [name for name, is_set in bits.items() if is_set],
        list(row.keywords),
        not row.is_seen,
        row.is_flagged,
        row.has_attachments,
        row.modseq,
    )
