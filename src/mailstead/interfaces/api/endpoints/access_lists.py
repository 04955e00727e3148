"""Who may always write to a domain, and who never: the lists of a domain and of the server."""

from typing import Annotated

import msgspec
from litestar import Controller, get, put
from litestar.params import Parameter

from mailstead.administration.access_lists import list_access, remove_access, set_access
from mailstead.foundation.errors import InvalidError
from mailstead.interfaces.api.access import ADMIN, USER
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.directory.access import AccessVerdict

DomainName = Annotated[str, Parameter(description="The domain's name")]
ENTRIES_LIMIT = 1000
Values = Annotated[list[Annotated[str, msgspec.Meta(min_length=1, max_length=320)]], msgspec.Meta(max_length=1000)]


class ListShown(msgspec.Struct, frozen=True):
    """Addresses, domains with those below them, and networks; in their compared forms."""

    allowlist: list[str]
    denylist: list[str]
    object: str = "access_list"


class Allowlist(msgspec.Struct, frozen=True):
    """All that are let in from now on."""

    allowlist: Values


class Denylist(msgspec.Struct, frozen=True):
    """All that are refused from now on."""

    denylist: Values


async def _shown(services: ApiServices, identity: Identity, scope: str) -> ListShown:
    found = await list_access(services.administration, identity.actor, scope)
    lists: dict[AccessVerdict, list[str]] = {"allow": [], "deny": []}
    for entry in found:
        lists[entry.verdict].append(entry.value)
    return ListShown(lists["allow"], lists["deny"])


async def _replace(
    services: ApiServices, identity: Identity, scope: str, verdict: AccessVerdict, values: list[str]
) -> ListShown:
    """Make `values` the whole list: what is new is put there before anything is taken away."""
    if len(values) > ENTRIES_LIMIT:
        raise InvalidError(f"A list has at most {ENTRIES_LIMIT} entries")
    before = await list_access(services.administration, identity.actor, scope)
    kept = set()
    for value in dict.fromkeys(values):
        entry = await set_access(services.administration, identity.actor, verdict, value, scope=scope)
        kept.add(entry.value)
    for entry in before:
        if entry.verdict == verdict and entry.value not in kept:
            await remove_access(services.administration, identity.actor, entry.value, scope=scope)
    return await _shown(services, identity, scope)


class DomainListController(Controller):
    """/domains/{domain}/allowlist and denylist"""

    path = "/domains/{domain:str}"
    tags = ("Screening",)
    opt = {"access": USER}

    @get("/access", summary="Who is always let in, and who never")
    async def show(self, domain: DomainName, identity: Identity, services: ApiServices) -> ListShown:
        """A domain's list comes before the server's."""
        return await _shown(services, identity, domain)

    @put("/allowlist", summary="Who may always write to the domain")
    async def allow(self, domain: DomainName, data: Allowlist, identity: Identity, services: ApiServices) -> ListShown:
        """In place of the list that was there."""
        return await _replace(services, identity, domain, "allow", data.allowlist)

    @put("/denylist", summary="Who may never write to the domain")
    async def deny(self, domain: DomainName, data: Denylist, identity: Identity, services: ApiServices) -> ListShown:
        """In place of the list that was there."""
        return await _replace(services, identity, domain, "deny", data.denylist)


class ServerListController(Controller):
    """/server/allowlist and denylist"""

    path = "/server"
    tags = ("Screening",)
    opt = {"access": ADMIN}

    @get("/access", summary="Who is always let in by the server, and who never")
    async def show(self, identity: Identity, services: ApiServices) -> ListShown:
        """For all domains that do not say otherwise."""
        return await _shown(services, identity, "")

    @put("/allowlist", summary="Who may always write to the server")
    async def allow(self, data: Allowlist, identity: Identity, services: ApiServices) -> ListShown:
        """In place of the list that was there."""
        return await _replace(services, identity, "", "allow", data.allowlist)

    @put("/denylist", summary="Who may never write to the server")
    async def deny(self, data: Denylist, identity: Identity, services: ApiServices) -> ListShown:
        """In place of the list that was there."""
        return await _replace(services, identity, "", "deny", data.denylist)
