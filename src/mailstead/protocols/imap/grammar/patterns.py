"""LIST patterns (RFC 9051 §6.3.9): `*` matches anything, `%` anything but the hierarchy separator.

Names are matched by all prefixes of the pattern at once, one bit each, so that no pattern takes exponential time.
"""

import re

SEPARATOR = "/"
_WILD = re.compile(r"[*%]+")


class Pattern:
    """One pattern, its reference name already before it."""

    __slots__ = ("_any", "_begin", "_end", "_level", "_literals", "_wild", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        if text.upper() == "INBOX" or text.upper().startswith("INBOX/"):
            text = "INBOX" + text[5:]
        text = _WILD.sub(lambda found: "*" if "*" in found[0] else "%", text)
        self._literals: dict[str, int] = {}
        self._any = self._level = 0
        for place, letter in enumerate(text):
            if letter == "*":
                self._any |= 1 << place
            elif letter == "%":
                self._level |= 1 << place
            else:
                self._literals[letter] = self._literals.get(letter, 0) | 1 << place
        self._wild = self._any | self._level
        self._end = 1 << len(text)
        self._begin = self._past_wild(1)

    def _past_wild(self, states: int) -> int:
        return states | (states & self._wild) << 1

    def matches(self, name: str) -> bool:
        """Whether the whole name matches; INBOX is matched in any case."""
        if name == "INBOX" and self.text.upper() == "INBOX":
            return True
        states = self._begin
        for letter in name:
            stay = self._any if letter == SEPARATOR else self._wild
            states = self._past_wild((states & self._literals.get(letter, 0)) << 1 | states & stay)
            if not states:
                return False
        return bool(states & self._end)
