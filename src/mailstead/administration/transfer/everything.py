"""Everything of a mailbox as one ZIP archive: mail, calendars, address books, filter scripts.

mail/        as `mailstead mailbox export` writes it      calendars/NAME.ics  contacts/NAME.vcf  filters/NAME.sieve
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.calendars import CollectionKind, collection_octets
from mailstead.administration.opening import opened_mailbox
from mailstead.administration.transfer.entry import Entry
from mailstead.administration.transfer.export import Advance, Format, mail_entries
from mailstead.administration.transfer.layout import path_name
from mailstead.formats.archive.zip import zip_pieces
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.stores.mailbox.mailbox import Mailbox

_FOLDERS: tuple[tuple[CollectionKind, str, str], ...] = (
    ("calendar", "calendars", "ics"),
    ("addressbook", "contacts", "vcf"),
)


async def archive(
    administration: Administration,
    actor: Actor,
    address: str,
    form: Format,
    *,
    current: str | DataKey | None = None,
    begun: Callable[[int], Advance] = lambda _: lambda __: None,
) -> tuple[Mailbox, Iterator[bytes]]:
    """The mailbox and the archive's octets, each piece of which is to be asked for on a thread.

    The archive holds what is there as it is read, message by message; nothing of it is kept in memory. Raises
    LockedMailboxError, PermissionDeniedError; the pieces raise what `begun`'s callable raises.
    """
    async with opened_mailbox(administration, actor, address, current) as (alias, mailbox):
        advance = begun((await administration.mailboxes.run(mailbox.usage)).messages)
        found = await administration.scripts.all_of(alias.mailbox_id)
        scripts = [
            (entry.name, await administration.scripts.content(alias.mailbox_id, entry.name)) for entry in found.scripts
        ]
    await administration.audit(actor, "mailbox.export", alias.address, format=form)
    now = administration.clock.now()
    return mailbox, zip_pieces(
        (entry.path, entry.moment, entry.pieces)
        for entry in _entries(mailbox, alias.address, form, scripts, int(now), administration.settings, advance)
    )


def _entries(
    mailbox: Mailbox,
    address: str,
    form: Format,
    scripts: Sequence[tuple[str, bytes]],
    now: int,
    settings: Settings,
    advance: Advance,
) -> Iterator[Entry]:
    for entry in mail_entries(mailbox, address, form, now, advance):
        yield msgspec.structs.replace(entry, path=f"mail/{entry.path}")
    for kind, folder, suffix in _FOLDERS:
        taken: set[str] = set()
        for collection in mailbox.dav.collections(kind):
            path = f"{folder}/{path_name(collection.name, taken)}.{suffix}"
            yield Entry(path, now, collection_octets(mailbox.dav, kind, [collection], settings))
    taken = set()
    for name, content in scripts:
        yield Entry(f"filters/{path_name(name, taken)}.sieve", now, (content,))
