"""The user, or the mailbox, that asks."""

import msgspec
from litestar import Controller, get

from mailstead.foundation.errors import NotFoundError
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.directory.records import Alias


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
            group = "admin" if user.is_admin else "user"
            return AccountShown(user.id, "user", user.address, group, moment(user.created_at))
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
