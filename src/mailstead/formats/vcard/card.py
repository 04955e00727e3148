"""One card: version, UID, formatted name and e-mail addresses."""

import msgspec

from mailstead.formats.content_lines.component import Component, ContentBounds, read_components
from mailstead.formats.content_lines.errors import ContentError

VERSIONS = ("3.0", "4.0")


class Card(msgspec.Struct, frozen=True):
    """What is known of a card; `component` has all of its properties."""

    version: str
    uid: str
    name: str
    emails: tuple[str, ...]
    component: Component


def read_card(data: bytes, bounds: ContentBounds) -> Card:
    """The one card of `data`, of version 3.0 or 4.0, with a UID (RFC 6352 §5.1). Raises ContentError."""
    roots = read_components(data, bounds)
    if len(roots) != 1 or roots[0].name != "VCARD":
        raise ContentError("exactly one VCARD is wanted")
    return _card(roots[0])


def _card(component: Component) -> Card:
    version = component.value("VERSION")
    if version not in VERSIONS:
        raise ContentError(f"VERSION is {' or '.join(VERSIONS)}")
    identifier = component.first("UID")
    uid = identifier.text.strip() if identifier is not None else ""
    if not uid:
        raise ContentError("the card has no UID")
    full = component.first("FN")
    if full is None:
        raise ContentError("the card has no FN")
    emails = tuple(line.text.strip() for line in component.all("EMAIL") if line.value.strip())
    return Card(version, uid, full.text.strip(), emails, component)
