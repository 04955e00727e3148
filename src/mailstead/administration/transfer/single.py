"""One file of mail that was handed over: an mbox or a message; and what kind of file some octets are."""

from collections.abc import Iterator

from mailstead.administration.transfer.files import Keys, mbox_items, message_item
from mailstead.administration.transfer.item import Item
from mailstead.formats.message.part import Octets
from mailstead.stores.mailbox.folders import INBOX
from mailstead.stores.transfers.transfers import Form

START = 64
_MARKS: tuple[tuple[bytes, Form], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"From ", "mbox"),
    (b"BEGIN:VCALENDAR", "ics"),
    (b"BEGIN:VCARD", "vcf"),
)


def form_of(start: bytes) -> Form:
    """The kind of file that begins like this; a message where nothing else is seen."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n ")
    return next((form for mark, form in _MARKS if text.startswith(mark)), "eml")


class SingleSource:
    """See Source; everything is in INBOX. `written` is the date of messages that tell none."""

    def __init__(self, form: Form, octets: Octets, written: int) -> None:
        self._form = form
        self._octets = octets
        self._written = written

    def count(self) -> int | None:
        """See Source."""
        return None if self._form == "mbox" else 1

    def folders(self) -> list[tuple[str, bool]]:
        """See Source."""
        return []

    def items(self) -> Iterator[Item]:
        """See Source."""
        keys = Keys()
        if self._form == "mbox":
            yield from mbox_items(INBOX, self._octets, self._written, keys)
        else:
            yield message_item(INBOX, self._octets, self._written, keys)
