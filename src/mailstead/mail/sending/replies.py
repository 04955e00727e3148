"""What a refusal means: replies.toml beside this file, read once."""

import re
import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

Kind = Literal["recipient", "full", "policy", "reputation", "rate", "authentication", "content", "network"]
_LOOKED_AT = 1000


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """What a reply means; `provider` is "" when many say so, `source` where that is written."""

    pattern: str
    kind: Kind
    advice: str
    source: str
    provider: str = ""


@cache
def meanings() -> Sequence[tuple[re.Pattern[str], Meaning]]:
    """The table in its order."""
    text = (files("mailstead.mail.sending") / "replies.toml").read_text("utf-8")
    entries = msgspec.convert(tomllib.loads(text)["reply"], tuple[Meaning, ...])
    return tuple((re.compile(entry.pattern, re.IGNORECASE), entry) for entry in entries)


def meaning_of(text: str) -> Meaning | None:
    """The meaning of a reply as `CODE STATUS TEXT`; None when nothing is known of it."""
    looked_at = text[:_LOOKED_AT]
    return next((meaning for pattern, meaning in meanings() if pattern.search(looked_at)), None)
