"""Messages brought back from a backup into a mailbox that is in use, by who may open that mailbox."""

import heapq
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec

from mailstead.administration.actor import Actor
from mailstead.administration.aliases import find_alias
from mailstead.administration.backup.backups import Backups, Listed
from mailstead.administration.backup.restic import Snapshot
from mailstead.administration.opening import data_key, opened_mailbox
from mailstead.administration.transfer.item import Item
from mailstead.administration.transfer.taking import settle, take_all
from mailstead.formats.message.envelope_shown import read_envelope
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import InvalidError, NotFoundError, PermissionDeniedError
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.content import MessageContent
from mailstead.stores.mailbox.entries import UID_MOST
from mailstead.stores.mailbox.errors import WrongKeyError
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.messages import object_id

MESSAGES_MOST = 1000
_COLUMNS = ("uid", "flags", "keywords", "internal_date", "message_id", "size", "parts", "recipe")
_HELD_COLUMNS = ("uid", "internal_date", "size", "message_id")
_SHOWN_COLUMNS = (*_COLUMNS, "envelope")
_ROWS = 100


class Retrieved(msgspec.Struct, frozen=True):
    """What was brought back, and how many were in the mailbox anyway."""

    snapshot: str
    taken: int
    there: int


class FolderThere(msgspec.Struct, frozen=True):
    """A folder of a backup: how many messages it held, and how many of them the mailbox holds nowhere now."""

    name: str
    messages: int
    lost: int


class LostMessage(msgspec.Struct, frozen=True):
    """A message that the mailbox holds no more. `id` is its EMAILID in the backup, `date` when it came, in epoch seconds."""

    id: str
    folder: str
    sender: str
    subject: str
    date: int
    size: int


class Contents(msgspec.Struct, frozen=True):
    """What a backup has of a mailbox: all folders, and of what was asked for and is lost, the newest messages.

    `lost` counts what was asked for, shown or not.
    """

    snapshot: str
    at: float
    folders: tuple[FolderThere, ...]
    messages: tuple[LostMessage, ...]
    lost: int


async def snapshots(backups: Backups, actor: Actor, address: str) -> list[Listed]:
    """The backups since the mailbox of `address` is there, the newest first. Raises NotFoundError, ResticError."""
    alias = await find_alias(backups.administration, actor, address)
    return [one for one in await backups.all() if one.at >= alias.created_at]


async def look(
    backups: Backups,
    actor: Actor,
    address: str,
    *,
    snapshot: str = "latest",
    folder: str | None = None,
    text: str = "",
    most: int = 200,
    current: str | DataKey | None = None,
) -> Contents:
    """What a backup has of the mailbox of `address` that it does not hold now: senders, subjects and dates.

    `folder`: of that one only; `text`: with that in the sender or the subject; at most `most` (MESSAGES_MOST or less)
    messages. That is reading the mailbox: a user gives the key or a credential. Raises PermissionDeniedError,
    NotFoundError, LockedMailboxError, BackupBusyError, ResticError, OSError.
    """
    if actor.role != "server" and current is None:
        raise PermissionDeniedError
    most = max(1, min(most, MESSAGES_MOST))
    async with _both(backups, actor, address, snapshot, current) as (_, mailbox, found, kept):

        def read() -> tuple[list[FolderThere], list[LostMessage], int]:
            here = _Held(mailbox)
            counts = {one.name: [0, 0] for one in kept.folders()}
            chosen: list[tuple[int, int, LostMessage]] = []
            lost = 0
            for number, one in enumerate(_messages(kept, None, _SHOWN_COLUMNS)):
                count = counts[one.folder]
                count[0] += 1
                if here.has(kept, one):
                    continue
                count[1] += 1
                shown = _shown(one)
                if not _is_wanted(shown, folder, text):
                    continue
                lost += 1
                add = heapq.heappush if len(chosen) < most else heapq.heappushpop
                add(chosen, (shown.date, number, shown))
            newest = [shown for _, _, shown in sorted(chosen, reverse=True)]
            return [FolderThere(name, *count) for name, count in counts.items()], newest, lost

        folders, messages, lost = await backups.administration.mailboxes.run(read)
    return Contents(found.short_id, found.at, tuple(folders), tuple(messages), lost)


