"""C:schedule-response: what became of a message for each who was to get it (RFC 6638 §10.2)."""

from collections.abc import Sequence

from mailstead.protocols.dav.message import XML, Response
from mailstead.protocols.dav.names import DECLARATIONS
from mailstead.protocols.dav.xml.writer import escape

OK, UNKNOWN = "2.0;Success", "3.7;Invalid calendar user"


def answer(recipient: str, status: str, data: bytes | None = None) -> str:
    """C:response of one recipient, who is named as in the request."""
    calendar = "" if data is None else f"<C:calendar-data>{escape(data.decode('utf-8', 'replace'))}</C:calendar-data>"
    return (
        f"<C:response><C:recipient><D:href>{escape(recipient)}</D:href></C:recipient>"
        f"<C:request-status>{escape(status)}</C:request-status>{calendar}</C:response>"
    )


def answers(parts: Sequence[str]) -> Response:
    """The whole document."""
    body = f'<?xml version="1.0" encoding="utf-8"?>\n<C:schedule-response{DECLARATIONS}>{"".join(parts)}'
    return Response(200, (("Cache-Control", "no-cache"),), f"{body}</C:schedule-response>\n".encode(), XML)
