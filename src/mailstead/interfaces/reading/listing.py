"""Lists of messages: a window of a folder or of a search's result, newest first."""

from array import array
from collections.abc import Sequence

import msgspec

from mailstead.formats.message.envelope_shown import EnvelopeShown, read_envelope
from mailstead.formats.message.part import Part
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.messages import decode_parts, object_id
from mailstead.stores.mailbox.records import Ranges
from mailstead.stores.mailbox.search.criteria import Criterion

COLUMNS = (
    "uid",
    "flags",
    "keywords",
    "modseq",
    "message_id",
    "size",
    "internal_date",
    "sent_at",
    "thread_id",
    "preview",
    "envelope",
    "parts",
)

# As plain numbers: `&` of an enumeration's member costs more than all else of a row's flags
_SEEN, _FLAGGED, _ANSWERED, _DRAFT, _DELETED = map(
    int, (Flag.SEEN, Flag.FLAGGED, Flag.ANSWERED, Flag.DRAFT, Flag.DELETED)
)


class MessageRow(msgspec.Struct, frozen=True):
    """A message in a list; `date` in seconds since the epoch, `size` in octets."""

    uid: int
    id: str
    thread_id: int
    modseq: int
    date: int
    size: int
    preview: str
    envelope: EnvelopeShown
    is_seen: bool
    is_flagged: bool
    is_answered: bool
    is_draft: bool
    is_deleted: bool
    keywords: tuple[str, ...]
    has_attachments: bool


class Listing(msgspec.Struct, frozen=True):
    """A window of `total` messages from `offset` on."""

    rows: tuple[MessageRow, ...]
    total: int
    offset: int


def listing(
    mailbox: Mailbox, folder_id: int, *, offset: int, limit: int, criterion: Criterion | None = None
) -> Listing:
    """The window, newest first; of the messages that match where there is a criterion. Runs on a thread."""
    if criterion is None:
        uids: Sequence[int] = array("I", mailbox.snapshot(folder_id).uids)
    else:
        uids = mailbox.search(folder_id, criterion)
    total = len(uids)
    last = max(total - offset, 0)
    wanted = uids[max(last - limit, 0) : last]
    return Listing(tuple(message_rows(mailbox, folder_id, wanted)), total, offset)


def message_rows(mailbox: Mailbox, folder_id: int, uids: Sequence[int]) -> list[MessageRow]:
    """The rows of those uids that are still there, newest first."""
    found: list[MessageRow] = []
    for rows in mailbox.rows(folder_id, as_ranges(uids), COLUMNS):
        for row in rows:
            uid, flags, keywords, modseq, message_id, size, internal, sent, thread, preview, envelope, parts = row
            found.append(
                MessageRow(
                    uid=uid,
                    id=object_id(message_id),
                    thread_id=thread,
                    modseq=modseq,
                    date=sent or internal,
                    size=size,
                    preview=preview,
                    envelope=read_envelope(envelope),
                    is_seen=bool(flags & _SEEN),
                    is_flagged=bool(flags & _FLAGGED),
                    is_answered=bool(flags & _ANSWERED),
                    is_draft=bool(flags & _DRAFT),
                    is_deleted=bool(flags & _DELETED),
                    keywords=tuple(keywords.split()),
                    has_attachments=any(map(is_attachment, decode_parts(parts))),
                )
            )
    found.reverse()
    return found


def as_ranges(uids: Sequence[int]) -> Ranges:
    """Ascending uids as ranges."""
    ranges: Ranges = []
    for uid in uids:
        if ranges and ranges[-1][1] == uid - 1:
            ranges[-1] = (ranges[-1][0], uid)
        else:
            ranges.append((uid, uid))
    return ranges


def is_attachment(part: Part) -> bool:
    """Whether people would call the part an attachment: not text to be read, not an image shown inside the text."""
    if part.is_multipart or part.path == "":
        return False
    if part.disposition == "attachment":
        return True
    if part.content_id and part.type.startswith("image/"):
        return False
    return bool(part.filename) or not part.type.startswith(("text/", "message/", "image/"))
