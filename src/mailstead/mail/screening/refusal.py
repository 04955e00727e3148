"""Why something is not taken."""

import re

import msgspec

_UNSAYABLE = re.compile(r"[^\x20-\x7e]")
_LIMIT = 300


class Refusal(msgspec.Struct, frozen=True):
    """An SMTP reply; with `closes` the conversation is over. `words` are for the trace where they say more."""

    code: int
    status: str
    text: str
    closes: bool = False
    words: str = ""

    @property
    def explanation(self) -> str:
        """Why, for people here."""
        return self.words or self.text


def sayable(text: str) -> str:
    """A stranger's words as they may stand in a reply or a header field: printable ASCII on one line, cut."""
    return _UNSAYABLE.sub("?", text)[:_LIMIT]
