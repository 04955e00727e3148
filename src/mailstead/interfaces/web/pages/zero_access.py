"""Zero access: whether this server alone can open the mailbox, and the recovery code that such a mailbox needs."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from mailstead.administration.aliases import find_alias
from mailstead.administration.passwords import add_recovery_code, lock_mailbox, unlock_mailbox
from mailstead.foundation.errors import InvalidError, MailsteadError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render


class Proved(msgspec.Struct, frozen=True):
    """What is asked for; `code` is the recovery code, typed in to show that it was kept."""

    action: Annotated[str, msgspec.Meta(max_length=10)]
    code: Annotated[str, msgspec.Meta(max_length=200)] = ""


class ZeroAccessPages(Controller):
    """/account/zero-access"""

    path = "/account/zero-access"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """How it stands."""
        return await self._page(request, services, identity)

    @post("/", status_code=200)
    async def change(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[Proved, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Make a recovery code, which is shown this once; lock; or let the server open the mailbox again."""
        administration, actor, address = services.api.administration, identity.actor, identity.address
        assert identity.key is not None
        try:
            match data.action:
                case "code":
                    code = await add_recovery_code(administration, actor, address, current=identity.key)
                    return await self._page(request, services, identity, made=code)
                case "lock":
                    alias = await find_alias(administration, actor, address)
                    slots = [slot for slot in alias.slots if slot.kind == "recovery"]
                    (await administration.authenticator.open_slots(slots, data.code.strip())).close()
                    await lock_mailbox(administration, actor, address)
                case "unlock":
                    await unlock_mailbox(administration, actor, address, identity.key)
                case _:
                    raise InvalidError("This cannot be done with mailboxes")
        except MailsteadError as error:
            return await self._page(request, services, identity, problem=error.public_text, status=error.http_status)
        return moved("/account/zero-access")

    @staticmethod
    async def _page(
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        *,
        made: str = "",
        problem: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        alias = await find_alias(services.api.administration, identity.actor, identity.address)
        return render(
            request,
            services,
            "account/zero_access.html",
            identity=identity,
            alias=alias,
            has_code=any(slot.kind == "recovery" for slot in alias.slots),
            made=made,
            problem=problem,
            status=status,
        )
