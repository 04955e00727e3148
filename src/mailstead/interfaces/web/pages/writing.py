"""Names and signatures of the addresses that one writes as, and how long what was sent can be taken back."""

from typing import Any

from litestar import Controller, Request, Response, get, post

from mailstead.administration.sending import set_undo
from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.identities import NAME_LIMIT, SIGNATURE_LIMIT, keep_writers, own_addresses, writers
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.pages.mail import opened
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.interfaces.web.writing import Writer
from mailstead.stores.directory.records import Alias

_CHOICES = ("", "0", "5", "10", "30", "60", "300")


class WritingPages(Controller):
    """/account/writing"""

    path = "/account/writing"
    include_in_schema = False

    @get("/")
    async def show(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, told: str = ""
    ) -> Response[bytes]:
        """The form."""
        mailbox = await opened(services, identity)
        administration = services.api.administration
        addresses = await own_addresses(administration, identity)
        alias = await administration.directory.get(Alias, identity.alias_id)
        if alias is None:
            raise NotFoundError
        undo = "" if alias.undo is None else f"{alias.undo:g}"
        return render(
            request,
            services,
            "account/writing.html",
            identity=identity,
            writers=await services.api.mailboxes.run(writers, mailbox, addresses),
            name_limit=NAME_LIMIT,
            signature_limit=SIGNATURE_LIMIT,
            undo=undo,
            choices=_CHOICES if undo in _CHOICES else (*_CHOICES, undo),
            told=told,
        )

    @post("/", status_code=200)
    async def keep(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """Keep what was entered."""
        form = await request.form()
        mailbox = await opened(services, identity)
        administration = services.api.administration
        addresses = await own_addresses(administration, identity)
        wanted = [
            Writer(
                address,
                str(form.get(f"name {address}") or ""),
                str(form.get(f"signature {address}") or "").replace("\r\n", "\n").strip(),
            )
            for address in addresses
        ]
        if any(not one.name.isprintable() for one in wanted):
            raise InvalidError("A name is one line of text")
        await services.api.mailboxes.run(keep_writers, mailbox, wanted)
        undo = str(form.get("undo") or "")
        if undo and not (undo.isascii() and undo.isdigit() and len(undo) <= 4):
            raise InvalidError("Mail waits 0 to 3600 seconds")
        await set_undo(administration, identity.actor, identity.address, float(undo) if undo else None)
        return moved("/account/writing?told=saved")
