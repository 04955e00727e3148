"""Properties that clients set: PROPPATCH and extended MKCOL share what may be set, and how (RFC 4918 §9.2, RFC 5689)."""

from collections.abc import Mapping, Sequence

import msgspec

from mailstead.protocols.dav.errors import DavError
from mailstead.protocols.dav.exchange import Exchange
from mailstead.protocols.dav.multistatus import status_line
from mailstead.protocols.dav.names import d
from mailstead.protocols.dav.properties.definition import PropertyTable
from mailstead.protocols.dav.resources import CollectionResource, ObjectResource
from mailstead.protocols.dav.xml.reader import Element
from mailstead.protocols.dav.xml.writer import element, serialise

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class Instruction(msgspec.Struct, frozen=True):
    """Set a property to an element, or remove it (None)."""

    name: str
    value: Element | None


class Refused(msgspec.Struct, frozen=True):
    """Why one property cannot be set."""

    name: str
    status: int
    condition: str = ""


def instructions(parent: Element) -> list[Instruction]:
    """DAV:set and DAV:remove in their order (RFC 4918 §14.26, §14.23)."""
    found: list[Instruction] = []
    for one in parent.children:
        if one.tag not in (d("set"), d("remove")):
            continue
        is_set = one.tag == d("set")
        for prop in one.all(d("prop")):
            language = prop.attributes.get(_LANGUAGE) or one.attributes.get(_LANGUAGE)
            for value in prop.children:
                if language is not None:
                    value.attributes.setdefault(_LANGUAGE, language)
                found.append(Instruction(value.tag, value if is_set else None))
    return found


def checked(
    exchange: Exchange,
    resource: CollectionResource | ObjectResource,
    table: PropertyTable,
    asked: Sequence[Instruction],
    stored: Mapping[str, bytes],
) -> tuple[dict[str, bytes | None], list[Refused]]:
    """What is to be stored, and what is refused; when anything is, nothing may be stored."""
    settings, live = exchange.settings.dav, table.of(resource)
    changes: dict[str, bytes | None] = {}
    refused: list[Refused] = []
    for one in asked:
        known = live.get(one.name)
        if one.name in table.protected:
            refused.append(Refused(one.name, 403, d("cannot-modify-protected-property")))
            continue
        if one.value is None:
            changes[one.name] = None
            continue
        if known is not None and known.check is not None:
            try:
                known.check(resource, one.value)
            except DavError as error:
                refused.append(Refused(one.name, error.http_status, error.condition))
                continue
        octets = serialise(one.value).encode()
        if len(octets) > settings.property_size:
            refused.append(Refused(one.name, 507))
            continue
        changes[one.name] = octets
    names = {*stored, *(name for name, value in changes.items() if value is not None)}
    if len(names) > settings.properties:
        refused += [Refused(name, 507) for name in changes]
    return changes, refused


def propstats(asked: Sequence[Instruction], refused: Sequence[Refused]) -> str:
    """A propstat for each status: when one failed, the others failed with it (424)."""
    by_status: dict[tuple[int, str], list[str]] = {}
    why = {one.name: (one.status, one.condition) for one in refused}
    for name in dict.fromkeys(one.name for one in asked):
        outcome = why.get(name, (424, "") if refused else (200, ""))
        by_status.setdefault(outcome, []).append(element(name))
    parts = []
    for (status, condition), names in by_status.items():
        error = f"<D:error>{element(condition)}</D:error>" if condition else ""
        parts.append(f"<D:propstat><D:prop>{''.join(names)}</D:prop>{status_line(status)}{error}</D:propstat>")
    return "".join(parts)
