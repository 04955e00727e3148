"""Comparators (RFC 4790, RFC 5051) and match types (RFC 5228 §2.7.1, RFC 5231), in time linear in what is compared."""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import msgspec

from mailstead.formats.sieve.checks import compiled_regex

_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
_DIGITS = re.compile("[0-9]+")
_PIECES = re.compile(r"\\(.)|([*?])|([^*?\\]+|\\)", re.DOTALL)
DEFAULT_COMPARATOR = "i;ascii-casemap"


def _ascii_casemap(text: str) -> str:
    return text.upper() if text.isascii() else text.translate(_UPPER)


def _unicode_casemap(text: str) -> str:
    """RFC 5051 §2: title case of each character, then its compatibility decomposition."""
    titled = "".join(letter.title() if len(letter.title()) == 1 else letter for letter in text)
    return unicodedata.normalize("NFKD", titled)


NORMAL: dict[str, Callable[[str], str]] = {
    "i;octet": lambda text: text,
    "i;ascii-casemap": _ascii_casemap,
    "i;unicode-casemap": _unicode_casemap,
}


def numeric(text: str) -> float | int:
    """i;ascii-numeric: the digits that `text` begins with; infinity when there are none (RFC 4790 §9.1)."""
    digits = _DIGITS.match(text)
    if digits is None:
        return float("inf")
    return int(digits[0][:400])


def compare(comparator: str, left: str, right: str) -> int:
    """-1, 0 or 1."""
    if comparator == "i;ascii-numeric":
        first, second = numeric(left), numeric(right)
        return (first > second) - (first < second)
    normal = NORMAL[comparator]
    one, other = normal(left), normal(right)
    return (one > other) - (one < other)


RELATIONS: dict[str, frozenset[int]] = {
    "gt": frozenset({1}),
    "ge": frozenset({0, 1}),
    "lt": frozenset({-1}),
    "le": frozenset({-1, 0}),
    "eq": frozenset({0}),
    "ne": frozenset({-1, 1}),
}


class Glob(msgspec.Struct, frozen=True):
    """A pattern of :matches, cut at its stars: `segments` are compiled runs of characters and question marks."""

    segments: tuple["re.Pattern[str]", ...]
    captures: tuple[tuple[int, int], ...]  # for each wildcard in order: (segment, group); group 0 is the star before it


@lru_cache(maxsize=512)
def parse_glob(pattern: str) -> Glob:
    """Cut a pattern: `*` any run, `?` one character, a backslash takes the meaning from what follows."""
    segments: list[str] = [""]
    captures: list[tuple[int, int]] = []
    groups = 0
    for escaped, wildcard, plain in _PIECES.findall(pattern):
        if wildcard == "*":
            segments.append("")
            captures.append((len(segments) - 1, 0))
            groups = 0
        elif wildcard == "?":
            groups += 1
            segments[-1] += "(.)"
            captures.append((len(segments) - 1, groups))
        else:
            segments[-1] += re.escape(escaped or plain)
    return Glob(tuple(re.compile(segment, re.DOTALL) for segment in segments), tuple(captures))


def match_glob(pattern: str, text: str, original: str) -> tuple[str, ...] | None:
    """The whole and what each wildcard stands for, None when `text` does not match; wildcards take little.

    `text` and `pattern` are normal forms; captures are taken from `original` when it has the same length.

    Each segment is looked for once, from where the one before ended: that is what taking little means, and it cannot
    fail where another choice would succeed, for all but the last segment may be found anywhere.
    """
    glob = parse_glob(pattern)
    source = original if len(original) == len(text) else text
    first = glob.segments[0].match(text)
    if first is None:
        return None
    if len(glob.segments) == 1:
        if first.end() != len(text):
            return None
        return source, *(source[slice(*first.span(group))] for _, group in glob.captures)
    found = [first]
    for segment in glob.segments[1:-1]:
        place = segment.search(text, found[-1].end())
        if place is None:
            return None
        found.append(place)
    last = _at_end(glob.segments[-1], text, found[-1].end())
    if last is None:
        return None
    found.append(last)
    return source, *(_captured(source, found, number, group) for number, group in glob.captures)


def _at_end(segment: "re.Pattern[str]", text: str, least: int) -> "re.Match[str] | None":
    """The last segment must end the text; its length is that of its first match anywhere, for it has no repeats."""
    width = _width(segment.pattern)
    start = len(text) - width
    return segment.fullmatch(text, start) if start >= least else None


@lru_cache(maxsize=512)
def _width(pattern: str) -> int:
    return len(re.sub(r"\(\.\)|\\.", "x", pattern, flags=re.DOTALL))


def _captured(source: str, found: "list[re.Match[str]]", number: int, group: int) -> str:
    if group:
        return source[slice(*found[number].span(group))]
    return source[found[number - 1].end() : found[number].start()]


def match_regex(pattern: str, text: str, *, ignore_case: bool) -> tuple[str, ...] | None:
    """The whole match and its groups; linear in `text`. Raises re2.error for what is no expression."""
    found = compiled_regex(pattern, ignore_case=ignore_case).search(text)
    return None if found is None else tuple(group or "" for group in (found.group(0), *found.groups()))
