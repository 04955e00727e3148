"""The If header (RFC 4918 §10.4).

If = "If" ":" ( 1*No-tag-list | 1*Tagged-list )
List = "(" 1*Condition ")"
Condition = ["Not"] (State-token | "[" entity-tag "]")
"""

import re

import msgspec

from mailstead.protocols.dav.errors import DavError

_PART = re.compile(r"\s*(?:(<)([^<>\s]*)>|(\()|(\))|(Not)\b|\[((?:W/)?\"[^\"]*\")\])", re.IGNORECASE)
_MOST = 200


class Condition(msgspec.Struct, frozen=True):
    """One state token or ETag that the resource has, or has not."""

    is_not: bool
    token: str = ""
    etag: str = ""


class ConditionList(msgspec.Struct, frozen=True):
    """Conditions that all must hold for a resource; an empty `resource` is the request's own."""

    resource: str
    conditions: tuple[Condition, ...]


def parse_if(text: str) -> list[ConditionList]:
    """The lists, of which one must hold. Raises DavError."""
    lists: list[ConditionList] = []
    place, resource = 0, ""
    inside: list[Condition] | None = None
    negated = False
    parts = 0
    while place < len(text.rstrip()):
        match = _PART.match(text, place)
        parts += 1
        if match is None or parts > _MOST:
            raise _bad()
        place = match.end()
        if match[1] and inside is None:
            resource = match[2]
        elif match[3] and inside is None:
            inside = []
        elif match[4] and inside:
            lists.append(ConditionList(resource, tuple(inside)))
            inside = None
        elif match[5] and inside is not None and not negated:
            negated = True
            continue
        elif match[1] and inside is not None:
            inside.append(Condition(negated, token=match[2]))
        elif match[6] and inside is not None:
            inside.append(Condition(negated, etag=match[6]))
        else:
            raise _bad()
        negated = False
    if inside is not None or not lists:
        raise _bad()
    return lists


def _bad() -> DavError:
    return DavError(400, "The If header is not of its form")
