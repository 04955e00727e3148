r"""Flags (RFC 9051 §2.3.2).

flag-list = "(" [flag *(SP flag)] ")";  flag = "\" atom / flag-keyword;  flag-keyword = atom
"""

import re

import msgspec

from mailstead.protocols.imap.errors import CommandError, NoError
from mailstead.protocols.imap.grammar.cursor import Cursor
from mailstead.stores.mailbox.flags import BY_NAME, KEYWORDS_LIMIT

_FLAG = re.compile(rb'\\?[^\x00-\x20(){%*"\\\]\x7f-\xff]{1,100}(?=[ )]|\Z)')


class Flags(msgspec.Struct, frozen=True):
    """System flags as bits, and keywords."""

    bits: int = 0
    keywords: tuple[str, ...] = ()


def _flag(cursor: Cursor) -> bytes:
    found = _FLAG.match(cursor.text, cursor.place)
    if found is None:
        raise CommandError("Not a flag")
    cursor.place = found.end()
    return found[0]


def _gather(words: list[bytes]) -> Flags:
    bits, keywords = 0, []
    for word in words:
        text = word.decode()
        if text.startswith("\\"):
            bit = BY_NAME.get(text.lower())
            if bit is not None:
                bits |= bit
            elif text.lower() != "\\recent":  # old clients give back what they were told (RFC 3501 §2.3.2)
                raise CommandError("Flag not known")
        else:
            keywords.append(text)
    if len(keywords) > KEYWORDS_LIMIT:
        raise NoError("Too many keywords", "LIMIT")
    return Flags(bits, tuple(keywords))


def flag_list(cursor: Cursor) -> Flags:
    """flag-list"""
    cursor.expect(b"(")
    words: list[bytes] = []
    while not cursor.take(b")"):
        if words:
            cursor.space()
        words.append(_flag(cursor))
    return _gather(words)


def store_flags(cursor: Cursor) -> Flags:
    """flag-list / (flag *(SP flag))"""
    if cursor.is_at(b"("):
        return flag_list(cursor)
    words = [_flag(cursor)]
    while cursor.take(b" "):
        words.append(_flag(cursor))
    return _gather(words)
