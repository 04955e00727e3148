"""Members of a domain: invited, given roles, taken off; and invites taken up."""

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter

from mailstead.administration.actor import require_domain
from mailstead.administration.aliases import find_domain
from mailstead.administration.members import (
    accept_invite,
    invite,
    remove_member,
    set_member,
    sign_up,
    withdraw_invite,
)
from mailstead.foundation.errors import InvalidError, MailsteadError
from mailstead.interfaces.api.access import OPEN
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.web.pages.aliases import require_user
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.templates import render
from mailstead.interfaces.web.visitor import require_own_origin
from mailstead.stores.directory.records import Group, User

_GROUPS: dict[str, Group] = {"admin": "admin", "user": "user"}
Code = Annotated[str, msgspec.Meta(max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=320)]


class MemberAction(msgspec.Struct, frozen=True):
    """What to do with a member (`user`, an id) or with an address that is invited."""

    action: Annotated[str, msgspec.Meta(max_length=20)]
    address: Text = ""
    user: Text = ""
    group: Text = "user"


class Acceptance(msgspec.Struct, frozen=True):
    """An invite's domain and code."""

    domain: Text
    code: Code


class NewAccount(msgspec.Struct, frozen=True):
    """An invite's code, and the account that takes it up."""

    address: Text
    code: Code
    password: Annotated[str, msgspec.Meta(max_length=1024)]


def _group(text: str) -> Group:
    if text not in _GROUPS:
        raise InvalidError("A member is an administrator or a user")
    return _GROUPS[text]


class MemberPages(Controller):
    """/account/domains/NAME/members, /account/invites and /join"""

    include_in_schema = False

    @get("/account/domains/{name:str}/members")
    async def show(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, name: str
    ) -> Response[bytes]:
        """Who has a part in the domain, and who is invited."""
        return await self._page(request, services, identity, name)

    @post("/account/domains/{name:str}/members", status_code=200)
    async def change(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        name: str,
        data: Annotated[MemberAction, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Invite, withdraw an invite, change a role, or take somebody off."""
        require_user(identity)
        administration, actor = services.api.administration, identity.actor
        try:
            match data.action:
                case "invite":
                    letters = services.api.letters
                    await invite(administration, actor, letters, name, data.address.strip(), _group(data.group))
                case "withdraw":
                    await withdraw_invite(administration, actor, name, data.address)
                case "role":
                    await set_member(administration, actor, name, data.user, _group(data.group))
                case "remove":
                    await remove_member(administration, actor, name, data.user)
                    if data.user == actor.user_id:
                        return moved("/account/domains/")
                case _:
                    raise InvalidError("This cannot be done with members")
        except MailsteadError as error:
            return await self._page(
                request,
                services,
                identity,
                name,
                problem=error.public_text,
                typed=data.address,
                status=error.http_status,
            )
        return moved(f"/account/domains/{name}/members")

    @get("/account/invites")
    async def ask_code(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        domain: Annotated[str, QueryParameter(max_length=253)] = "",
    ) -> Response[bytes]:
        """The form for an invite's code."""
        require_user(identity)
        return render(request, services, "account/invite.html", identity=identity, domain=domain, code="", problem="")

    @post("/account/invites", status_code=200)
    async def accept(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        data: Annotated[Acceptance, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Become a member."""
        require_user(identity)
        assert identity.user is not None
        domain, code = data.domain.strip().lower(), data.code.strip()
        try:
            joined = await accept_invite(services.api.administration, identity.actor, identity.user, domain, token=code)
        except MailsteadError as error:
            return render(
                request,
                services,
                "account/invite.html",
                identity=identity,
                domain=data.domain,
                code=data.code,
                problem=error.public_text,
                status=error.http_status,
            )
        return moved(f"/account/aliases/?domain={joined.id}")

    @get("/join", opt={"access": OPEN})
    async def ask_join(self, request: Request[Any, Any, Any], services: WebServices) -> Response[bytes]:
        """The form of those who are invited and have no account."""
        return self._join(request, services, NewAccount("", "", ""))

    @post("/join", status_code=200, opt={"access": OPEN})
    async def join(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        data: Annotated[NewAccount, Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[bytes]:
        """Make the account that the invite is for."""
        require_own_origin(request)
        try:
            await sign_up(services.api.administration, data.address.strip(), data.password, data.code.strip())
        except MailsteadError as error:
            return self._join(request, services, data, problem=error.public_text, status=error.http_status)
        return self._join(request, services, NewAccount(data.address.strip(), "", ""), is_done=True)

    @staticmethod
    def _join(
        request: Request[Any, Any, Any],
        services: WebServices,
        form: NewAccount,
        *,
        problem: str = "",
        is_done: bool = False,
        status: int = 200,
    ) -> Response[bytes]:
        return render(request, services, "join.html", form=form, problem=problem, is_done=is_done, status=status)

    @staticmethod
    async def _page(
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        name: str,
        *,
        problem: str = "",
        typed: str = "",
        status: int = 200,
    ) -> Response[bytes]:
        require_user(identity)
        domain = await find_domain(services.api.administration, name)
        require_domain(identity.actor, domain)
        directory, now = services.api.administration.directory, services.api.clock.now()
        ids = [domain.owner_id, *(member.user_id for member in domain.members if member.user_id != domain.owner_id)]
        people = [user for user in [await directory.get(User, one) for one in ids] if user is not None]
        return render(
            request,
            services,
            "account/members.html",
            identity=identity,
            domain=domain,
            people=people,
            invites=[one for one in domain.invites if one.expires_at > now],
            problem=problem,
            typed=typed,
            status=status,
        )
