"""Addresses that a domain does not write to: who complained, bounced, or was put there."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post
from litestar.params import Parameter, QueryParameter

from mailstead.administration.sending import add_suppression, list_suppressions, remove_suppression
from mailstead.interfaces.api.access import USER
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.mail.sending.suppression import Suppression
from mailstead.stores.directory.names import domain_name

DomainName = Annotated[str, Parameter(description="The domain's name")]
Address = Annotated[str, msgspec.Meta(min_length=3, max_length=320)]


class SuppressionShown(msgspec.Struct, frozen=True):
    """An address; `expires_at` null for good."""

    email: str
    reason: str
    description: str
    created_at: str
    expires_at: str | None
    bounces: int
    object: str = "suppression"


class SuppressionWanted(msgspec.Struct, frozen=True):
    """An address that is not to be written to."""

    email: Address
    description: Annotated[str, msgspec.Meta(max_length=200)] = ""


def _shown(one: Suppression) -> SuppressionShown:
    ends = None if one.ends_at is None else moment(one.ends_at)
    return SuppressionShown(one.address, one.reason, one.text, moment(one.at), ends, one.bounces)


class SuppressionController(Controller):
    """/domains/{domain}/suppressions"""

    path = "/domains/{domain:str}/suppressions"
    tags = ("Sending",)
    opt = {"access": USER}

    @get("/", summary="Addresses that are not written to")
    async def list_all(
        self,
        domain: DomainName,
        identity: Identity,
        services: ApiServices,
        limit: Annotated[int, QueryParameter(ge=1, le=1000)] = 1000,
    ) -> list[SuppressionShown]:
        """Newest first."""
        found = await list_suppressions(
            services.administration, identity.actor, domain=domain_name(domain), limit=limit
        )
        return [_shown(one) for one in found]

    @post("/", status_code=200, summary="Write to an address no more")
    async def add(
        self, domain: DomainName, data: SuppressionWanted, identity: Identity, services: ApiServices
    ) -> SuppressionShown:
        """For good; mail to it is refused when it is sent."""
        added = await add_suppression(
            services.administration, identity.actor, domain_name(domain), data.email, text=data.description
        )
        return _shown(added)

    @delete("/{email:str}", status_code=204, summary="Write to an address again")
    async def remove(self, domain: DomainName, email: str, identity: Identity, services: ApiServices) -> None:
        """Whatever put it on the list."""
        await remove_suppression(services.administration, identity.actor, domain_name(domain), email)
