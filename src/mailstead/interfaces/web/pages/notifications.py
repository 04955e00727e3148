"""Web Push by setting: browsers subscribe, are listed, and are let go."""

import base64
import binascii
from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body

from mailstead.foundation.errors import InvalidError, NotFoundError
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.pages.mail import opened
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.mail.push.encryption import AUTH_OCTETS, read_point
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.push.subscriptions import PushSubscriptions

_AGENT_LIMIT = 200


class NewSubscription(msgspec.Struct, frozen=True):
    """What the browser's push manager gave, the keys in base64url."""

    endpoint: Annotated[str, msgspec.Meta(max_length=2048)]
    key: Annotated[str, msgspec.Meta(max_length=100)]
    auth: Annotated[str, msgspec.Meta(max_length=40)]


class GoneSubscription(msgspec.Struct, frozen=True):
    """The one to forget."""

    id: Annotated[str, msgspec.Meta(max_length=40)]


def _octets(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidError("This is no key of a browser") from None


def _last(mailbox: Mailbox) -> int:
    return mailbox.folder("INBOX").uidnext - 1


class NotificationPages(Controller):
    """/account/notifications"""

    path = "/account/notifications"
    include_in_schema = False

    @get("/")
    async def show(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """The browsers that are told."""
        kept = PushSubscriptions(services.api.administration.documents, services.api.clock)
        return render(
            request,
            services,
            "account/notifications.html",
            identity=identity,
            is_on=services.api.settings.web.push,
            key=services.push.public_key,
            subscriptions=await kept.of(identity.mailbox_id),
        )

    @post("/", status_code=200)
    async def subscribe(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[NewSubscription, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Tell this browser from now on."""
        if not services.api.settings.web.push:
            raise NotFoundError
        key, auth = _octets(data.key), _octets(data.auth)
        read_point(key)
        if len(auth) != AUTH_OCTETS:
            raise InvalidError("This is no key of a browser")
        await services.push.check(data.endpoint)
        mailbox = await opened(services, identity)
        kept = PushSubscriptions(services.api.administration.documents, services.api.clock)
        await kept.begin(identity.mailbox_id, await services.api.mailboxes.run(_last, mailbox))
        agent = request.headers.get("user-agent", "")[:_AGENT_LIMIT]
        await kept.add(identity.mailbox_id, data.endpoint, key, auth, agent)
        return moved("/account/notifications")

    @post("/remove", status_code=200)
    async def remove(
        self,
        services: WebServices,
        identity: Identity,
        data: Annotated[GoneSubscription, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Tell a browser no more."""
        kept = PushSubscriptions(services.api.administration.documents, services.api.clock)
        if not await kept.remove(identity.mailbox_id, data.id):
            raise NotFoundError
        return moved("/account/notifications")
