"""Messages brought back from a backup into a mailbox that is in use."""

from collections.abc import Iterator
from typing import Any

import msgspec

from mailstead.administration.actor import Actor
from mailstead.administration.backup.backups import Backups
from mailstead.administration.opening import data_key, opened_mailbox
from mailstead.administration.transfer.item import Item
from mailstead.administration.transfer.taking import settle, take_all
from mailstead.foundation.errors import NotFoundError
from mailstead.stores.mailbox.entries import UID_MOST
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.messages import object_id

_COLUMNS = ("uid", "flags", "keywords", "internal_date", "message_id", "size", "parts", "recipe")
_ROWS = 100


class Retrieved(msgspec.Struct, frozen=True):
    """What was brought back, and how many were in the mailbox anyway."""

    snapshot: str
    taken: int
    there: int


async def retrieve(
    backups: Backups,
    actor: Actor,
    address: str,
    *,
    snapshot: str = "latest",
    folder: str | None = None,
    message: str | None = None,
    into: str = "",
    current: str | None = None,
) -> Retrieved:
    """Bring back what the mailbox of `address` held in a backup and does not hold now; nothing is changed or removed.

    `folder`: of that one only; `message`: that one only, by its EMAILID (RFC 8474 §5.1). Messages go to the folder they
    were in, below the folder `into` when that is given. `current`: a credential that opens a locked mailbox. A message
    that was brought back before is not taken again. Raises NotFoundError, LockedMailboxError, ResticError, OSError.
    """
    administration = backups.administration
    async with (
        opened_mailbox(administration, actor, address, current) as (alias, mailbox),
        backups.written_mailbox(snapshot, alias.address) as (found, former, mailboxes),
    ):
        with await data_key(administration, former, current) as key:
            kept = await mailboxes.open(former.mailbox_id, key)
        quota = alias.quota if alias.quota is not None else administration.settings.mailbox.quota

        def take() -> tuple[int, int]:
            here = {identity for identity, _, _ in _messages(mailbox, None)}
            chosen = [one for one in _messages(kept, folder) if message in (None, one[0][0])]
            if not chosen:
                raise NotFoundError(f"There is no such {'message' if message else 'folder'} in that backup")
            lost = (_item(kept, name, row, found.id, into) for identity, name, row in chosen if identity not in here)
            taken = take_all(mailbox, lost, quota, lambda _: None).taken
            settle(mailbox)
            return taken, len(chosen) - taken

        taken, there = await administration.mailboxes.run(take)
    await administration.audit(actor, "backup.retrieve", alias.address, snapshot=found.short_id, taken=taken)
    return Retrieved(found.short_id, taken, there)


def _messages(mailbox: Mailbox, only: str | None) -> Iterator[tuple[tuple[str, int, int], str, tuple[Any, ...]]]:
    """Every message: what it is known by, its folder, its row."""
    for folder in mailbox.folders():
        if only is not None and folder.name.lower() != only.lower():
            continue
        for rows in mailbox.rows(folder.id, [(1, UID_MOST)], _COLUMNS, _ROWS):
            for row in rows:
                yield (object_id(row[4]), row[3], row[5]), folder.name, row


def _item(kept: Mailbox, folder: str, row: tuple[Any, ...], source: str, into: str) -> Item:
    uid, flags, keywords, date, message_id, size, parts, recipe = row
    raw = b"".join(kept.content_of_row(message_id, size, parts, recipe).chunks())
    name = f"{into}/{folder}" if into else folder
    return Item(
        name, f"backup {source}", f"{folder}/{uid}/{object_id(message_id)}", raw, flags, tuple(keywords.split()), date
    )
