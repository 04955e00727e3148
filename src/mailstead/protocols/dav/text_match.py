"""Text comparison of queries: collations and kinds of match (RFC 4790, RFC 5051, RFC 4791 §9.7.5, RFC 6352 §10.5.4)."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.xml.reader import Element

Kind = Literal["contains", "equals", "starts-with", "ends-with"]
_KINDS: dict[str, Kind] = {
    "contains": "contains", "equals": "equals", "starts-with": "starts-with", "ends-with": "ends-with",
}  # fmt: skip
_ASCII_UPPER = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}


def _ascii(text: str) -> str:
    return text.translate(_ASCII_UPPER)


def _unicode(text: str) -> str:
    """Case and compatibility forms do not count."""
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())


COLLATIONS: dict[str, Callable[[str], str]] = {
    "i;ascii-casemap": _ascii,
    "i;octet": str,
    "i;unicode-casemap": _unicode,
}


class TextMatch(msgspec.Struct, frozen=True):
    """What is looked for, in the form of its collation."""

    text: str
    collation: str
    kind: Kind
    is_negated: bool

    def matches(self, values: Sequence[str]) -> bool:
        """Whether one of the values matches; negated: none does."""
        form = COLLATIONS[self.collation]
        return any(self._is(form(value)) for value in values) != self.is_negated

    def _is(self, value: str) -> bool:
        match self.kind:
            case "contains":
                return self.text in value
            case "equals":
                return value == self.text
            case "starts-with":
                return value.startswith(self.text)
            case "ends-with":
                return value.endswith(self.text)


def text_match(element: Element, default: str, unsupported: str, invalid: str) -> TextMatch:
    """The match of an element; `unsupported` and `invalid` are the preconditions. Raises DavError."""
    collation = element.attributes.get("collation", default)
    if collation == "default":
        collation = default
    if collation not in COLLATIONS:
        raise DavError(412, "That collation is not known", unsupported)
    kind = element.attributes.get("match-type", "contains")
    if kind not in _KINDS:
        raise DavError(400, "That kind of match is not known", invalid)
    negated = element.attributes.get("negate-condition", "no") == "yes"
    return TextMatch(COLLATIONS[collation](element.text), collation, _KINDS[kind], negated)
