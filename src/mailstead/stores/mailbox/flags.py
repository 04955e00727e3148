"""Flags: the five system flags as bits, keywords as sorted atoms in one string."""

import re
from collections.abc import Iterable
from enum import IntFlag


class Flag(IntFlag):
    """System flags (RFC 9051 §2.3.2); \\Recent is no flag of the store."""

    SEEN = 1
    ANSWERED = 2
    FLAGGED = 4
    DELETED = 8
    DRAFT = 16


NAMES = {
    Flag.SEEN: "\\Seen",
    Flag.ANSWERED: "\\Answered",
    Flag.FLAGGED: "\\Flagged",
    Flag.DELETED: "\\Deleted",
    Flag.DRAFT: "\\Draft",
}
BY_NAME = {name.lower(): flag for flag, name in NAMES.items()}
KEYWORDS_LIMIT = 100


def keyword_text(keywords: Iterable[str]) -> str:
    """Keywords as they are stored: each once (case ignored, the first spelling kept), sorted, joined by spaces."""
    kept: dict[str, str] = {}
    for keyword in keywords:
        kept.setdefault(keyword.lower(), keyword)
    return " ".join(kept[name] for name in sorted(kept))


_NO_KEYWORD = re.compile(r'[^\x21-\x7e]|[(){%*"\\\]]')


def valid_keywords(words: Iterable[str]) -> list[str]:
    """Those of `words` that can be keywords (RFC 9051 §9, flag-keyword), at most KEYWORDS_LIMIT."""
    return [word for word in words if 0 < len(word) <= 100 and not _NO_KEYWORD.search(word)][:KEYWORDS_LIMIT]


def split_flags(names: Iterable[str]) -> tuple[int, str]:
    """Names of flags as bits and keywords as they are stored; words that are neither are left out."""
    bits, words = 0, list[str]()
    for name in names:
        flag = BY_NAME.get(name.lower())
        if flag is None:
            words.append(name)
        else:
            bits |= flag
    return bits, keyword_text(valid_keywords(words))


def changed_keywords(current: str, operation: str, keywords: Iterable[str]) -> str:
    """`current` after adding, removing or replacing `keywords`."""
    if operation == "replace":
        return keyword_text(keywords)
    held = current.split()
    if operation == "add":
        return keyword_text([*held, *keywords])
    gone = {keyword.lower() for keyword in keywords}
    return keyword_text(keyword for keyword in held if keyword.lower() not in gone)
