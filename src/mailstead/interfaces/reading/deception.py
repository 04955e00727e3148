"""Senders that look like somebody else: a name that holds another address, a domain written with letters of several
scripts (homographs, UTS 39 §5.1)."""

import re
import unicodedata
from typing import Literal

from mailstead.formats.message.envelope_shown import Person

Deception = Literal["", "name", "script"]
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TOGETHER = ({"HIRAGANA", "KATAKANA", "CJK", "LATIN"}, {"HANGUL", "CJK", "LATIN"}, {"BOPOMOFO", "CJK", "LATIN"})


def deception(person: Person) -> Deception:
    """How the sender may deceive, empty when nothing speaks for it."""
    named = _ADDRESS.search(person.name)
    if named is not None and named[0].casefold() != person.address.casefold():
        return "name"
    domain = unicode_domain(person.address.rpartition("@")[2])
    if any(_is_mixed(label) for label in domain.split(".")):
        return "script"
    return ""


def unicode_domain(domain: str) -> str:
    """The domain as people read it; as it stands where it is no name of IDNA."""
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain


def ascii_domain(domain: str) -> str:
    """The domain as DNS has it; as it stands where it is no name of IDNA."""
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def _is_mixed(label: str) -> bool:
    """Whether letters of scripts stand together that no language writes together, or look like Latin and are not."""
    scripts = {unicodedata.name(letter, "LATIN").split(" ")[0] for letter in label if letter.isalpha()}
    if len(scripts) > 1:
        return not any(scripts <= together for together in _TOGETHER)
    return bool(scripts) and scripts <= {"CYRILLIC", "GREEK"} and all(one in _LOOKALIKES for one in label)


_LOOKALIKES = frozenset(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u051b\u051d\u03bd\u03bf\u03b1\u03c5"
    "\u04cf-0123456789"
)
"""Cyrillic and Greek letters that are drawn like Latin ones."""
