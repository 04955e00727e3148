"""Checks of single strings that are known before a script runs; each gives a sentence when the string is wrong."""

import re

import re2

from mailstead.formats.sieve.strings import IDENTIFIER

COMPARATORS = ("i;octet", "i;ascii-casemap", "i;ascii-numeric", "i;unicode-casemap")
RELATIONS = ("gt", "ge", "lt", "le", "eq", "ne")
ENVELOPE_PARTS = ("from", "to")
DATE_PARTS = (
    "year", "month", "day", "date", "julian", "hour", "minute", "second", "time", "iso8601", "std11", "zone", "weekday",
)  # fmt: skip
PROTECTED_FIELDS = frozenset({"received", "auto-submitted", "subject"})
_HEADER_NAME = re.compile(r"[!-9;-~]{1,200}")
_ZONE = re.compile(r"[+-](?:0[0-9]|1[0-9]|2[0-3])[0-5][0-9]")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"@]+(?:\.[^\s<>()\[\],;:\\\"@]+)*@[^\s<>()\[\],;:\\\"@]+")
_NAMED_ADDRESS = re.compile(r"[^<>\r\n]*<([^<>\s]+)>\s*")
_LIST_NAME = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*)?:[!-~]{1,500}")
_BREAKS = re.compile(r"[\r\n\x00]")
_SCRIPT_NAME = re.compile("[^\x00-\x1f\x7f-\x9f\u2028\u2029/\\\\]{1,128}")
SYSTEM_FLAGS = {name.lower(): name for name in ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")}
REGEX_MEMORY = 1024 * 1024
REGEX_LIMIT = 1000


def header_name(text: str) -> str | None:
    """A field's name (RFC 5322 §3.6.8)."""
    return None if _HEADER_NAME.fullmatch(text) else f'"{text}" is not the name of a header field.'


def is_address(text: str) -> bool:
    """Whether `text` is one address, with or without a name and angle brackets."""
    named = _NAMED_ADDRESS.fullmatch(text)
    return len(text) <= 1000 and _ADDRESS.fullmatch(named[1] if named else text.strip()) is not None


def bare_address(text: str) -> str:
    """local@domain of what `is_address` took."""
    named = _NAMED_ADDRESS.fullmatch(text)
    return named[1] if named else text.strip()


def address(text: str) -> str | None:
    """One address."""
    return None if is_address(text) else f'"{text}" is not an address.'


def list_name(text: str) -> str | None:
    """An absolute URI, or the short form of a Sieve URN (RFC 6134 §2.5)."""
    return None if _LIST_NAME.fullmatch(text) else f'"{text}" is not the name of a list, such as ":addrbook:default".'


def comparator(text: str) -> str | None:
    """A comparator that is there (RFC 4790)."""
    return None if text in COMPARATORS else f'There is no comparator "{text}"; there are {", ".join(COMPARATORS)}.'


def relation(text: str) -> str | None:
    """A relational operator (RFC 5231 §4)."""
    return None if text.lower() in RELATIONS else f'"{text}" is no relation; there are {", ".join(RELATIONS)}.'


def envelope_part(text: str) -> str | None:
    """A part of the envelope (RFC 5228 §5.4)."""
    return (
        None
        if text.lower() in ("from", "to", "auth")
        else f'The envelope has no part "{text}"; it has "from" and "to".'
    )


def date_part(text: str) -> str | None:
    """A part of a date (RFC 5260 §4.2)."""
    return None if text.lower() in DATE_PARTS else f'A date has no part "{text}"; it has {", ".join(DATE_PARTS)}.'


def zone(text: str) -> str | None:
    """An offset from UTC."""
    return None if _ZONE.fullmatch(text) else f'"{text}" is no zone; write it like "+0200".'


def variable_name(text: str) -> str | None:
    """A variable's name, in the namespace "global" or none (RFC 5229 §4, RFC 6609 §3.4.2)."""
    bare = text[7:] if text.lower().startswith("global.") else text
    return None if IDENTIFIER.fullmatch(bare) and len(bare) <= 64 else f'"{text}" is not the name of a variable.'


def plain_variable_name(text: str) -> str | None:
    """A variable's name without a namespace."""
    return None if IDENTIFIER.fullmatch(text) and len(text) <= 64 else f'"{text}" is not the name of a variable.'


def mailbox_name(text: str) -> str | None:
    """A mailbox's name."""
    if not text.strip() or len(text) > 255 or any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        return f'"{text}" is not the name of a mailbox.'
    return None


def script_name(text: str) -> str | None:
    """A script's name (RFC 5804 §1.6), without slashes, so that none can be taken for a path."""
    return None if _SCRIPT_NAME.fullmatch(text) and text.strip(". ") else f'"{text}" is not the name of a script.'


def one_line(text: str) -> str | None:
    """A text for a header field: no line breaks, so that it cannot begin another field."""
    return "A text for a header field holds a line break." if _BREAKS.search(text) else None


def special_use(text: str) -> str | None:
    """A special-use attribute (RFC 6154 §2)."""
    known = ("\\all", "\\archive", "\\drafts", "\\flagged", "\\junk", "\\sent", "\\trash", "\\important")
    return None if text.lower() in known else f'"{text}" is not a special use of mailboxes.'


def importance(text: str) -> str | None:
    """1 high, 2 normal, 3 low (RFC 5435 §3.4)."""
    return None if text in ("1", "2", "3") else 'The importance is "1", "2" or "3".'


def content_type(text: str) -> str | None:
    """A media type, its main type, or "" for all (RFC 5173 §5.2); others match nothing and are no error."""
    return None if text.isascii() else f'"{text}" is not a media type.'


def regex(text: str) -> str | None:
    """A POSIX extended regular expression that can be matched in linear time within its memory."""
    if len(text) > REGEX_LIMIT:
        return f"A regular expression has at most {REGEX_LIMIT} characters."
    try:
        compiled_regex(text, ignore_case=False)
    except re2.error:
        return f'"{text}" is not a regular expression that can be used.'
    return None


def compiled_regex(text: str, *, ignore_case: bool) -> "re2._Regexp":
    """The automaton of an expression, leftmost-longest as POSIX has it. Raises re2.error."""
    options = re2.Options()
    options.posix_syntax = True
    options.longest_match = True
    options.perl_classes = True
    options.word_boundary = True
    options.one_line = True
    options.log_errors = False
    options.max_mem = REGEX_MEMORY
    options.case_sensitive = not ignore_case
    return re2.compile(text, options)
