"""What became of the messages that one sent, step by step."""

from typing import Annotated, Any

from litestar import Controller, Request, Response, get
from litestar.params import QueryParameter

from mailstead.interfaces.api.standing import recipients_of
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render

_SHOWN, _LOOKED_AT = 50, 5000


class WayPages(Controller):
    """/account/sent"""

    path = "/account/sent"
    include_in_schema = False

    @get("/")
    async def show(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        q: Annotated[str, QueryParameter(max_length=300)] = "",
    ) -> Response[bytes]:
        """The newest of this mailbox, or those whose subject or addresses have `q`."""
        found = await services.api.sent.list_all(
            {"alias_id": identity.alias_id}, words=q.strip(), most=_LOOKED_AT if q.strip() else _SHOWN
        )
        trace = services.api.trace
        await trace.flush()  # what this process just did is to be seen
        ways = []
        for sent in found[:_SHOWN]:
            entries = await trace.find(sent.id)
            ways.append((sent, recipients_of(sent, entries), entries))
        return render(request, services, "account/sent.html", identity=identity, ways=ways, q=q)
