"""Event hooks of a domain, and what was delivered to them."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.params import Parameter, QueryParameter

from mailstead.administration.event_hooks import (
    add_hook,
    list_deliveries,
    list_hooks,
    remove_hook,
    rotate_webhook_key,
    send_again,
    set_hook,
    test_hook,
    webhook_key,
)
from mailstead.interfaces.api.access import USER
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.directory.records import EventHook, EventKind
from mailstead.stores.events.deliveries import EventDelivery, State

DomainName = Annotated[str, Parameter(description="The domain's name")]
Url = Annotated[str, msgspec.Meta(min_length=8, max_length=2048)]
Kinds = Annotated[list[EventKind], msgspec.Meta(min_length=1, max_length=20)]
Description = Annotated[str, msgspec.Meta(max_length=150)]


class HookShown(msgspec.Struct, frozen=True):
    """A URL that is told of events: message, delivered, deferred, bounce, complaint, quota."""

    id: str
    url: str
    events: tuple[EventKind, ...]
    description: str
    is_enabled: bool
    created_at: str
    object: str = "hook"


class HookWanted(msgspec.Struct, frozen=True):
    """A hook to be told; https unless the server allows plain http."""

    url: Url
    events: Kinds
    description: Description = ""


class HookChange(msgspec.Struct, frozen=True):
    """What to change; what is left out stays."""

    url: Url | msgspec.UnsetType = msgspec.UNSET
    events: Kinds | msgspec.UnsetType = msgspec.UNSET
    description: Description | msgspec.UnsetType = msgspec.UNSET
    is_enabled: bool | msgspec.UnsetType = msgspec.UNSET


class KeyShown(msgspec.Struct, frozen=True):
    """The key that signs the domain's deliveries: HMAC-SHA256 with its text."""

    key: str
    object: str = "webhook_key"


class AttemptShown(msgspec.Struct, frozen=True):
    """One attempt; `status` is HTTP's, 0 without an answer."""

    at: str
    status: int
    text: str


class DeliveryShown(msgspec.Struct, frozen=True):
    """One event for one hook; `next_at` is null when nothing is to be tried."""

    id: str
    event: str
    url: str
    state: State
    created_at: str
    next_at: str | None
    attempts: list[AttemptShown]
    body: str
    object: str = "delivery"


class TestSent(msgspec.Struct, frozen=True):
    """The delivery that the test event is."""

    id: str
    object: str = "delivery"


def _shown(hook: EventHook) -> HookShown:
    return HookShown(hook.id, hook.url, hook.events, hook.description, hook.enabled, moment(hook.created_at))


def _delivery(one: EventDelivery) -> DeliveryShown:
    return DeliveryShown(
        one.id,
        one.event,
        one.url,
        one.state,
        moment(one.created_at),
        moment(one.due_at) if one.state == "waiting" else None,
        [AttemptShown(moment(attempt.at), attempt.status, attempt.text) for attempt in one.attempts],
        one.body.decode(),
    )


class HookController(Controller):
    """/domains/{domain}/hooks"""

    path = "/domains/{domain:str}/hooks"
    tags = ("Event hooks",)
    opt = {"access": USER}

    @get("/", summary="Event hooks of a domain")
    async def list_all(self, domain: DomainName, identity: Identity, services: ApiServices) -> list[HookShown]:
        """Oldest first."""
        return [_shown(hook) for hook in await list_hooks(services.administration, identity.actor, domain)]

    @post("/", status_code=200, summary="Tell a URL of events")
    async def add(self, domain: DomainName, data: HookWanted, identity: Identity, services: ApiServices) -> HookShown:
        """Deliveries are signed, and tried again for about three days while the URL does not take them."""
        made = await add_hook(services.administration, identity.actor, domain, data.url, data.events, data.description)
        return _shown(made)

    @get("/key", summary="The key that signs deliveries")
    async def key(self, domain: DomainName, identity: Identity, services: ApiServices) -> KeyShown:
        """See docs/api.md for how a receiver checks a signature."""
        return KeyShown(await webhook_key(services.administration, identity.actor, domain))

    @post("/key", status_code=200, summary="Sign deliveries with a new key")
    async def rotate(self, domain: DomainName, identity: Identity, services: ApiServices) -> KeyShown:
        """The one before signs nothing more, deliveries that wait included."""
        return KeyShown(await rotate_webhook_key(services.administration, identity.actor, domain))

    @put("/{hook_id:str}", summary="Change an event hook")
    async def change(
        self, domain: DomainName, hook_id: str, data: HookChange, identity: Identity, services: ApiServices
    ) -> HookShown:
        """What is left out stays."""
        names = {"url": "url", "events": "events", "description": "description", "is_enabled": "enabled"}
        changes = {
            ours: value for theirs, ours in names.items() if (value := getattr(data, theirs)) is not msgspec.UNSET
        }
        return _shown(await set_hook(services.administration, identity.actor, domain, hook_id, changes))

    @delete("/{hook_id:str}", status_code=200, summary="Tell a URL no more")
    async def remove(self, domain: DomainName, hook_id: str, identity: Identity, services: ApiServices) -> HookShown:
        """What waits for it is dropped."""
        gone = await remove_hook(services.administration, identity.actor, services.deliveries, domain, hook_id)
        return _shown(gone)

    @post("/{hook_id:str}/test", status_code=200, summary="Send a test event")
    async def test(self, domain: DomainName, hook_id: str, identity: Identity, services: ApiServices) -> TestSent:
        """Its delivery is listed like every other."""
        return TestSent(await test_hook(services.administration, identity.actor, services.events, domain, hook_id))

    @get("/{hook_id:str}/deliveries", summary="What was sent to a hook")
    async def deliveries(
        self,
        domain: DomainName,
        hook_id: str,
        identity: Identity,
        services: ApiServices,
        wanted: Annotated[
            Literal["", "waiting", "delivered", "failed"], QueryParameter(name="state", description="Only these")
        ] = "",
        after: Annotated[str, QueryParameter(max_length=100, description="Go on after the delivery of this id")] = "",
        limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
    ) -> list[DeliveryShown]:
        """Newest first; kept for 30 days."""
        found = await list_deliveries(
            services.administration,
            identity.actor,
            services.deliveries,
            domain,
            hook_id,
            state=wanted,
            limit=limit,
            after=after,
        )
        return [_delivery(one) for one in found]

    @post("/{hook_id:str}/deliveries/{delivery_id:str}/resend", status_code=200, summary="Send an event again")
    async def resend(
        self, domain: DomainName, hook_id: str, delivery_id: str, identity: Identity, services: ApiServices
    ) -> DeliveryShown:
        """Under the same id, so that a receiver that has it knows."""
        again = await send_again(
            services.administration,
            identity.actor,
            services.deliveries,
            services.events,
            domain,
            hook_id,
            delivery_id,
        )
        return _delivery(again)
