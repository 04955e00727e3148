"""Who acts, with which rights, and the record of it."""

from typing import Any, Literal

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import PermissionDeniedError
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.bus.interface import Bus
from mailstead.stores.directory.authentication import Authenticator
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import Domain
from mailstead.stores.documents.interface import CollectionSpec, Documents, Index
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.scripts.scripts import Scripts

AUDIT = CollectionSpec(
    "audit", (Index(("at",)), Index(("target", "at")), Index(("domain", "at")), Index(("actor_id", "at")))
)


class Actor(msgspec.Struct, frozen=True):
    """A person or the command line of the machine itself."""

    name: str
    role: Literal["server", "user"]
    user_id: str = ""
    is_admin: bool = False


COMMAND_LINE = Actor("command line", "server", is_admin=True)


class Administration(msgspec.Struct, frozen=True):
    """What every action works on."""

    documents: Documents
    directory: Directory
    authenticator: Authenticator
    settings: Settings
    clock: Clock
    mailboxes: Mailboxes
    bus: Bus

    @property
    def scripts(self) -> Scripts:
        """The filter scripts."""
        return Scripts(self.documents, self.directory, self.settings.sieve, self.clock)

    async def audit(self, actor: Actor, action: str, target: str, **detail: Any) -> None:
        """Record that `actor` did `action` to `target`; never pass secrets."""
        audit = await self.documents.collection(AUDIT)
        now = self.clock.now()
        entry = {"id": new_ulid(now), "at": now, "actor": actor.name, "action": action, "target": target}
        found_by = {"domain": target.rpartition("@")[2], "actor_id": actor.user_id}
        await audit.insert(entry | found_by | {"detail": detail})


def require_admin(actor: Actor) -> None:
    """Raises PermissionDeniedError for everybody but a server admin."""
    if not actor.is_admin:
        raise PermissionDeniedError


def administers(actor: Actor, domain: Domain) -> bool:
    """Whether `actor` is a server admin, the domain's owner or one of its admins."""
    return actor.is_admin or domain.group_of(actor.user_id) == "admin"


def require_domain(actor: Actor, domain: Domain) -> None:
    """Raises PermissionDeniedError for everybody but server admins, the domain's owner and its admins."""
    if not administers(actor, domain):
        raise PermissionDeniedError


def require_member(actor: Actor, domain: Domain) -> None:
    """Raises PermissionDeniedError for who is neither a server admin nor a member of the domain."""
    if not actor.is_admin and domain.group_of(actor.user_id) is None:
        raise PermissionDeniedError
