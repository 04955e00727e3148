"""ESEARCH responses (RFC 9051 §7.3.4, RFC 7162 §3.1.10, RFC 9394 §3.1)."""

from collections.abc import Sequence

import msgspec

from mailstead.formats.message.imap_string import string
from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.protocols.imap.grammar.sequence import PartialRange, format_sequence, partial_range

_OPTIONS = frozenset({"MIN", "MAX", "ALL", "COUNT", "SAVE"})


class Returns(msgspec.Struct, frozen=True):
    """What a search is to return; `options` empty for the old response."""

    options: frozenset[str] = frozenset()
    partial: PartialRange | None = None

    @property
    def saves(self) -> bool:
        """Whether the result is to be kept for `$`."""
        return "SAVE" in self.options

    @property
    def is_silent(self) -> bool:
        """Whether nothing but keeping it is asked for."""
        return self.options == {"SAVE"} and self.partial is None

    def kept(self, found: Sequence[int]) -> Sequence[int]:
        """What `$` is to stand for, of all that was found in order (RFC 9051 §6.4.4.1, RFC 9394 §3.1)."""
        if self.partial is not None and not self.options & {"ALL", "COUNT", "MIN", "MAX"}:
            low, high = self.partial.slice(len(found))
            return found[low:high]
        if self.options & {"ALL", "COUNT"} or not self.options & {"MIN", "MAX"}:
            return found
        ends = {"MIN": 0, "MAX": -1}
        return list({found[place] for option, place in ends.items() if option in self.options and found})


def search_returns(cursor: Cursor) -> Returns:
    """ "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")" SP, where it comes next"""
    if cursor.peek_word() != "RETURN":
        return Returns()
    cursor.word()
    cursor.space()
    cursor.expect(b"(")
    options: set[str] = set()
    partial = None
    first = True
    while not cursor.take(b")"):
        if not first:
            cursor.space()
        first = False
        word = cursor.word()
        if word == "PARTIAL":
            cursor.space()
            partial = partial_range(cursor)
        elif word in _OPTIONS:
            options.add(word)
        else:
            raise CommandError("Result option not known")
    if partial is not None and "ALL" in options:
        raise CommandError("PARTIAL does not go with ALL")
    cursor.space()
    return Returns(frozenset(options) if options or partial else frozenset({"ALL"}), partial)


def esearch(tag: str, returns: Returns, numbers: Sequence[int], *, by_uid: bool, modseq: int = 0) -> bytes:
    """The response for the numbers that were found, in the order of the result; `modseq` 0 is not told.

    MIN and MAX are the first and the last in that order (RFC 5267 §3.1).
    """
    pieces = [b"* ESEARCH (TAG %b)" % string(tag.encode())]
    if by_uid:
        pieces.append(b"UID")
    options = returns.options
    if numbers:
        if "MIN" in options:
            pieces.append(b"MIN %d" % numbers[0])
        if "MAX" in options:
            pieces.append(b"MAX %d" % numbers[-1])
        if "ALL" in options:
            pieces.append(b"ALL %b" % format_sequence(numbers))
    if "COUNT" in options:
        pieces.append(b"COUNT %d" % len(numbers))
    if returns.partial is not None:
        low, high = returns.partial.slice(len(numbers))
        part = format_sequence(numbers[low:high]) if low < high else b"NIL"
        pieces.append(b"PARTIAL (%b %b)" % (returns.partial.text(), part))
    if modseq and numbers:
        pieces.append(b"MODSEQ %d" % modseq)
    return b" ".join(pieces) + b"\r\n"
