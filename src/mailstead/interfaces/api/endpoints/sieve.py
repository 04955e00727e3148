"""Filter scripts: of the mailbox that was opened, or of an alias of the user's."""

from hashlib import blake2b
from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post, put

from mailstead.administration.scripts import (
    activate_script,
    get_script,
    list_scripts,
    put_script,
    remove_script,
    rename_script,
)
from mailstead.foundation.errors import AlreadyExistsError, NotFoundError
from mailstead.interfaces.api.access import MAILBOX, USER
from mailstead.interfaces.api.endpoints.aliases import AliasName, DomainName, found_alias
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.scripts.scripts import ScriptEntry, ScriptSet

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
_Content = Annotated[str, msgspec.Meta(min_length=1, max_length=1024 * 1024)]


class ScriptShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A filter script (RFC 5228); `content` comes with one script, not with lists. `size` is in octets."""

    id: str
    name: str
    is_active: bool
    size: int
    updated_at: str
    content: str | None = None
    object: str = "sieve_script"


class ScriptWanted(msgspec.Struct, frozen=True):
    """A script to be kept; it must compile."""

    name: _Name
    content: _Content
    is_active: bool = False


class ScriptChange(msgspec.Struct, frozen=True):
    """What to change; what is left out stays."""

    name: _Name | msgspec.UnsetType = msgspec.UNSET
    content: _Content | msgspec.UnsetType = msgspec.UNSET


def _id(name: str) -> str:
    return blake2b(name.encode(), digest_size=12).hexdigest()


def _shown(held: ScriptSet, entry: ScriptEntry, content: bytes | None = None) -> ScriptShown:
    text = None if content is None else content.decode("utf-8", "replace")
    return ScriptShown(
        _id(entry.name), entry.name, entry.name == held.active, entry.size, moment(entry.updated_at), text
    )


class _Scripts:
    """The scripts of one address, as both controllers offer them."""

    def __init__(self, services: ApiServices, identity: Identity, address: str) -> None:
        self._administration = services.administration
        self._actor = identity.actor
        self._address = address

    async def _find(self, named: str) -> tuple[ScriptSet, ScriptEntry]:
        """By id or name. Raises NotFoundError."""
        held = await list_scripts(self._administration, self._actor, self._address)
        entry = next((one for one in held.scripts if named in (_id(one.name), one.name)), None)
        if entry is None:
            raise NotFoundError("There is no such script")
        return held, entry

    async def all(self) -> list[ScriptShown]:
        held = await list_scripts(self._administration, self._actor, self._address)
        return [_shown(held, entry) for entry in held.scripts]

    async def one(self, named: str) -> ScriptShown:
        held, entry = await self._find(named)
        return _shown(held, entry, await get_script(self._administration, self._actor, self._address, entry.name))

    async def add(self, wanted: ScriptWanted) -> ScriptShown:
        held = await list_scripts(self._administration, self._actor, self._address)
        if held.find(wanted.name) is not None:
            raise AlreadyExistsError(f'There is a script "{wanted.name}" already')
        await put_script(self._administration, self._actor, self._address, wanted.name, wanted.content.encode())
        if wanted.is_active:
            await activate_script(self._administration, self._actor, self._address, wanted.name)
        return await self.one(wanted.name)

    async def change(self, named: str, change: ScriptChange) -> ScriptShown:
        _, entry = await self._find(named)
        name = entry.name
        if change.content is not msgspec.UNSET:
            await put_script(self._administration, self._actor, self._address, name, change.content.encode())
        if change.name is not msgspec.UNSET and change.name != name:
            await rename_script(self._administration, self._actor, self._address, name, change.name)
            name = change.name
        return await self.one(name)

    async def activate(self, named: str) -> ScriptShown:
        _, entry = await self._find(named)
        await activate_script(self._administration, self._actor, self._address, entry.name)
        return await self.one(entry.name)

    async def remove(self, named: str) -> ScriptShown:
        gone = await self.one(named)
        await remove_script(self._administration, self._actor, self._address, gone.name)
        return gone


class SieveController(Controller):
    """/sieve-scripts"""

    path = "/sieve-scripts"
    tags = ("Sieve",)
    opt = {"access": MAILBOX}

    @get("/", summary="Your filter scripts")
    async def list_all(self, identity: Identity, services: ApiServices) -> list[ScriptShown]:
        """By name, without their contents."""
        return await _Scripts(services, identity, identity.address).all()

    @post("/", status_code=200, summary="Keep a filter script")
    async def add(self, data: ScriptWanted, identity: Identity, services: ApiServices) -> ScriptShown:
        """Refused with the line and the reason when it does not compile."""
        return await _Scripts(services, identity, identity.address).add(data)

    @get("/{script_id:str}", summary="One filter script")
    async def show(self, script_id: str, identity: Identity, services: ApiServices) -> ScriptShown:
        """By id or name."""
        return await _Scripts(services, identity, identity.address).one(script_id)

    @put("/{script_id:str}", summary="Change a filter script")
    async def change(
        self, script_id: str, data: ScriptChange, identity: Identity, services: ApiServices
    ) -> ScriptShown:
        """Its content, its name, or both."""
        return await _Scripts(services, identity, identity.address).change(script_id, data)

    @post("/{script_id:str}/activate", status_code=200, summary="Let a filter script run")
    async def activate(self, script_id: str, identity: Identity, services: ApiServices) -> ScriptShown:
        """The one that ran before stays, inactive."""
        return await _Scripts(services, identity, identity.address).activate(script_id)

    @post("/deactivate", status_code=204, summary="Let no filter script run")
    async def deactivate(self, identity: Identity, services: ApiServices) -> None:
        """The scripts stay."""
        await activate_script(services.administration, identity.actor, identity.address, "")

    @delete("/{script_id:str}", status_code=200, summary="Remove a filter script")
    async def remove(self, script_id: str, identity: Identity, services: ApiServices) -> ScriptShown:
        """Refused for the active one."""
        return await _Scripts(services, identity, identity.address).remove(script_id)


class AliasSieveController(Controller):
    """/domains/{domain}/aliases/{name}/sieve"""

    path = "/domains/{domain:str}/aliases/{name:str}/sieve"
    tags = ("Sieve",)
    opt = {"access": USER}

    @get("/", summary="Filter scripts of an alias")
    async def list_all(
        self, domain: DomainName, name: AliasName, identity: Identity, services: ApiServices
    ) -> list[ScriptShown]:
        """By name, without their contents."""
        return await (await self._of(domain, name, identity, services)).all()

    @post("/", status_code=200, summary="Keep a filter script of an alias")
    async def add(
        self, domain: DomainName, name: AliasName, data: ScriptWanted, identity: Identity, services: ApiServices
    ) -> ScriptShown:
        """Refused with the line and the reason when it does not compile."""
        return await (await self._of(domain, name, identity, services)).add(data)

    @get("/{script_id:str}", summary="One filter script of an alias")
    async def show(
        self, domain: DomainName, name: AliasName, script_id: str, identity: Identity, services: ApiServices
    ) -> ScriptShown:
        """By id or name."""
        return await (await self._of(domain, name, identity, services)).one(script_id)

    @put("/{script_id:str}", summary="Change a filter script of an alias")
    async def change(
        self,
        domain: DomainName,
        name: AliasName,
        script_id: str,
        data: ScriptChange,
        identity: Identity,
        services: ApiServices,
    ) -> ScriptShown:
        """Its content, its name, or both."""
        return await (await self._of(domain, name, identity, services)).change(script_id, data)

    @post("/{script_id:str}/activate", status_code=200, summary="Let a filter script of an alias run")
    async def activate(
        self, domain: DomainName, name: AliasName, script_id: str, identity: Identity, services: ApiServices
    ) -> ScriptShown:
        """The one that ran before stays, inactive."""
        return await (await self._of(domain, name, identity, services)).activate(script_id)

    @delete("/{script_id:str}", status_code=200, summary="Remove a filter script of an alias")
    async def remove(
        self, domain: DomainName, name: AliasName, script_id: str, identity: Identity, services: ApiServices
    ) -> ScriptShown:
        """Refused for the active one."""
        return await (await self._of(domain, name, identity, services)).remove(script_id)

    @staticmethod
    async def _of(domain: str, name: str, identity: Identity, services: ApiServices) -> _Scripts:
        alias = await found_alias(domain, name, identity, services)
        return _Scripts(services, identity, alias.address)
