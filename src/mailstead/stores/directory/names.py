"""Names as the directory compares them: domains as A-labels, local parts in Unicode NFC, both in lower case."""

import re
import unicodedata
from functools import lru_cache
from typing import Protocol

import re2

from mailstead.foundation.errors import InvalidError

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_DOMAIN_LIMIT = 253
LOCAL_PART_LIMIT = 64
CATCH_ALL = "*"


class InvalidAddressError(InvalidError):
    """The text is no address or domain."""

    smtp_code = 553
    enhanced_code = "5.1.3"
    public_text = "Not a valid address"


def domain_name(text: str) -> str:
    """A domain in its compared form. Raises InvalidAddressError."""
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError:
            raise InvalidAddressError(f"{text}: not a domain") from None
    if len(name) > _DOMAIN_LIMIT or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise InvalidAddressError(f"{text}: not a domain")
    return name


def split_address(text: str) -> tuple[str, str]:
    """Local part and domain in their compared forms. Raises InvalidAddressError."""
    local, at, domain = text.strip().rpartition("@")
    if local.startswith('"') and local.endswith('"') and len(local) > 1:
        local = re.sub(r"\\(.)", r"\1", local[1:-1])
    local = unicodedata.normalize("NFC", local).lower()
    if not at or not local or len(local.encode()) > LOCAL_PART_LIMIT or any(ord(letter) < 32 for letter in local):
        raise InvalidAddressError(f"{text}: not an address")
    return local, domain_name(domain)


_PATTERN = re.compile(r"/(.+)/[gimsuy]*", re.DOTALL)
_PATTERN_LIMIT = 500
_PATTERN_MEMORY = 1024 * 1024


class Match(Protocol):
    """What a pattern found."""

    def group(self, number: int) -> str | None:
        """What a group matched. Raises IndexError."""
        ...


class Pattern(Protocol):
    """The pattern of a `/regex/` alias; `fullmatch` takes time linear in the text, whatever the pattern."""

    def fullmatch(self, text: str) -> Match | None:
        """The match of all of `text`."""
        ...


def is_pattern(name: str) -> bool:
    """Whether an alias's name is `/regex/`; flags as JavaScript has them may follow and change nothing."""
    return _PATTERN.fullmatch(name) is not None


@lru_cache(maxsize=1000)
def checked_pattern(name: str) -> Pattern:
    """The pattern of a `/regex/` alias, in RE2's syntax; it ignores case. Raises InvalidAddressError."""
    found = _PATTERN.fullmatch(name)
    if found is None or len(found[1]) > _PATTERN_LIMIT:
        raise InvalidAddressError(f"{name[:_PATTERN_LIMIT]}: not a /regex/ of at most {_PATTERN_LIMIT} characters")
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _PATTERN_MEMORY
    try:
        pattern: Pattern = re2.compile(found[1], options)
    except re2.error as error:
        # look-arounds and back references are what RE2 has not, and what takes exponential time elsewhere
        raise InvalidAddressError(f"{name}: not a regular expression that can be used ({_why(error)})") from None
    return pattern


def _why(error: "re2.error") -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
