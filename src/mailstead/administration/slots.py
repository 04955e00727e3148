"""Slots of a mailbox in the directory, and their copy beside the mailbox, changed together."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from mailstead.administration.actor import Administration
from mailstead.foundation.crypto.slot import Slot
from mailstead.foundation.errors import PermanentError
from mailstead.stores.directory.keyring import encode_keyring, keyring_of
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.files import KEYRING, replace_file


async def store_slots(administration: Administration, alias: Alias, slots: Sequence[Slot]) -> Alias:
    """Give a mailbox these slots. Raises PermanentError for none, ConflictError, OSError."""
    if not slots:
        raise PermanentError("The last key of a mailbox cannot be removed")
    stored = await administration.directory.replace(msgspec.structs.replace(alias, slots=tuple(slots)))
    await keep_keyring(administration, stored)
    return stored


async def keep_keyring(administration: Administration, alias: Alias) -> bool:
    """Make the keyring beside the mailbox equal to the directory; whether it was not. Raises OSError.

    A crash may come between the directory and the file: the care of mailboxes calls this for each, too.
    """
    if not alias.mailbox_id:
        return False
    path = administration.mailboxes.directory(alias.mailbox_id) / KEYRING
    return await administration.mailboxes.run(_keep, path, encode_keyring(keyring_of(alias)))


def _keep(path: Path, content: bytes) -> bool:
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_file(path, content)
    return True
