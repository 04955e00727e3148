"""How an option is declared: a type with its sentence and its unit.

Use in a section: `idle_timeout: Annotated[float, duration("How long ...")] = 1800`.
"""

from typing import Literal

import msgspec


def text(sentence: str, *, pattern: str | None = None, allowed: str = "text") -> msgspec.Meta:
    """A string that `pattern` matches, `allowed` says so in words; an enumeration when the field's type is a Literal."""
    return msgspec.Meta(description=sentence, pattern=pattern, extra={"unit": "text", "allowed": allowed})


def secret_text(sentence: str, *, pattern: str | None = None, allowed: str = "text") -> msgspec.Meta:
    """A string that is never printed; see `text`."""
    return msgspec.Meta(description=sentence, pattern=pattern, extra={"unit": "secret", "allowed": allowed})


def path(sentence: str) -> msgspec.Meta:
    """A file or folder; the field's type is str."""
    return msgspec.Meta(description=sentence, extra={"unit": "path"})


def number(sentence: str, *, least: int = 0, most: int | None = None) -> msgspec.Meta:
    """A whole number between `least` and `most`."""
    return msgspec.Meta(description=sentence, ge=least, le=most, extra={"unit": "number"})


def size(sentence: str, *, least: int = 0) -> msgspec.Meta:
    """Bytes as a whole number; written with an optional suffix K, M, G, T (powers of 1024)."""
    return msgspec.Meta(description=sentence, ge=least, extra={"unit": "size"})


def points(sentence: str, *, least: float = 0) -> msgspec.Meta:
    """Points of a score as a float."""
    return msgspec.Meta(description=sentence, ge=least, extra={"unit": "points"})


def duration(sentence: str, *, least: float = 0) -> msgspec.Meta:
    """Seconds as a float; written with an optional suffix ms, s, m, h, d."""
    return msgspec.Meta(description=sentence, ge=least, extra={"unit": "duration"})


def switch(sentence: str) -> msgspec.Meta:
    """A bool; written true or false."""
    return msgspec.Meta(description=sentence, extra={"unit": "switch"})


def port(sentence: str) -> msgspec.Meta:
    """A TCP port as `int | None`; 0 is any free port, None (written off) is not started."""
    return msgspec.Meta(description=sentence, extra={"unit": "port"})


def listing(
    sentence: str, *, each: Literal["servers", "networks", "domains", "addresses", "DNS lists", "words"]
) -> msgspec.Meta:
    """What `each` names (DNS lists as foundation.dns.lists reads them), separated by commas, as `tuple[str, ...]`."""
    return msgspec.Meta(description=sentence, extra={"unit": each})
