"""OPTIONS (RFC 9110 §9.3.7, RFC 4918 §10.1)."""

from collections.abc import Iterable

from mailstead.protocols.dav.message import Response

CLASSES = (
    "1, 2, 3, access-control, extended-mkcol",
    "calendar-access, addressbook, calendarserver-principal-property-search",
)


def options(methods: Iterable[str], features: Iterable[str]) -> Response:
    """What the server can do; nobody has to log in for this."""
    return Response(200, (("DAV", ", ".join((*CLASSES, *features))), ("Allow", ", ".join(methods))))
