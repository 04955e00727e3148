"""Passwords of an alias's mailbox."""

import msgspec
from litestar import Controller, delete, get

from mailstead.administration.passwords import remove_password
from mailstead.interfaces.api.access import USER
from mailstead.interfaces.api.endpoints.aliases import AliasName, DomainName, found_alias
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity

_HIDDEN = ("server",)


class PasswordShown(msgspec.Struct, frozen=True):
    """A credential of a mailbox without its text; `kind` is password, app_password, recovery or passkey."""

    id: str
    kind: str
    label: str
    created_at: str
    object: str = "password"


class PasswordController(Controller):
    """/domains/{domain}/aliases/{name}/passwords"""

    path = "/domains/{domain:str}/aliases/{name:str}/passwords"
    tags = ("Aliases",)
    opt = {"access": USER}

    @get("/", summary="Passwords of an alias's mailbox")
    async def list_all(
        self, domain: DomainName, name: AliasName, identity: Identity, services: ApiServices
    ) -> list[PasswordShown]:
        """Made by generate-password, the account's own, and the recovery code."""
        alias = await found_alias(domain, name, identity, services)
        return [
            PasswordShown(slot.id, slot.kind, slot.label, moment(slot.created_at))
            for slot in alias.slots
            if slot.kind not in _HIDDEN
        ]

    @delete("/{password_id:str}", status_code=204, summary="Revoke a password")
    async def remove(
        self, domain: DomainName, name: AliasName, password_id: str, identity: Identity, services: ApiServices
    ) -> None:
        """Sessions that it opened end. The last key of a mailbox stays."""
        alias = await found_alias(domain, name, identity, services)
        await remove_password(services.administration, identity.actor, alias.address, password_id)
