"""Getting back: messages that were erased within the undelete window."""

from typing import Any

from litestar import Controller, Request, Response, get, post

from mailstead.foundation.errors import InvalidError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.pages.mail import opened
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.interfaces.web.writing import place_of

_SHOWN = 500


class RecoveryPages(Controller):
    """/account/erased"""

    path = "/account/erased"
    include_in_schema = False

    @get("/")
    async def show(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, told: str = ""
    ) -> Response[bytes]:
        """What can be brought back, the last erased first."""
        mailbox = await opened(services, identity)
        return render(
            request,
            services,
            "account/erased.html",
            identity=identity,
            erased=await services.api.mailboxes.run(mailbox.list_expunged, _SHOWN),
            days=services.api.settings.mailbox.undelete_days,
            told=told,
        )

    @post("/", status_code=200)
    async def restore(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Bring back what was picked."""
        picked = [str(value) for value in (await request.form()).getall("place", [])]
        try:
            places = [place_of(one) for one in picked[:_SHOWN]]
        except ValueError:
            raise InvalidError("This is no message's number") from None
        mailbox = await opened(services, identity)
        await services.api.mailboxes.run(mailbox.restore, places)
        return moved("/account/erased?told=restored")
