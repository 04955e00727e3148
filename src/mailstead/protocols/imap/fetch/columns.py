"""FETCH items that the view or the database holds ready: their values as columns for `weave`."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from typing import Any

from mailstead.formats.message.imap_string import string
from mailstead.protocols.imap.enabled import Enabled
from mailstead.protocols.imap.fetch.weave import heads, numerals, weave
from mailstead.protocols.imap.grammar.dates import internal_date
from mailstead.protocols.imap.responses import flags_text
from mailstead.protocols.imap.view import View

Row = tuple[Any, ...]


def _digits(values: Iterable[int]) -> Iterable[bytes]:
    return [b"%d" % value for value in values]


def _dates(values: Iterable[int]) -> Iterable[bytes]:
    return map(internal_date, values)


def _previews(values: Iterable[str]) -> Iterable[bytes]:
    return [string(value.encode("utf-8", "replace")) for value in values]


def _ready(values: Iterable[bytes]) -> Iterable[bytes]:
    return values


# Item -> column of the store, what stands before and after its value, how values are written
_ITEMS: dict[str, tuple[str, bytes, bytes, Callable[[Iterable[Any]], Iterable[bytes]]]] = {
    "UID": ("uid", b"UID ", b"", _digits),
    "FLAGS": ("uid", b"FLAGS (", b")", _ready),
    "INTERNALDATE": ("internal_date", b'INTERNALDATE "', b'"', _dates),
    "RFC822.SIZE": ("size", b"RFC822.SIZE ", b"", _digits),
    "ENVELOPE": ("envelope", b"ENVELOPE ", b"", _ready),
    "BODY": ("body", b"BODY ", b"", _ready),
    "BODYSTRUCTURE": ("bodystructure", b"BODYSTRUCTURE ", b"", _ready),
    "MODSEQ": ("modseq", b"MODSEQ (", b")", _digits),
    "EMAILID": ("message_id", b"EMAILID (M", b")", _digits),
    "THREADID": ("thread_id", b"THREADID (T", b")", _digits),
    "SAVEDATE": ("saved_at", b'SAVEDATE "', b'"', _dates),
    "PREVIEW": ("preview", b"PREVIEW ", b"", _previews),
}
_FROM_VIEW = frozenset({"UID", "FLAGS"})


class PlainItems:
    """The plain items of one FETCH."""

    def __init__(self, items: Sequence[str], enabled: Enabled) -> None:
        self._items = tuple(items)
        self._recent = not enabled.rev2
        self._uidonly = enabled.uidonly
        stored = dict.fromkeys(_ITEMS[item][0] for item in items if item not in _FROM_VIEW)
        # flags beside a modseq come from the same row: the view may be a moment behind it (RFC 7162 §3.1.4.2)
        self._flags_stored = "MODSEQ" in items and "FLAGS" in items
        if self._flags_stored:
            stored.update(flags=None, keywords=None)
        self.columns = tuple(dict.fromkeys(("uid", *stored)))
        self.needs_rows = bool(stored)

    def _woven(self, view: View, rows: Sequence[Row], low: int, high: int) -> Iterator[Iterable[bytes]]:
        """Columns of the items for the messages from `low` to `high`, for which `rows` are."""
        columns = dict(zip(self.columns, zip(*rows, strict=True), strict=False)) if rows else {}
        before = b""
        for item in self._items:
            column, lead, tail, written = _ITEMS[item]
            yield repeat(before + lead)
            before = tail + b" "
            if item == "UID":
                yield numerals(view.uids[low:high], view.uids[high - 1])
            elif item == "FLAGS":
                if self._flags_stored:
                    yield self._flags_of_rows(view, low, columns["flags"], columns["keywords"])
                else:
                    yield view.flags_texts(low, high, recent=self._recent)
            else:
                yield written(columns[column])
        yield repeat(before[:-1])

    def _flags_of_rows(self, view: View, low: int, flags: Iterable[int], keywords: Iterable[str]) -> Iterable[bytes]:
        return [
            flags_text(bits, words, self._recent and view.is_recent(view.uids[place]))
            for place, (bits, words) in enumerate(zip(flags, keywords, strict=True), low)
        ]

    def lines(self, view: View, rows: Sequence[Row], low: int, high: int) -> bytes:
        """Response lines of the messages from `low` to `high`; where rows are needed, there is one for each."""
        return weave([self.heads(view, low, high), *self._woven(view, rows, low, high), repeat(b")\r\n")])

    def heads(self, view: View, low: int, high: int) -> Iterable[bytes]:
        """How each line begins."""
        if self._uidonly:
            return [b"* %d UIDFETCH (" % uid for uid in view.uids[low:high]]
        return heads(low, high)

    def starts(self, view: View, rows: Sequence[Row], low: int, high: int) -> list[bytes]:
        """The beginnings of lines that go on with other items."""
        if not self._items:
            return list(self.heads(view, low, high))
        columns = [self.heads(view, low, high), *self._woven(view, rows, low, high)]
        return [b"".join(pieces) for pieces in zip(*columns, strict=False)]


def present(view: View, rows: list[Row], low: int, high: int) -> Iterator[tuple[list[Row], int, int]]:
    """The rows in stretches that have one for each message: some messages may be gone meanwhile."""
    if len(rows) == high - low:
        yield rows, low, high
        return
    start = 0
    places = [view.index(row[0]) for row in rows]
    for end in range(1, len(rows) + 1):
        if end == len(rows) or places[end] != places[end - 1] + 1:
            if places[start] >= 0:
                yield rows[start:end], places[start], places[end - 1] + 1
            start = end
