"""Passwords of a whole domain: for programs that send as any of its addresses."""

from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post
from litestar.params import Parameter

from mailstead.administration.domain_passwords import (
    add_domain_password,
    list_domain_passwords,
    remove_domain_password,
)
from mailstead.interfaces.api.access import USER
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity

DomainName = Annotated[str, Parameter(description="The domain's name")]


class DomainPasswordShown(msgspec.Struct, frozen=True):
    """A domain's password without its text."""

    id: str
    description: str
    created_at: str
    object: str = "domain_password"


class DomainPasswordMade(msgspec.Struct, frozen=True):
    """A domain's password with its text, shown this once; any address of the domain is its user name."""

    id: str
    username: str
    password: str
    description: str
    object: str = "domain_password"


class DomainPasswordWanted(msgspec.Struct, frozen=True):
    """A password to be made."""

    description: Annotated[str, msgspec.Meta(max_length=150)] = ""


class DomainPasswordController(Controller):
    """/domains/{domain}/catch-all-passwords"""

    path = "/domains/{domain:str}/catch-all-passwords"
    tags = ("Domains",)
    opt = {"access": USER}

    @get("/", summary="Passwords that send for the whole domain")
    async def list_all(
        self, domain: DomainName, identity: Identity, services: ApiServices
    ) -> list[DomainPasswordShown]:
        """Oldest first; their texts are not kept."""
        found = await list_domain_passwords(services.administration, identity.actor, domain)
        return [DomainPasswordShown(one.id, one.description, moment(one.created_at)) for one in found]

    @post("/", status_code=200, summary="Make a password that sends for the whole domain")
    async def add(
        self, domain: DomainName, data: DomainPasswordWanted, identity: Identity, services: ApiServices
    ) -> DomainPasswordMade:
        """For submission over SMTP, as any address of the domain; it opens no mailbox."""
        made, text = await add_domain_password(services.administration, identity.actor, domain, data.description)
        return DomainPasswordMade(made.id, f"*@{domain.lower()}", text, made.description)

    @delete("/{token_id:str}", status_code=204, summary="Revoke a domain's password")
    async def remove(self, domain: DomainName, token_id: str, identity: Identity, services: ApiServices) -> None:
        """Effective at once."""
        await remove_domain_password(services.administration, identity.actor, domain, token_id)
