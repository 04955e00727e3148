"""What people do with imports and exports: ask for one, see how far it is, stop it, let it go on, fetch the archive.

Whoever calls has opened the mailbox and gives its key; a job is seen by those alone who open the mailbox that it is of.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Literal

import msgspec

from mailstead.administration.actor import Actor
from mailstead.administration.aliases import find_alias
from mailstead.administration.opening import opened_mailbox
from mailstead.administration.transfer.everything import archive
from mailstead.administration.transfer.export import Format
from mailstead.administration.transfer.single import START, form_of
from mailstead.administration.transfer.work import TransferWork, check_upload, sealed_secret
from mailstead.administration.transfer.worker import CHANNEL, TransferWorker
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import InvalidError, LimitExceededError, NotFoundError, PermanentError
from mailstead.foundation.identifiers import new_ulid
from mailstead.stores.bus.interface import Bus
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.transfers.transfers import ENDED, Form, Kind, Transfer, Transfers

GivenForm = Literal["auto", "zip", "mbox", "eml", "ics", "vcf"]
_TEXT_MOST = 1000
_PORTS = {True: 993, False: 143}


class TooManyTransfersError(LimitExceededError):
    """The mailbox has as many jobs under way as Settings allow."""

    public_text = "Other imports or exports of this mailbox are under way"


class UploadTooLargeError(PermanentError):
    """The file is larger than Settings allow."""

    http_status = 413
    public_text = "The file is too large"


class TransferStateError(PermanentError):
    """The job is not in a state for this."""

    http_status = 409
    public_text = "The import or export is not in a state for this"


class ServerWanted(msgspec.Struct, frozen=True):
    """An account on another IMAP server; `port` 0 is the usual one; without `tls` STARTTLS is asked for."""

    host: str
    user: str
    password: str
    port: int = 0
    tls: bool = True


class TransferDesk:
    """Imports and exports of mailboxes. Methods raise StoreUnavailableError, and as find_alias does."""

    def __init__(self, jobs: Transfers, work: TransferWork, worker: TransferWorker, bus: Bus) -> None:
        self._jobs = jobs
        self._work = work
        self._worker = worker
        self._bus = bus
        self._administration = work.administration
        self._settings = work.administration.settings.transfer

    async def upload(
        self,
        actor: Actor,
        address: str,
        key: DataKey,
        chunks: AsyncIterator[bytes],
        *,
        name: str = "",
        form: GivenForm = "auto",
        into: str = "",
    ) -> Transfer:
        """Import a file that comes in `chunks`: an archive, an mbox, a message, a calendar, cards.

        `into`: the folder that all goes below, of a calendar or cards the collection. It is durable when this returns.
        Raises UploadTooLargeError, TooManyTransfersError, InvalidError, OSError.
        """
        alias = await self._alias(actor, address)
        await self._check_room(alias)
        job = self._new("import", "zip", alias, actor, source=name[:_TEXT_MOST], into=into)
        spool = self._work.new_spool()
        try:
            async for chunk in chunks:
                if spool.size + len(chunk) > self._settings.upload_limit:
                    raise UploadTooLargeError(f"A file has at most {self._settings.upload_limit} octets")
                spool.append(chunk)
            if not spool.size:
                raise InvalidError("The file is empty")
            found = form_of(spool.start(START)) if form == "auto" else form
            check_upload(found, spool.size, self._settings.collection_limit)
            job = msgspec.structs.replace(job, form=found, size=spool.size, public_key=alias.public_key)
            files = self._work.files
            await asyncio.to_thread(files.write, job.id, job.public_key, spool.chunks(), lambda: None)
        finally:
            spool.close()
        return await self._add(job, alias, actor, key)

    async def from_server(
        self, actor: Actor, address: str, key: DataKey, wanted: ServerWanted, *, into: str = ""
    ) -> Transfer:
        """Import all mail of an account on another server.

        Where it may be is for Settings to say, but for server admins. Raises NotPublicError, NoSuchHostError,
        ResolutionError, TooManyTransfersError, InvalidError.
        """
        alias = await self._alias(actor, address)
        await self._check_room(alias)
        if not wanted.host or not wanted.user or not wanted.password:
            raise InvalidError("Host, user and password are needed")
        if not 0 <= wanted.port < 65536 or any(
            not one.isprintable() or len(one) > 255 for one in (wanted.host, wanted.user)
        ):
            raise InvalidError("This is no server and user")
        if not actor.is_admin:
            await self._work.reach.addresses(wanted.host)
        job = self._new("import", "imap", alias, actor, source=f"{wanted.user} at {wanted.host}", into=into)
        job = msgspec.structs.replace(
            job,
            host=wanted.host,
            port=wanted.port or _PORTS[wanted.tls],
            implicit_tls=wanted.tls,
            user=wanted.user,
            secret=sealed_secret(self._administration, job.id, wanted.password),
            anywhere=actor.is_admin,
        )
        return await self._add(job, alias, actor, key)

    async def export(self, actor: Actor, address: str, key: DataKey, form: Format = "mbox") -> Transfer:
        """Make an archive of everything, to be fetched while Settings keep it. Raises TooManyTransfersError."""
        alias = await self._alias(actor, address)
        await self._check_room(alias)
        job = self._new("export", form, alias, actor)
        return await self._add(msgspec.structs.replace(job, public_key=alias.public_key), alias, actor, key)

    async def stream(
        self, actor: Actor, address: str, key: DataKey, form: Format = "mbox"
    ) -> tuple[Mailbox, Iterator[bytes]]:
        """The archive of everything as it is made, without a job: see `archive`."""
        return await archive(self._administration, actor, address, form, current=key)

    async def list(self, actor: Actor, address: str, kind: Kind | None = None) -> list[Transfer]:
        """The jobs of a mailbox, the newest first."""
        return await self._jobs.of_mailbox((await self._alias(actor, address)).mailbox_id, kind)

    async def get(self, actor: Actor, address: str, identifier: str) -> Transfer:
        """One job. Raises NotFoundError."""
        alias = await self._alias(actor, address)
        job = await self._jobs.get(identifier)
        if job is None or job.mailbox_id != alias.mailbox_id:
            raise NotFoundError("There is no such import or export")
        return job

    async def cancel(self, actor: Actor, address: str, identifier: str) -> Transfer:
        """Stop a job: at once where nobody works on it yet, else within seconds. What was taken in stays.

        Raises NotFoundError, TransferStateError when it has ended.
        """
        job = await self.get(actor, address, identifier)
        changed = await self._jobs.cancel(job.id)
        if changed is None:
            raise TransferStateError("It has ended already")
        if changed.state == "cancelled" and job.form != "imap":
            await asyncio.to_thread(self._work.files.remove, job.id)
        await self._administration.audit(actor, f"transfer.{job.kind}.cancel", job.address)
        return changed

    async def resume(self, actor: Actor, address: str, identifier: str, key: DataKey) -> Transfer:
        """Let a job go on that failed, or that waits for the owner. Raises NotFoundError, TransferStateError."""
        job = await self.get(actor, address, identifier)
        alias = await self._alias(actor, address)
        if alias.is_locked:
            changed = await self._jobs.resume(job.id, worker=self._worker.name, lease=self._worker.lease)
            if changed is not None:
                self._worker.begin(changed, key.copy())
        else:
            changed = await self._jobs.resume(job.id)
            await self._bus.publish(CHANNEL, b"")
        if changed is None:
            raise TransferStateError("Only what failed, or waits for you, can go on")
        return changed

    async def forget(self, actor: Actor, address: str, identifier: str) -> None:
        """Remove a job that has ended, its archive too. Raises NotFoundError, TransferStateError."""
        job = await self.get(actor, address, identifier)
        if job.state not in ENDED or not await self._jobs.forget(job.id):
            raise TransferStateError("It has not ended: cancel it first")
        await asyncio.to_thread(self._work.files.remove, job.id)

    async def content(
        self, actor: Actor, address: str, identifier: str, key: DataKey
    ) -> tuple[Transfer, Iterator[bytes]]:
        """The archive that an export made, in pieces, each of which is to be asked for on a thread.

        Raises NotFoundError, TransferStateError while there is none.
        """
        job = await self.get(actor, address, identifier)
        if job.kind != "export" or job.state != "done":
            raise TransferStateError("There is no archive: the export is not done")
        async with opened_mailbox(self._administration, actor, address, key) as (_, mailbox):
            return job, mailbox.unsealed(job.public_key, self._work.files.chunks(job.id))

    async def _alias(self, actor: Actor, address: str) -> Alias:
        alias = await find_alias(self._administration, actor, address)
        if not alias.mailbox_id:
            raise InvalidError(f"{alias.address} has no mailbox")
        return alias

    async def _check_room(self, alias: Alias) -> None:
        under_way = await self._jobs.active(alias.mailbox_id)
        if under_way >= self._settings.per_mailbox or (alias.is_locked and self._worker.is_busy):
            raise TooManyTransfersError

    def _new(self, kind: Kind, form: Form, alias: Alias, actor: Actor, *, source: str = "", into: str = "") -> Transfer:
        now = self._administration.clock.now()
        if len(into) > _TEXT_MOST or not into.isprintable():
            raise InvalidError("This cannot be a folder's name")
        return Transfer(
            id=new_ulid(now),
            kind=kind,
            form=form,
            mailbox_id=alias.mailbox_id,
            address=alias.address,
            actor=actor.name,
            user_id=actor.user_id,
            state="waiting",
            created_at=now,
            due_at=now,
            source="".join(letter if letter.isprintable() else "_" for letter in source),
            into=into.strip("/"),
        )

    async def _add(self, job: Transfer, alias: Alias, actor: Actor, key: DataKey) -> Transfer:
        if alias.is_locked:
            name, now = self._worker.name, self._administration.clock.now()
            job = msgspec.structs.replace(
                job, state="running", worker=name, holder=name, started_at=now, due_at=now + self._worker.lease
            )
        await self._jobs.add(job)
        await self._administration.audit(actor, f"transfer.{job.kind}", job.address, form=job.form, source=job.source)
        if alias.is_locked:
            self._worker.begin(job, key.copy())
        else:
            await self._bus.publish(CHANNEL, b"")
        return job