async def retrieve(
    backups: Backups,
    actor: Actor,
    address: str,
    *,
    snapshot: str = "latest",
    folder: str | None = None,
    messages: Collection[str] = (),
    into: str = "",
    current: str | DataKey | None = None,
) -> Retrieved:
    """Bring back what the mailbox of `address` held in a backup and does not hold now; nothing is changed or removed.

    `folder`: of that one only; `messages`: those only, by their EMAILID (RFC 8474 §5.1). Messages go to the folder they
    were in, below the folder `into` when that is given. `current`: the key, or a credential that opens a locked mailbox.
    Raises NotFoundError, LockedMailboxError, OverQuotaError, BackupBusyError, ResticError, OSError.
    """
    administration = backups.administration
    wanted = frozenset(messages)
    async with _both(backups, actor, address, snapshot, current) as (alias, mailbox, found, kept):
        quota = alias.quota if alias.quota is not None else administration.settings.mailbox.quota

        def take() -> tuple[int, int]:
            chosen = [one for one in _messages(kept, folder) if not wanted or object_id(one.row[4]) in wanted]
            if not chosen:
                raise NotFoundError(f"There is no such {'message' if wanted else 'folder'} in that backup")
            here = _Held(mailbox)
            source = f"backup {found.short_id} {new_ulid(administration.clock.now())}"
            lost = (_item(kept, one, source, into) for one in chosen if not here.has(kept, one))
            taken = take_all(mailbox, lost, quota, lambda _: None).taken
            settle(mailbox)
            return taken, len(chosen) - taken

        taken, there = await administration.mailboxes.run(take)
    await administration.audit(actor, "backup.retrieve", alias.address, snapshot=found.short_id, taken=taken)
    return Retrieved(found.short_id, taken, there)


@asynccontextmanager
async def _both(
    backups: Backups, actor: Actor, address: str, name: str, current: str | DataKey | None
) -> AsyncIterator[tuple[Alias, Mailbox, Snapshot, Mailbox]]:
    """The mailbox, and as long as this lasts what it was in a backup.

    Who had the address before is somebody else: only the server's administrators see that mailbox by this one's address.
    """
    administration = backups.administration
    async with (
        opened_mailbox(administration, actor, address, current) as (alias, mailbox),
        backups.written_mailbox(name, alias.address) as (found, former, mailboxes),
    ):
        if former.mailbox_id != alias.mailbox_id and not actor.is_admin:
            raise InvalidError(f"{alias.address} had no mailbox in {found.short_id}")
        is_open = any(slot.kind == "server" for slot in former.slots)
        with await data_key(administration, former, None if is_open else current) as key:
            try:
                kept = await mailboxes.open(former.mailbox_id, key)
            except WrongKeyError as error:
                raise InvalidError("The keys were other ones then: give the password of that time") from error
        yield alias, mailbox, found, kept


class _Placed(NamedTuple):
    folder: str
    row: tuple[Any, ...]


def _messages(mailbox: Mailbox, only: str | None, columns: Sequence[str] = _COLUMNS) -> Iterator[_Placed]:
    for folder in mailbox.folders():
        if only is not None and folder.name.lower() != only.lower():
            continue
        for rows in mailbox.rows(folder.id, [(1, UID_MOST)], columns, _ROWS):
            for row in rows:
                yield _Placed(folder.name, row)


def _shown(one: _Placed) -> LostMessage:
    _, _, _, date, message_id, size, _, _, stored = one.row
    envelope = read_envelope(stored)
    sender = ", ".join(str(person) for person in envelope.senders)
    return LostMessage(object_id(message_id), one.folder, sender, envelope.subject, date, size)


def _is_wanted(shown: LostMessage, folder: str | None, text: str) -> bool:
    if folder is not None and shown.folder.lower() != folder.lower():
        return False
    return not text or text.lower() in f"{shown.sender}\n{shown.subject}".lower()


class _Held:
    """What a mailbox holds now, asked for messages of a copy of it."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._ids: dict[tuple[int, int], list[int]] = {}
        for _, (_, date, size, message_id) in _messages(mailbox, None, _HELD_COLUMNS):
            self._ids.setdefault((date, size), []).append(message_id)

    def has(self, kept: Mailbox, one: _Placed) -> bool:
        """Whether the message is there: by its id, or, when it was brought back before, by its octets."""
        candidates = self._ids.get((one.row[3], one.row[5]), [])
        if one.row[4] in candidates:
            return True
        return bool(candidates) and any(_whole(self._mailbox.content(known)) == _raw(kept, one) for known in candidates)


def _whole(content: MessageContent) -> bytes:
    return b"".join(content.chunks())


def _raw(kept: Mailbox, one: _Placed) -> bytes:
    return _whole(kept.content_of_row(*one.row[4:8]))


def _item(kept: Mailbox, one: _Placed, source: str, into: str) -> Item:
    uid, flags, keywords, date, *_ = one.row
    folder = f"{into}/{one.folder}" if into else one.folder
    return Item(folder, source, f"{one.folder}/{uid}", _raw(kept, one), flags, tuple(keywords.split()), date)
