"""The mailbox of whoever asks, and messages in it by their ids."""

from mailstead.foundation.errors import NotFoundError, PermissionDeniedError
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.search.criteria import ObjectIdIs


async def opened(services: ApiServices, identity: Identity) -> Mailbox:
    """The mailbox. Raises PermissionDeniedError for who opened none."""
    if identity.key is None:
        raise PermissionDeniedError("Log in with an address and its password, or name a mailbox with `alias`")
    return await services.mailboxes.open(identity.mailbox_id, identity.key)


async def quota_of(services: ApiServices, identity: Identity) -> int:
    """The room of the mailbox in octets."""
    alias = await services.administration.directory.get(Alias, identity.alias_id)
    return alias.quota if alias is not None and alias.quota is not None else services.settings.mailbox.quota


def places(mailbox: Mailbox, message_id: str) -> list[tuple[int, int]]:
    """Folder ids and uids of the message with that id (EMAILID, like M12). Raises NotFoundError. Runs on a thread."""
    criterion = ObjectIdIs("email", message_id)
    found = [(folder.id, uid) for folder in mailbox.folders() for uid in mailbox.search(folder.id, criterion)]
    if not found:
        raise NotFoundError("There is no such message")
    return found
