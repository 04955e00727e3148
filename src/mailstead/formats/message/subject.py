"""The base subject (RFC 5256 §2.1): without reply and forward marks, for threads and sorting."""

import re

_MARKED = re.compile(r"[:\[(]")  # what every mark has
# each octet has one way to match: with two, a hostile subject takes exponential time
_TRAILER = re.compile(r"(?:\(fwd\)|\s)+\Z", re.IGNORECASE)
_BLOB = r"\[[^\[\]]{0,200}\]\s*"
_LEADER = re.compile(rf"(?:{_BLOB})*(?:re|fwd?|aw|wg|sv|vs)\s*(?:{_BLOB})?:\s*", re.IGNORECASE)
_BLOB_FIRST = re.compile(_BLOB)
_FORWARD = re.compile(r"\[fwd:\s*(.*)\]\Z", re.IGNORECASE)
_LIMIT = 1000
_ROUNDS = 50


def base_subject(subject: str) -> str:
    """The base of a decoded subject, its case kept; "" when nothing but marks was there."""
    text = " ".join(subject[:_LIMIT].split())
    if not _MARKED.search(text):
        return text
    for _ in range(_ROUNDS):
        before = text
        text = _TRAILER.sub("", text)
        leader = _LEADER.match(text)
        if leader:
            text = text[leader.end() :]
        blob = _BLOB_FIRST.match(text)
        if blob and blob.end() < len(text):
            text = text[blob.end() :]
        forward = _FORWARD.fullmatch(text)
        if forward:
            text = forward[1]
        if text == before:
            break
    return text.strip()
