"""Variables of a run (RFC 5229), global ones among included scripts (RFC 6609 §3.4), and modifiers of values."""

import re
from collections.abc import Callable
from urllib.parse import quote

from mailstead.formats.sieve.program import Template, Variable
from mailstead.formats.sieve.specification import Values

_WILDCARDS = re.compile(r"([*?\\])")
_PRECEDENCES = ("40", "30", "20", "15", "10")
_REGEX_SIGNS = re.compile(r"([.^$*+?()\[\]{}|\\])")

# RFC 5229 §4.1, RFC 5435 §6: in the order they are applied, by precedence
MODIFIERS: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "lowerfirst": lambda text: text[:1].lower() + text[1:],
    "upperfirst": lambda text: text[:1].upper() + text[1:],
    "quotewildcard": lambda text: _WILDCARDS.sub(r"\\\1", text),
    "quoteregex": lambda text: _REGEX_SIGNS.sub(r"\\\1", text),
    "encodeurl": lambda text: quote(text, safe="-._~"),
    "length": lambda text: str(len(text)),
}


def modify(values: Values, text: str) -> str:
    """`text` after the modifiers among a command's arguments."""
    for name, change in MODIFIERS.items():
        if name in (values.get(precedence) for precedence in _PRECEDENCES):
            text = change(text)
    return text


class Scope:
    """The variables that one script sees."""

    def __init__(self, shared: dict[str, str], size: int, count: int) -> None:
        self._own: dict[str, str] = {}
        self._shared = shared
        self._declared: set[str] = set()
        self._size = size
        self._count = count
        self.match: tuple[str, ...] = ()

    def declare(self, name: str) -> bool:
        """Make a name global; False when it was set as the script's own before."""
        if name.lower() in self._own:
            return False
        self._declared.add(name.lower())
        return True

    def _place(self, name: str) -> tuple[dict[str, str], str]:
        lowered = name.lower()
        if lowered.startswith("global."):
            return self._shared, lowered[7:]
        return (self._shared if lowered in self._declared else self._own), lowered

    def get(self, name: str) -> str:
        """A variable's value, "" when it was never set."""
        place, key = self._place(name)
        return place.get(key, "")

    def set(self, name: str, value: str) -> bool:
        """Set a variable, cut to the limit of its size; False when there are too many of them."""
        place, key = self._place(name)
        if key not in place and len(place) >= self._count:
            return False
        place[key] = value[: self._size]
        return True

    def expand(self, template: Template) -> str:
        """A string with its variables' values, cut at four times the limit of one of them."""
        if isinstance(template, str):
            return template
        pieces: list[str] = []
        left = self._size * 4
        for piece in template:
            text = piece if isinstance(piece, str) else self._value(piece)
            pieces.append(text[:left])
            left -= len(text)
            if left <= 0:
                break
        return "".join(pieces)

    def _value(self, variable: Variable) -> str:
        if variable.number is not None:
            return self.match[variable.number] if variable.number < len(self.match) else ""
        return self.get(f"global.{variable.name}" if variable.namespace else variable.name)
