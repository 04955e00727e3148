"""How a list lets its readers go (RFC 2369 §3.2, RFC 8058)."""

import re
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from mailstead.interfaces.reading.message import MessageShown

_URI = re.compile(r"<\s*([^<>\s]{1,2000})\s*>")


class Unsubscribe(msgspec.Struct, frozen=True):
    """The way: a POST that needs no page, a message, or a page to be visited."""

    way: Literal["post", "mail", "page"]
    target: str


def unsubscribe_of(message: MessageShown) -> Unsubscribe | None:
    """The best way that the message names."""
    targets = _URI.findall(message.field("list-unsubscribe"))
    is_one_click = message.field("list-unsubscribe-post").replace(" ", "").lower() == "list-unsubscribe=one-click"
    for target in targets:
        if is_one_click and target.lower().startswith("https://"):
            return Unsubscribe("post", target)
    for target in targets:
        if target.lower().startswith("mailto:"):
            return Unsubscribe("mail", target)
    for target in targets:
        if target.lower().startswith(("https://", "http://")):
            return Unsubscribe("page", target)
    return None


def letter_of(target: str) -> tuple[str, str, str]:
    """Address, subject and text of a mailto URI (RFC 6068)."""
    parts = urlsplit(target)
    fields = {name.lower(): values[0] for name, values in parse_qs(parts.query).items()}
    subject = " ".join(fields.get("subject", "unsubscribe").split())
    return unquote(parts.path), subject[:200], fields.get("body", "")[:2000]
