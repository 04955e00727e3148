"""Text of HTML for search and previews: tags, scripts and styles dropped, entities resolved; linear, never fails."""

import re
from html import unescape

_START = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]{0,30})|<[!?/]")
_DROPPED = {name: re.compile(rf"</{name}\b", re.IGNORECASE) for name in ("script", "style", "title")}
_SEPARATORS = {"td": " ", "th": " "} | dict.fromkeys(
    [
        "p",
        "div",
        "tr",
        "table",
        "li",
        "ul",
        "ol",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "section",
        "br",
        "hr",
    ],
    "\n",
)
_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"\s*\n\s*")
_SECTION = "<![CDATA["


def html_to_text(source: str) -> str:
    """The readable text of `source`, blocks on lines of their own.

    Each search begins where the last ended, and one that finds nothing ends the whole: expressions over pairs of tags
    take quadratic time on tags that are never closed.
    """
    pieces: list[str] = []
    position = 0
    while position >= 0:
        start = source.find("<", position)
        if start < 0:
            pieces.append(source[position:])
            break
        pieces.append(source[position:start])
        position = _after_markup(source, start, pieces)
    text = unescape("".join(pieces))
    return _LINES.sub("\n", _SPACES.sub(" ", text)).strip()


def _after_markup(source: str, start: int, pieces: list[str]) -> int:
    """Where text goes on after the markup at `start`, -1 when it never ends; what it shows goes to `pieces`."""
    if source.startswith("<!--", start):
        end = source.find("-->", start + 4)
        return end + 3 if end >= 0 else -1
    if source.startswith(_SECTION, start):
        return start + len(_SECTION)
    tag = _START.match(source, start)
    if tag is None:
        pieces.append("<")
        return start + 1
    end = source.find(">", tag.end())
    if end < 0:
        return -1
    name = (tag[1] or "").lower()
    pieces.append(_SEPARATORS.get(name, ""))
    closing = _DROPPED.get(name)
    if closing is None or source[start + 1] == "/":
        return end + 1
    close = closing.search(source, end + 1)
    return close.start() if close else -1
