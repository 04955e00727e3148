"""Import from another IMAP server: folder by folder, in batches that are committed together, each message once.

A message's name is its account, host (whatever the port) and folder there, UIDVALIDITY and UID. What was taken is noted
in the transaction that takes it, so a run that is cut off at any point is gone on with by the next, which asks only for
what lacks.
"""

import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.opening import opened_mailbox
from mailstead.administration.transfer.item import Item, placed
from mailstead.administration.transfer.taking import (
    BATCH_MESSAGES,
    BATCH_OCTETS,
    Advance,
    Imported,
    folder_id,
    settle,
    take_batch,
)
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import InvalidError
from mailstead.foundation.spool import Spool
from mailstead.mail.migration.client import Fetched, ImapClient, Selected, open_client
from mailstead.mail.migration.errors import RefusedError
from mailstead.mail.migration.folder import RemoteFolder
from mailstead.mail.migration.location import Location
from mailstead.stores.mailbox.flags import BY_NAME
from mailstead.stores.mailbox.mailbox import Mailbox


def client_context(authorities: str) -> ssl.SSLContext:
    """A context that checks certificates, by the system's authorities and those in a file. Raises InvalidError."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if authorities:
        try:
            context.load_verify_locations(authorities)
        except OSError as error:
            raise InvalidError(f"{authorities} holds no certificates that can be read") from error
    return context


async def import_account(
    administration: Administration,
    actor: Actor,
    address: str,
    location: Location,
    password: str,
    spool_directory: Path,
    *,
    authorities: str = "",
    current: str | DataKey | None = None,
    into: str = "",
    addresses: Sequence[str] = (),
    begun: Callable[[int | None], Advance] = lambda _: lambda __: None,
) -> Imported:
    """Take in all messages of an account; folders are made as they are met, special uses kept.

    What cannot be taken (a folder that does not open, a message that is too large) is told in `failures`, the rest
    goes on. `into`: everything below that folder. `addresses`: where the host is, when it is not this machine's resolver
    that is to tell. Raises what `begun`'s callable raises, to stop; InvalidError, MigrationError, OverQuotaError,
    LockedMailboxError.
    """
    settings = administration.settings
    context = client_context(authorities or settings.tls.authorities)

    def new_body() -> Spool:
        return Spool(settings.message.spool_threshold, spool_directory)

    async with opened_mailbox(administration, actor, address, current) as (alias, mailbox):
        quota = alias.quota if alias.quota is not None else settings.mailbox.quota
        client = await open_client(location, password, context, settings.migration, new_body, addresses)
        advance = begun(None)
        try:
            run = _Run(administration, mailbox, client, location, quota, into, advance)
            done = await run.all_folders()
        finally:
            await client.end()
        await administration.mailboxes.run(settle, mailbox, advance)
    await administration.audit(
        actor, "mailbox.import", alias.address, taken=done.taken, known=done.known, failures=len(done.failures)
    )
    return done


class _Run:
    """One import; counts as it goes."""

    def __init__(
        self,
        administration: Administration,
        mailbox: Mailbox,
        client: ImapClient,
        location: Location,
        quota: int,
        into: str,
        advance: Advance,
    ) -> None:
        self._administration = administration
        self._mailbox = mailbox
        self._client = client
        self._location = location
        self._quota = quota
        self._into = into
        self._advance = advance
        self._done = Imported(0, 0)

    async def all_folders(self) -> Imported:
        for folder in await self._client.folders():
            name = await self._administration.mailboxes.run(_made, self._mailbox, folder, self._into)
            try:
                selected = await self._client.select(folder.wire)
            except RefusedError as error:
                self._failed(f"{folder.name}: {error}")
                continue
            await self._messages(folder, name, selected)
        return self._done

    def _failed(self, line: str) -> None:
        self._done = msgspec.structs.replace(self._done, failures=(*self._done.failures, line))

    async def _messages(self, folder: RemoteFolder, name: str, selected: Selected) -> None:
        place = folder.wire.decode("ascii", "backslashreplace")
        source = f"imap {self._location.user} {self._location.host} {place} {selected.uidvalidity}"
        source += f" in {self._into}" if self._into else ""
        keys = [str(uid) for uid in selected.uids]
        known = await self._administration.mailboxes.run(self._mailbox.imported, source, keys)
        self._done = msgspec.structs.replace(self._done, known=self._done.known + len(known))
        self._advance(len(known))
        limit = self._administration.settings.migration.message_limit
        wanted = []
        for key, uid, size in zip(keys, selected.uids, selected.sizes, strict=True):
            if key not in known and size > limit:
                self._failed(f"{folder.name}: message {uid} has {size} octets, more than {limit}")
            elif key not in known:
                wanted.append((uid, size))
        sizes = dict(wanted)
        for batch in batches(wanted):
            found = await self._client.fetch(batch, sum(sizes[uid] for uid in batch))
            try:
                await self._take(name, source, found)
            finally:
                for one in found:
                    one.body.close()
            for uid in sorted({*batch} - {one.uid for one in found}):
                self._failed(f"{folder.name}: the server does not give message {uid}")

    async def _take(self, name: str, source: str, found: list[Fetched]) -> None:
        if not found:
            return
        now = int(self._administration.clock.now())
        items = [_item(name, source, one, now) for one in sorted(found, key=lambda one: one.uid)]
        count = await self._administration.mailboxes.run(take_batch, self._mailbox, items, self._quota)
        self._done = msgspec.structs.replace(
            self._done, taken=self._done.taken + count, known=self._done.known + len(items) - count
        )
        self._advance(len(items))


def _item(folder: str, source: str, one: Fetched, now: int) -> Item:
    flags = 0
    for word in one.flags:
        flags |= BY_NAME.get(word.lower(), 0)
    keywords = tuple(word for word in one.flags if not word.startswith("\\"))
    date = one.internal_date if one.internal_date is not None else now
    return Item(folder, source, str(one.uid), one.body.octets(), flags, keywords, date)


def _made(mailbox: Mailbox, folder: RemoteFolder, into: str) -> str:
    """The name of the folder here: the one of the same special use where there is one, else made when it lacks."""
    name = placed(folder.name, into)
    if folder.special_use and not into:
        name = next((one.name for one in mailbox.folders() if one.special_use == folder.special_use), name)
    name = mailbox.folder_by_id(folder_id(mailbox, name)).name
    if folder.subscribed:
        mailbox.subscribe(name, True)
    return name


def batches(wanted: list[tuple[int, int]]) -> Iterator[list[int]]:
    """Uids of messages to be asked for at once, given with their sizes."""
    held: list[int] = []
    total = 0
    for uid, size in wanted:
        if held and (len(held) >= BATCH_MESSAGES or total + size > BATCH_OCTETS):
            yield held
            held, total = [], 0
        held.append(uid)
        total += size
    if held:
        yield held
