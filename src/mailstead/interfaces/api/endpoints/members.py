"""Members of a domain, and invites to become one."""

import asyncio
from typing import Annotated

import msgspec
from litestar import Controller, delete, get, post, put
from litestar.params import Parameter

from mailstead.administration.actor import require_domain
from mailstead.administration.aliases import find_domain
from mailstead.administration.members import (
    accept_invite,
    invite,
    remove_member,
    set_member,
    withdraw_invite,
)
from mailstead.foundation.errors import PermissionDeniedError
from mailstead.interfaces.api.access import USER
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.directory.records import Domain, Group, User

DomainName = Annotated[str, Parameter(description="The domain's name")]
Address = Annotated[str, msgspec.Meta(min_length=3, max_length=320)]


class MemberShown(msgspec.Struct, frozen=True):
    """A member; `id` is the user's."""

    id: str
    email: str
    group: Group
    is_owner: bool
    object: str = "member"


class InviteShown(msgspec.Struct, frozen=True):
    """An invite that waits; its code was mailed and is shown nowhere."""

    email: str
    group: Group
    created_at: str
    expires_at: str
    object: str = "invite"


class Membership(msgspec.Struct, frozen=True):
    """Who belongs to a domain; `id` is its name."""

    id: str
    name: str
    members: list[MemberShown]
    invites: list[InviteShown]
    object: str = "domain"


class InviteWanted(msgspec.Struct, frozen=True):
    """Who is to be invited, as what."""

    email: Address
    group: Group = "user"


class InviteGone(msgspec.Struct, frozen=True):
    """Whose invite is taken back."""

    email: Address


class InviteAccepted(msgspec.Struct, frozen=True):
    """The code of the letter; without one the account's own address must have been invited."""

    token: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class MemberChange(msgspec.Struct, frozen=True):
    """What a member is from now on."""

    group: Group


async def _shown(domain: Domain, services: ApiServices) -> Membership:
    directory = services.administration.directory
    groups = {domain.owner_id: "admin"} | {member.user_id: member.group for member in domain.members}
    users = await asyncio.gather(*(directory.get(User, user_id) for user_id in groups if user_id))
    members = [
        MemberShown(user.id, user.address, domain.group_of(user.id) or "user", user.id == domain.owner_id)
        for user in users
        if user is not None
    ]
    now = services.clock.now()
    invites = [
        InviteShown(one.address, one.group, moment(one.created_at), moment(one.expires_at))
        for one in domain.invites
        if one.expires_at > now
    ]
    return Membership(domain.id, domain.id, members, invites)


class MemberController(Controller):
    """/domains/{domain}/members"""

    path = "/domains/{domain:str}/members"
    tags = ("Members",)
    opt = {"access": USER}

    @get("/", summary="Members and waiting invites")
    async def list_all(self, domain: DomainName, identity: Identity, services: ApiServices) -> Membership:
        """The owner first; for those who administer the domain."""
        found = await find_domain(services.administration, domain)
        require_domain(identity.actor, found)
        return await _shown(found, services)

    @put("/{member_id:str}", summary="Give a member another role")
    async def change(
        self, domain: DomainName, member_id: str, data: MemberChange, identity: Identity, services: ApiServices
    ) -> Membership:
        """An `admin` has all rights in the domain, a `user` makes aliases for themselves."""
        changed = await set_member(services.administration, identity.actor, domain, member_id, data.group)
        return await _shown(changed, services)

    @delete("/{member_id:str}", status_code=200, summary="End a membership")
    async def remove(self, domain: DomainName, member_id: str, identity: Identity, services: ApiServices) -> Membership:
        """One's own, too. Aliases of that user stay as they are."""
        changed = await remove_member(services.administration, identity.actor, domain, member_id)
        return await _shown(changed, services)


class InviteController(Controller):
    """/domains/{domain}/invites"""

    path = "/domains/{domain:str}/invites"
    tags = ("Members",)
    opt = {"access": USER}

    @get("/", summary="Accept your invite")
    async def accept_own(self, domain: DomainName, identity: Identity, services: ApiServices) -> Membership:
        """When the account's own address was invited; a browser's session uses POST …/accept."""
        if identity.session is not None:
            raise PermissionDeniedError("Use POST with the invite's code")
        identity.require("write")
        return await self._accepted(domain, None, identity, services)

    @post("/", status_code=200, summary="Invite somebody")
    async def add(
        self, domain: DomainName, data: InviteWanted, identity: Identity, services: ApiServices
    ) -> Membership:
        """A letter with a code goes to the address; an earlier one of the same address ends."""
        changed = await invite(
            services.administration, identity.actor, services.letters, domain, data.email, data.group
        )
        return await _shown(changed, services)

    @delete("/", status_code=200, summary="Take an invite back")
    async def remove(
        self, domain: DomainName, data: InviteGone, identity: Identity, services: ApiServices
    ) -> Membership:
        """Its code is worth nothing from then on."""
        return await _shown(
            await withdraw_invite(services.administration, identity.actor, domain, data.email), services
        )

    @post("/accept", status_code=200, summary="Accept an invite by its code")
    async def accept(
        self, domain: DomainName, data: InviteAccepted, identity: Identity, services: ApiServices
    ) -> Membership:
        """The account that has the code becomes the member, whatever address the letter went to."""
        return await self._accepted(domain, data.token, identity, services)

    @staticmethod
    async def _accepted(domain: str, token: str | None, identity: Identity, services: ApiServices) -> Membership:
        if identity.user is None:
            raise PermissionDeniedError
        joined = await accept_invite(services.administration, identity.actor, identity.user, domain, token=token)
        shown = await _shown(joined, services)
        return shown if joined.group_of(identity.user.id) == "admin" else msgspec.structs.replace(shown, invites=[])
