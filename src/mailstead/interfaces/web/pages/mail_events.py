"""New mail without a reload: server-sent events (HTML Living Standard §9.2)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Controller, Request, get
from litestar.params import QueryParameter
from litestar.response import Stream

from mailstead.foundation.net.http.handler import DRAINING
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.mail import opened
from mailstead.interfaces.web.services import WebServices
from mailstead.stores.mailbox.mailbox import Mailbox

_PING = 25.0


def _unseen(mailbox: Mailbox) -> int:
    return mailbox.status(mailbox.folder("INBOX").id).unseen


class MailEventPages(Controller):
    """/mail/events"""

    path = "/mail"
    include_in_schema = False

    @get("/unseen")
    async def unseen(self, services: WebServices, identity: Identity) -> dict[str, int]:
        """How many messages of the inbox were not read; for the badge of the installed application."""
        mailbox = await opened(services, identity)
        return {"unseen": await services.api.mailboxes.run(_unseen, mailbox)}

    @get("/events")
    async def events(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        since: Annotated[int, QueryParameter(ge=0)] = 0,
    ) -> Stream:
        """Server-sent events: `mail` whenever the mailbox changed, at once when it did after the modseq `since`."""
        draining: asyncio.Event = request.scope["state"][DRAINING]
        changed = asyncio.Event()
        name = f"mailbox.{identity.mailbox_id}"
        mailbox = await opened(services, identity)
        subscription = await services.api.bus.subscribe(name, lambda _, __: changed.set(), on_gap=changed.set)

        async def stream() -> AsyncIterator[bytes]:
            try:
                yield b"retry: 3000\n\n"
                if since and await services.api.mailboxes.run(mailbox.modseq) > since:
                    changed.set()
                while not draining.is_set():
                    waiting = [asyncio.ensure_future(event.wait()) for event in (changed, draining)]
                    done, late = await asyncio.wait(waiting, timeout=_PING, return_when=asyncio.FIRST_COMPLETED)
                    for task in late:
                        task.cancel()
                    if changed.is_set():
                        changed.clear()
                        yield b"event: mail\ndata: {}\n\n"
                    elif not done:
                        yield b": still here\n\n"
            finally:
                subscription.close()

        return Stream(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
