"""Import into a mailbox: in batches, each a durable transaction that notes what it took, so that nothing comes twice."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.opening import opened_mailbox
from mailstead.administration.transfer.files import file_source
from mailstead.administration.transfer.item import Item, Source
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import InvalidError
from mailstead.stores.mailbox.errors import FolderExistsError, NoSuchFolderError
from mailstead.stores.mailbox.flags import keyword_text, valid_keywords
from mailstead.stores.mailbox.folders import SEPARATOR
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage

Advance = Callable[[int], None]
BATCH_MESSAGES, BATCH_OCTETS = 200, 16 * 1024 * 1024


class Imported(msgspec.Struct, frozen=True):
    """What an import did: messages taken, those that had been taken before, and a line for each thing left out."""

    taken: int
    known: int
    failures: tuple[str, ...] = ()


async def import_files(
    administration: Administration,
    actor: Actor,
    address: str,
    path: Path,
    *,
    current: str | DataKey | None = None,
    begun: Callable[[int | None], Advance] = lambda _: lambda __: None,
) -> Imported:
    """Take in the messages of a Maildir, of mbox files or of .eml files; folders are made as they are met.

    A second run takes what came meanwhile, and one that was cut off goes on where it was. `begun` is told how many
    messages there are when that is known, and gives what is called (on a thread) as they are taken. Raises
    InvalidError, OverQuotaError, LockedMailboxError, OSError.
    """
    source = await administration.mailboxes.run(file_source, path)
    return await import_source(administration, actor, address, source, current=current, begun=begun)


async def import_source(
    administration: Administration,
    actor: Actor,
    address: str,
    source: Source,
    *,
    current: str | DataKey | None = None,
    begun: Callable[[int | None], Advance] = lambda _: lambda __: None,
) -> Imported:
    """Take in the messages of a source; see import_files. Raises what `begun`'s callable raises, to stop."""
    mailboxes = administration.mailboxes
    async with opened_mailbox(administration, actor, address, current) as (alias, mailbox):
        quota = alias.quota if alias.quota is not None else administration.settings.mailbox.quota
        await mailboxes.run(_make_folders, mailbox, source)
        advance = begun(await mailboxes.run(source.count))
        done = await mailboxes.run(lambda: take_all(mailbox, source.items(), quota, advance))
        await mailboxes.run(settle, mailbox, advance)
    await administration.audit(actor, "mailbox.import", alias.address, taken=done.taken, known=done.known)
    return done


def _make_folders(mailbox: Mailbox, source: Source) -> None:
    for name, subscribed in source.folders():
        found = mailbox.folder_by_id(folder_id(mailbox, name))
        if subscribed:
            mailbox.subscribe(found.name, True)


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Items of one folder and source at a time, not too many octets at once."""
    held: list[Item] = []
    size = 0
    for item in items:
        if held and (
            (item.folder, item.source) != (held[0].folder, held[0].source)
            or len(held) >= BATCH_MESSAGES
            or size + len(item.raw) > BATCH_OCTETS
        ):
            yield held
            held, size = [], 0
        held.append(item)
        size += len(item.raw)
    if held:
        yield held


def take_all(mailbox: Mailbox, items: Iterable[Item], quota: int | None, advance: Advance) -> Imported:
    """Take the items in. Raises as take_batch."""
    taken = known = 0
    for batch in batches(items):
        count = take_batch(mailbox, batch, quota)
        taken += count
        known += len(batch) - count
        advance(len(batch))
    return Imported(taken, known)


def take_batch(mailbox: Mailbox, batch: list[Item], quota: int | None) -> int:
    """Take items of one folder and source in one transaction; how many were new. Raises OverQuotaError."""
    target = folder_id(mailbox, batch[0].folder)
    messages = [
        (
            item.key,
            NewMessage(item.raw, item.flags, keyword_text(valid_keywords(item.keywords)), item.internal_date),
        )
        for item in batch
    ]
    return mailbox.take_in(target, batch[0].source, messages, quota)


def folder_id(mailbox: Mailbox, name: str) -> int:
    """The folder of that name, made when it lacks; a name that cannot be one becomes one that can."""
    try:
        return mailbox.folder(name).id
    except NoSuchFolderError:
        pass
    clean = "".join("_" if ord(letter) < 32 or ord(letter) == 127 else letter for letter in name)
    clean = SEPARATOR.join(level.strip() or "_" for level in clean.split(SEPARATOR))
    try:
        return mailbox.create_folder(clean).id
    except FolderExistsError:
        return mailbox.folder(clean).id
    except InvalidError as error:
        raise InvalidError(f"The folder {name!r} cannot be made: {error}") from error


def settle(mailbox: Mailbox, advance: Advance = lambda _: None) -> None:
    """Fill the full-text index and pack what came; `advance` is called between steps and may raise to stop."""
    while mailbox.index_pending():
        advance(0)
    while mailbox.compact():
        advance(0)
