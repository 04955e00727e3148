"""The user, or the mailbox, that asks."""

from typing import Annotated

import msgspec
from litestar import Controller, get, post, put

from mailstead.administration.actor import Actor
from mailstead.administration.members import sign_up
from mailstead.administration.tokens import add_token
from mailstead.administration.users import change_password
from mailstead.foundation.errors import NotFoundError, PermissionDeniedError
from mailstead.interfaces.api.access import OPEN
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.directory.records import Alias, User


class AccountShown(msgspec.Struct, frozen=True, omit_defaults=True):
    """A user (`email`, `group`), or a mailbox (`email`, storage in octets)."""

    id: str
    object: str
    email: str
    group: str = ""
    created_at: str = ""
    storage_used: int | None = None
    storage_quota: int | None = None
    locked: bool = False


class AccountWanted(msgspec.Struct, frozen=True):
    """An account to be made with the code of an invite's letter; a password is generated where none is given."""

    email: Annotated[str, msgspec.Meta(min_length=3, max_length=320)]
    token: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    password: Annotated[str, msgspec.Meta(min_length=12, max_length=1024)] | None = None


class AccountMade(msgspec.Struct, frozen=True):
    """The new account with its password and a token, both shown this once."""

    id: str
    email: str
    password: str
    token: str
    object: str = "user"


class AccountChange(msgspec.Struct, frozen=True):
    """A new account password, and the one until now."""

    current_password: Annotated[str, msgspec.Meta(max_length=1024)]
    password: Annotated[str, msgspec.Meta(min_length=12, max_length=1024)]


class AccountController(Controller):
    """/account"""

    path = "/account"
    tags = ("Account",)

    @get("/", summary="Who asks")
    async def show(self, identity: Identity, services: ApiServices) -> AccountShown:
        """A user, or the mailbox where an app password opened only that."""
        if identity.is_user:
            user = identity.user
            if user is None:
                raise NotFoundError
            return self._user(user)
        alias = await services.administration.directory.get(Alias, identity.alias_id)
        if alias is None or identity.key is None:
            raise NotFoundError
        mailbox = await services.mailboxes.open(alias.mailbox_id, identity.key)
        usage = await services.mailboxes.run(mailbox.usage)
        quota = alias.quota if alias.quota is not None else services.settings.mailbox.quota
        return AccountShown(
            alias.id,
            "mailbox",
            alias.address,
            created_at=moment(alias.created_at),
            storage_used=usage.size,
            storage_quota=quota,
            locked=alias.is_locked,
        )

    @post("/", status_code=200, summary="Make an account", opt={"access": OPEN}, security=[{}])
    async def add(self, data: AccountWanted, services: ApiServices) -> AccountMade:
        """With the code of an invite: the account is a member of the domain from then on."""
        user, password = await sign_up(services.administration, data.email, data.password, data.token)
        actor = Actor(user.address, "user", user.id)
        _, token = await add_token(
            services.administration,
            actor,
            services.identification.tokens,
            user.id,
            label="made with the account",
            scopes=("read", "write", "send"),
        )
        return AccountMade(user.id, user.address, password, token)

    @put("/", summary="Change your password")
    async def change(self, data: AccountChange, identity: Identity, services: ApiServices) -> AccountShown:
        """The account's own; app passwords and tokens stay valid."""
        if not identity.is_user or identity.user is None:
            raise PermissionDeniedError("A user's token or account password is needed here")
        await change_password(
            services.administration, identity.actor, identity.user, data.current_password, data.password
        )
        return self._user(identity.user)

    @staticmethod
    def _user(user: User) -> AccountShown:
        group = "admin" if user.is_admin else "user"
        return AccountShown(user.id, "user", user.address, group, moment(user.created_at))
