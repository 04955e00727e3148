"""FETCH items that the database holds ready: response lines made from rows, without an object per message.

The items become one template; a row's values go into it as they are, but for the few that have to be written first.
"""

from collections.abc import Callable, Sequence
from typing import Any

from mailstead.formats.message.imap_string import string
from mailstead.protocols.imap.grammar.dates import internal_date
from mailstead.protocols.imap.view import View

# Item -> column, how the response shows it, and what a value goes through first
_Write = Callable[[Any], Any] | None
_COLUMNS: dict[str, tuple[str, bytes, _Write]] = {
    "UID": ("uid", b"UID %d", None),
    "INTERNALDATE": ("internal_date", b'INTERNALDATE "%b"', internal_date),
    "RFC822.SIZE": ("size", b"RFC822.SIZE %d", None),
    "ENVELOPE": ("envelope", b"ENVELOPE %b", None),
    "BODY": ("body", b"BODY %b", None),
    "BODYSTRUCTURE": ("bodystructure", b"BODYSTRUCTURE %b", None),
    "MODSEQ": ("modseq", b"MODSEQ (%d)", None),
    "EMAILID": ("message_id", b"EMAILID (M%d)", None),
    "THREADID": ("thread_id", b"THREADID (T%d)", None),
    "SAVEDATE": ("saved_at", b'SAVEDATE "%b"', internal_date),
    "PREVIEW": ("preview", b"PREVIEW %b", lambda text: string(text.encode())),
}
FROM_VIEW = frozenset({"UID", "FLAGS"})


class PlainItems:
    """Plain items of one FETCH: the columns to read and how a row is shown."""

    def __init__(self, items: Sequence[str], *, recent: bool) -> None:
        ordered = sorted(items, key=lambda item: item != "UID")
        self.columns = ["uid"]
        self._recent = recent
        self._shows_uid = "UID" in ordered
        self._flags_at = -1
        self._writes: list[tuple[int, Callable[[Any], Any]]] = []
        shown: list[bytes] = []
        for item in ordered:
            if item == "FLAGS":
                self._flags_at = len(self.columns)
                self.columns.append("uid")
                shown.append(b"FLAGS (%b)")
                continue
            column, text, write = _COLUMNS[item]
            shown.append(text)
            if item == "UID":
                continue
            if write is not None:
                self._writes.append((len(self.columns), write))
            self.columns.append(column)
        self.template = b" ".join(shown)

    @property
    def width(self) -> int:
        """How many of a row's first columns belong to the plain items."""
        return len(self.columns)

    def values(self, view: View, row: Sequence[Any], place: int) -> tuple[Any, ...]:
        """What goes into the template for a row at an index of the view."""
        first = 0 if self._shows_uid else 1
        if self._flags_at < 0 and not self._writes:
            return tuple(row[first : self.width])
        values = list(row[: self.width])
        if self._flags_at >= 0:
            values[self._flags_at] = view.flags_text(place, recent=self._recent)
        for at, write in self._writes:
            values[at] = write(values[at])
        return tuple(values[first:])

    def lines(self, view: View, rows: list[tuple[Any, ...]], low: int, high: int) -> list[bytes]:
        """Response lines of rows of the slice from `low` to `high`."""
        template = b"* %d FETCH (" + self.template + b")\r\n"
        if len(rows) == high - low:
            places: Sequence[int] = range(low, high)
        else:  # some are gone meanwhile
            found = [(place, row) for row in rows if (place := view.index(row[0])) >= 0]
            places, rows = [place for place, _ in found], [row for _, row in found]
        if self._flags_at < 0 and not self._writes:
            if self._shows_uid:
                return [template % (place + 1, *row) for place, row in zip(places, rows, strict=True)]
            return [template % (place + 1, *row[1:]) for place, row in zip(places, rows, strict=True)]
        values = self.values
        return [template % (place + 1, *values(view, row, place)) for place, row in zip(places, rows, strict=True)]


def view_lines(view: View, items: Sequence[str], low: int, high: int, *, recent: bool) -> list[bytes]:
    """Response lines for UID and FLAGS, which the view knows."""
    numbers = range(low + 1, high + 1)
    uids = view.uids[low:high]
    if "FLAGS" not in items:
        return [b"* %d FETCH (UID %d)\r\n" % pair for pair in zip(numbers, uids, strict=True)]
    texts = view.flags_texts(low, high, recent=recent)
    if "UID" not in items:
        return [b"* %d FETCH (FLAGS (%b))\r\n" % pair for pair in zip(numbers, texts, strict=True)]
    return [b"* %d FETCH (UID %d FLAGS (%b))\r\n" % line for line in zip(numbers, uids, texts, strict=True)]
