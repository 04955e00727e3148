"""The trace as a table to be kept or computed with."""

import csv
import io
from typing import Annotated

from litestar import Controller, Response, get
from litestar.params import QueryParameter

from mailstead.administration.actor import require_domain
from mailstead.administration.aliases import find_domain
from mailstead.foundation.errors import PermissionDeniedError
from mailstead.interfaces.api.access import USER
from mailstead.interfaces.api.moments import moment, parse_moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.trace.trace import TraceEntry

_MOST = 10_000
_LOOKED_AT = 100_000
_COLUMNS = ("at", "id", "service", "event", "message_id", "addresses", "text")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _cell(text: str) -> str:
    """A text that spreadsheets show as it is, and do not compute."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _table(entries: list[TraceEntry]) -> bytes:
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(_COLUMNS)
    for one in entries:
        row = (moment(one.at), one.trace_id, one.service, one.event, one.message_id, " ".join(one.keys), one.text)
        writer.writerow([_cell(text) for text in row])
    return written.getvalue().encode()


class LogController(Controller):
    """/logs"""

    path = "/logs"
    tags = ("Trace",)
    opt = {"access": USER}

    @get("/download", summary="The trace as CSV", media_type="text/csv")
    async def download(
        self,
        identity: Identity,
        services: ApiServices,
        q: Annotated[str, QueryParameter(max_length=320, description="An address, Message-ID or queue id")] = "",
        domain: Annotated[str, QueryParameter(max_length=253, description="Of one domain's addresses")] = "",
        since: str = "",
    ) -> Response[bytes]:
        """The latest 10,000 entries at most (RFC 4180), oldest first: of a domain that you administer, or your own."""
        await services.trace.flush()
        start = parse_moment(since) if since else 0.0
        if domain:
            found = await find_domain(services.administration, domain)
            require_domain(identity.actor, found)
            entries = await services.trace.recent(start, _LOOKED_AT, ends=f"@{found.id}", most=_MOST)
            if q:
                entries = [one for one in entries if q.lower() in one.keys or q == one.message_id]
        elif q:
            if not identity.actor.is_admin and not await self._is_own(q, identity, services):
                raise PermissionDeniedError("This is no address of yours")
            entries = await services.trace.find(q, start, _MOST)
        elif identity.actor.is_admin:
            entries = await services.trace.recent(start, _MOST, most=_MOST)
        else:
            entries = await services.trace.find(identity.address, start, _MOST)
        headers = {"Content-Disposition": 'attachment; filename="mailstead-log.csv"'}
        return Response(_table(entries), media_type="text/csv", headers=headers)

    @staticmethod
    async def _is_own(q: str, identity: Identity, services: ApiServices) -> bool:
        return "@" in q and await services.administration.directory.may_send_as(identity.actor.user_id, q)
