"""One message to be read: its header, its best text, and its attachments."""

from collections.abc import Sequence

import msgspec

from mailstead.formats.message.charset import decode
from mailstead.formats.message.encoded_word import decode_header_value
from mailstead.formats.message.envelope_shown import clean
from mailstead.formats.message.header import iter_fields, unfold
from mailstead.formats.message.part import Part
from mailstead.formats.message.section import decode_content
from mailstead.interfaces.reading.listing import MessageRow, is_attachment
from mailstead.stores.mailbox.content import MessageContent

TEXT_LIMIT = 2 * 1024 * 1024
_HEADER_LIMIT = 256 * 1024


class AttachmentShown(msgspec.Struct, frozen=True):
    """An attachment; `path` is its section number, `size` in octets as transferred."""

    path: str
    filename: str
    type: str
    size: int
    is_inline: bool


class MessageShown(msgspec.Struct, frozen=True):
    """A message: `html` and `text` as they were written (html is not harmless yet), empty where there is none."""

    row: MessageRow
    html: str
    text: str
    attachments: tuple[AttachmentShown, ...]
    header: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]

    def field(self, name: str) -> str:
        """The first field of that name, decoded; empty when there is none."""
        wanted = name.lower()
        return next((value for field, value in self.header if field.lower() == wanted), "")


def read_message(content: MessageContent, row: MessageRow) -> MessageShown:
    """Read a message; at most 2 MiB of each text. Runs on a thread."""
    parts = content.parts
    block = content.read(parts[0].header_start, min(parts[0].body_start, _HEADER_LIMIT))
    header = tuple(
        (name.decode("latin-1"), clean(decode_header_value(unfold(value)))) for name, value in iter_fields(block)
    )
    text, html = _best(parts, "text/plain"), _best(parts, "text/html")
    attachments = tuple(
        AttachmentShown(
            part.path, clean(part.filename), part.type, part.body_end - part.body_start, bool(part.content_id)
        )
        for part in parts
        if is_attachment(part) or (part.content_id and part.type.startswith("image/"))
    )
    return MessageShown(
        row,
        "" if html is None else part_text(content, html),
        "" if text is None else part_text(content, text),
        attachments,
        header,
        parts,
    )


def part_text(content: MessageContent, part: Part) -> str:
    """A text part, decoded."""
    data = content.read(part.body_start, min(part.body_end, part.body_start + TEXT_LIMIT))
    return decode(decode_content(data, part.encoding), part.charset).replace("\r\n", "\n")


def part_octets(content: MessageContent, part: Part) -> bytes:
    """A part's content with its transfer encoding undone."""
    return decode_content(content.read(part.body_start, part.body_end), part.encoding)


def _best(parts: Sequence[Part], kind: str) -> Part | None:
    """The first part of that type that is no attachment and not inside an attached message."""
    for part in parts:
        if part.type == kind and not is_attachment(part) and not _is_inside_message(parts, part):
            return part
    return None


def _is_inside_message(parts: Sequence[Part], part: Part) -> bool:
    while part.parent >= 0:
        part = parts[part.parent]
        if part.type == "message/rfc822" and part.path:
            return True
    return False
