"""Macros (RFC 7208 §7).

macro-string  = *( macro-expand / macro-literal )
macro-expand  = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
macro-literal = %x21-24 / %x26-7E
macro-letter  = "s" / "l" / "o" / "d" / "i" / "p" / "h" / "c" / "r" / "t" / "v"
transformers  = *DIGIT [ "r" ]
delimiter     = "." / "-" / "+" / "," / "/" / "_" / "="
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from mailstead.mail.authentication.spf.errors import SpfSyntaxError

_TOKEN = re.compile(
    r"%\{([slodiphcrtv])([0-9]*)(r?)([.\-+,/_=]*)\}|%([%_-])|([!-$&-~]+)|( +)|(.)", re.IGNORECASE | re.DOTALL
)
_ESCAPES = {"%": "%", "_": " ", "-": "%20"}
_ONLY_IN_EXPLANATIONS = frozenset("crt")
_NAME_LIMIT = 253
_DIGITS_LIMIT = 9


class Macro(msgspec.Struct, frozen=True):
    """One `%{...}`; `keep` right-hand parts, 0 for all; `escape`: written in upper case (RFC 7208 §7.3)."""

    letter: str
    keep: int
    reverse: bool
    delimiters: str
    escape: bool


MacroString = tuple[str | Macro, ...]


def parse_macro_string(text: str, *, explanation: bool = False) -> MacroString:
    """`text` in literals and macros; an explanation may hold spaces and the letters c, r, t. Raises SpfSyntaxError."""
    parsed: list[str | Macro] = []
    for token in _TOKEN.finditer(text):
        letter, digits, reverse, delimiters, escaped, literal, spaces, other = token.groups()
        if letter is not None:
            if not explanation and letter.lower() in _ONLY_IN_EXPLANATIONS:
                raise SpfSyntaxError(f"{token[0]} is for explanations only")
            if digits and (len(digits) > _DIGITS_LIMIT or int(digits) == 0):
                raise SpfSyntaxError(f"{token[0]}: not a number of parts")
            parsed.append(Macro(letter.lower(), int(digits or 0), bool(reverse), delimiters or ".", letter.isupper()))
        elif escaped is not None:
            parsed.append(_ESCAPES[escaped])
        elif literal is not None or (spaces is not None and explanation):
            parsed.append(token[0])
        else:
            raise SpfSyntaxError(f"{(spaces or other)!r} is not allowed here")
    return tuple(parsed)


def letters(parsed: MacroString) -> frozenset[str]:
    """The letters of the macros in it."""
    return frozenset(part.letter for part in parsed if isinstance(part, Macro))


def expand(parsed: MacroString, values: Mapping[str, str]) -> str:
    """The string with `values` by letter put in."""
    return "".join([part if isinstance(part, str) else _transformed(part, values[part.letter]) for part in parsed])


def _transformed(macro: Macro, value: str) -> str:
    if macro.keep or macro.reverse or macro.delimiters != ".":
        parts = re.split("[" + re.escape(macro.delimiters) + "]", value)
        if macro.reverse:
            parts.reverse()
        value = ".".join(parts[-macro.keep :])
    return quote(value, safe="-._~") if macro.escape else value


def fitted(name: str) -> str:
    """A name of at most 253 octets: labels are taken off its left end (RFC 7208 §7.3)."""
    name = name.removesuffix(".")
    while len(name) > _NAME_LIMIT and "." in name:
        name = name[max(name.find("."), 0) + 1 :]
    return name
