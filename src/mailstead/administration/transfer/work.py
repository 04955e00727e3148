"""The work of one import or export, from its job's description to what came of it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.calendars import CollectionKind, import_file
from mailstead.administration.opening import opened_mailbox
from mailstead.administration.transfer.archive import ArchiveSource
from mailstead.administration.transfer.everything import archive
from mailstead.administration.transfer.export import Format
from mailstead.administration.transfer.imap import import_account
from mailstead.administration.transfer.item import Below, Source
from mailstead.administration.transfer.progress import Progress
from mailstead.administration.transfer.single import SingleSource
from mailstead.administration.transfer.taking import Imported, import_source
from mailstead.foundation.crypto.at_rest import decrypt, encrypt
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.derive import derive_key
from mailstead.foundation.errors import InvalidError
from mailstead.foundation.net.reach import Reach
from mailstead.foundation.spool import Spool
from mailstead.mail.migration.location import Location
from mailstead.stores.transfers.files import TransferFiles
from mailstead.stores.transfers.transfers import Transfer

_FAILURES = 100
_COLLECTIONS: dict[str, CollectionKind] = {"ics": "calendar", "vcf": "addressbook"}
_FIRST_COLLECTION = "default"


class Outcome(msgspec.Struct, frozen=True):
    """What came of a job; `failures` are the first lines of what was left out."""

    taken: int = 0
    known: int = 0
    failures: tuple[str, ...] = ()
    size: int = 0


def sealed_secret(administration: Administration, identifier: str, secret: str) -> bytes:
    """A password at another server, as the job keeps it."""
    return encrypt(_secret_key(administration), secret.encode(), identifier.encode())


def _secret_key(administration: Administration) -> bytes:
    return derive_key(administration.directory.server_key, "transfer secret")


class TransferWork:
    """Carries jobs out."""

    def __init__(
        self, administration: Administration, files: TransferFiles, reach: Reach, spool_directory: Path
    ) -> None:
        self.administration = administration
        self.files = files
        self.reach = reach
        self._spool_directory = spool_directory

    def new_spool(self) -> Spool:
        """Where octets wait that are being worked on: in memory, or in a file without a name."""
        return Spool(self.administration.settings.message.spool_threshold, self._spool_directory)

    async def carry_out(self, job: Transfer, key: DataKey | None, progress: Progress) -> Outcome:
        """Do the work; `key` opens a mailbox that the server alone does not open.

        Raises TransferStoppedError when `progress` says so, and whatever keeps the work from being done:
        MailsteadError, OSError.
        """
        actor = Actor(job.actor, "user", job.user_id)
        if job.kind == "export":
            return await self._export(job, actor, key, progress)
        if job.form == "imap":
            return await self._from_server(job, actor, key, progress)
        async with opened_mailbox(self.administration, actor, job.address, key) as (_, mailbox):
            spool = self.new_spool()
            try:
                chunks = mailbox.unsealed(job.public_key, self.files.chunks(job.id))
                await self.administration.mailboxes.run(_fill, spool, chunks, progress)
                return await self._from_file(job, actor, key, progress, spool)
            finally:
                spool.close()

    async def _from_server(self, job: Transfer, actor: Actor, key: DataKey | None, progress: Progress) -> Outcome:
        secret = decrypt(_secret_key(self.administration), job.secret, job.id.encode()).decode()
        done = await import_account(
            self.administration,
            actor,
            job.address,
            Location(job.user, job.host, job.port, job.implicit_tls),
            secret,
            self._spool_directory,
            current=key,
            into=job.into,
            addresses=() if job.anywhere else await self.reach.addresses(job.host),
            begun=progress.begun,
        )
        return _outcome(done)

    async def _from_file(
        self, job: Transfer, actor: Actor, key: DataKey | None, progress: Progress, spool: Spool
    ) -> Outcome:
        if job.form in _COLLECTIONS:
            name = job.into or _FIRST_COLLECTION
            return await self._collection(job, actor, key, _COLLECTIONS[job.form], name, spool.read())
        if job.form != "zip":
            source: Source = SingleSource(job.form, spool.octets(), int(job.created_at))
            return _outcome(await self._source(job, actor, key, source, progress))
        with closing(await self.administration.mailboxes.run(self._archive, spool)) as found:
            done = _outcome(await self._source(job, actor, key, found, progress))
            collections = found.collections()
            while (one := await self.administration.mailboxes.run(next, collections, None)) is not None:
                kind, name, data = one
                part = await self._collection(job, actor, key, cast(CollectionKind, kind), name, data)
                failures = tuple(f"{name}: {line}" for line in part.failures)
                done = Outcome(done.taken + part.taken, done.known + part.known, done.failures + failures)
                progress(part.taken + part.known)
            failures = (*done.failures, *found.failures)
            return msgspec.structs.replace(done, failures=failures[:_FAILURES])

    def _archive(self, spool: Spool) -> ArchiveSource:
        settings = self.administration.settings
        return ArchiveSource(spool.file(), settings.transfer, settings.migration.message_limit, self.new_spool)

    async def _source(
        self, job: Transfer, actor: Actor, key: DataKey | None, source: Source, progress: Progress
    ) -> Imported:
        return await import_source(
            self.administration,
            actor,
            job.address,
            Below(source, job.into) if job.into else source,
            current=key,
            begun=progress.begun,
        )

    async def _collection(
        self, job: Transfer, actor: Actor, key: DataKey | None, kind: CollectionKind, name: str, data: bytes
    ) -> Outcome:
        done = await import_file(self.administration, actor, job.address, kind, name, data, key)
        return Outcome(done.added + done.changed, done.unchanged, done.errors[:_FAILURES])

    async def _export(self, job: Transfer, actor: Actor, key: DataKey | None, progress: Progress) -> Outcome:
        form = cast(Format, job.form)
        _, pieces = await archive(self.administration, actor, job.address, form, current=key, begun=progress.begun)
        size = await self.administration.mailboxes.run(self.files.write, job.id, job.public_key, pieces, progress.check)
        return Outcome(taken=progress.done, size=size)


def _outcome(done: Imported) -> Outcome:
    return Outcome(done.taken, done.known, done.failures[:_FAILURES])


def _fill(spool: Spool, chunks: Iterator[bytes], check: Callable[[int], None]) -> None:
    for chunk in chunks:
        spool.append(chunk)
        check(0)


def check_upload(form: str, size: int, limit: int) -> None:
    """Raises InvalidError when a file of calendars or cards is larger than one is imported."""
    if form in _COLLECTIONS and size > limit:
        raise InvalidError(f"A file of calendars or cards has at most {limit // 1024**2} MiB")
