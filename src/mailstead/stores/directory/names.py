"""Names as the directory compares them: domains as A-labels, local parts in Unicode NFC, both in lower case."""

import re
import unicodedata

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


def is_pattern(name: str) -> bool:
    """Whether an alias's name is `/regex/`."""
    return len(name) > 2 and name.startswith("/") and name.endswith("/")


_PATTERN_LIMIT = 200
# a quantified group that itself repeats or branches can take exponential time: such patterns are refused
_NESTED = re.compile(r"\([^()]*[*+{|][^()]*\)\s*[*+{]")


def checked_pattern(name: str) -> re.Pattern[str]:
    """The pattern of a `/regex/` alias. Raises InvalidAddressError when it is none or could run away."""
    source = name[1:-1]
    if len(source) > _PATTERN_LIMIT or _NESTED.search(source) or source.count("*") + source.count("+") > 8:
        raise InvalidAddressError(f"{name}: pattern too long or with nested repetition")
    if re.search(r"\\[1-9]|\(\?[=!<]", source):
        raise InvalidAddressError(f"{name}: back references and look-arounds are not taken")
    try:
        return re.compile(source, re.IGNORECASE)
    except re.error as error:
        raise InvalidAddressError(f"{name}: {error}") from None
