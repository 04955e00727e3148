"""Messages brought back from a backup into a mailbox that is in use."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from mailstead.administration.actor import Actor
from mailstead.administration.backup.backups import Backups
from mailstead.administration.opening import data_key, opened_mailbox
from mailstead.administration.transfer.item import Item
from mailstead.administration.transfer.taking import settle, take_all
from mailstead.foundation.errors import NotFoundError
from mailstead.foundation.identifiers import new_ulid
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
    were in, below the folder `into` when that is given. `current`: a credential that opens a locked mailbox. Raises
    NotFoundError, LockedMailboxError, ResticError, OSError.
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
            chosen = [one for one in _messages(kept, folder) if message in (None, object_id(one.row[4]))]
            if not chosen:
                raise NotFoundError(f"There is no such {'message' if message else 'folder'} in that backup")
            here = _Held(mailbox)
            source = f"backup {found.short_id} {new_ulid(administration.clock.now())}"
            lost = (_item(kept, one, source, into) for one in chosen if not here.has(kept, one))
            taken = take_all(mailbox, lost, quota, lambda _: None).taken
            settle(mailbox)
            return taken, len(chosen) - taken

        taken, there = await administration.mailboxes.run(take)
    await administration.audit(actor, "backup.retrieve", alias.address, snapshot=found.short_id, taken=taken)
    return Retrieved(found.short_id, taken, there)


class _Placed(NamedTuple):
    folder: str
    row: tuple[Any, ...]


def _messages(mailbox: Mailbox, only: str | None) -> Iterator[_Placed]:
    for folder in mailbox.folders():
        if only is not None and folder.name.lower() != only.lower():
            continue
        for rows in mailbox.rows(folder.id, [(1, UID_MOST)], _COLUMNS, _ROWS):
            for row in rows:
                yield _Placed(folder.name, row)


class _Held:
    """What a mailbox holds now, asked for messages of a copy of it."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._rows: dict[tuple[int, int], list[tuple[Any, ...]]] = {}
        for _, row in _messages(mailbox, None):
            self._rows.setdefault((row[3], row[5]), []).append(row)

    def has(self, kept: Mailbox, one: _Placed) -> bool:
        """Whether the message is there: by its id, or, when it was brought back before, by its octets."""
        candidates = self._rows.get((one.row[3], one.row[5]), [])
        if any(row[4] == one.row[4] for row in candidates):
            return True
        return bool(candidates) and any(_raw(self._mailbox, row) == _raw(kept, one.row) for row in candidates)


def _raw(mailbox: Mailbox, row: tuple[Any, ...]) -> bytes:
    _, _, _, _, message_id, size, parts, recipe = row
    return b"".join(mailbox.content_of_row(message_id, size, parts, recipe).chunks())


def _item(kept: Mailbox, one: _Placed, source: str, into: str) -> Item:
    uid, flags, keywords, date, *_ = one.row
    folder = f"{into}/{one.folder}" if into else one.folder
    return Item(folder, source, f"{one.folder}/{uid}", _raw(kept, one.row), flags, tuple(keywords.split()), date)
