"""The durable queue: bodies in encrypted files, consignments in documents.

The file is written and synced before the documents that name it; it goes after the last of them. A crash in between
leaves a file that nobody names, which is swept at start.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.crypto.at_rest import decrypt_stream, encrypt_stream
from mailstead.foundation.crypto.derive import derive_key
from mailstead.foundation.errors import NotFoundError
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.records import CONSIGNMENTS, LOCAL, Consignment, from_document, to_document
from mailstead.stores.bus.interface import Bus
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.names import InvalidAddressError, domain_name
from mailstead.stores.documents.interface import Collection, Documents

CHANNEL = "queue"
_ORPHAN_AGE = 3600.0
_CHUNK = 256 * 1024
log = structlog.get_logger("mailstead.queue")


class OutboundQueue:
    """Keeps messages until every recipient is settled."""

    def __init__(
        self, documents: Documents, bus: Bus, directory: Directory, folder: Path, secret: bytes, clock: Clock
    ) -> None:
        self._documents = documents
        self._bus = bus
        self._directory = directory
        self._folder = folder
        self._key = derive_key(secret, "queue")
        self._clock = clock
        self._collection: Collection | None = None

    @property
    def consignments(self) -> Collection:
        """The documents."""
        assert self._collection is not None
        return self._collection

    async def open(self) -> None:
        """Prepare folder and collection."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._collection = await self._documents.collection(CONSIGNMENTS)

    def path(self, queue_id: str) -> Path:
        """The message's file."""
        return self._folder / f"{queue_id}.eml"

    async def enqueue(self, envelope: Envelope, message: Spool, trace_id: str) -> str:
        """Keep a message; durable when this returns. Raises OSError, StoreUnavailableError."""
        now = self._clock.now()
        queue_id = new_ulid(now)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._write, queue_id, message)
        by_destination: dict[str, list[EnvelopeRecipient]] = {}
        for recipient in envelope.recipients:
            by_destination.setdefault(await self._destination(recipient.address), []).append(recipient)
        consignments = [
            Consignment(
                id=f"{queue_id}-{number}",
                queue_id=queue_id,
                trace_id=trace_id,
                destination=destination,
                state="ready",
                due_at=now,
                queued_at=now,
                attempts=0,
                size=message.size,
                envelope=_with_recipients(envelope, recipients),
            )
            for number, (destination, recipients) in enumerate(by_destination.items())
        ]
        await self.consignments.insert_many([to_document(consignment) for consignment in consignments])
        await self._bus.publish(CHANNEL, queue_id.encode())
        return queue_id

    async def _destination(self, address: str) -> str:
        domain = address.rpartition("@")[2].lower()
        if domain.startswith("["):
            return domain
        try:
            name = domain_name(domain)
        except InvalidAddressError:
            return domain
        return LOCAL if await self._directory.is_local_domain(name) else name

    def _write(self, queue_id: str, message: Spool) -> None:
        path = self.path(queue_id)
        temporary = path.with_name(f".{path.name}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in encrypt_stream(self._key, message.chunks(), queue_id.encode()):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def read(self, queue_id: str) -> Iterator[bytes]:
        """The message, in pieces. Raises SealError, FileNotFoundError."""
        with self.path(queue_id).open("rb") as file:
            yield from decrypt_stream(self._key, iter(lambda: file.read(_CHUNK), b""), queue_id.encode())

    async def settle(self, consignment: Consignment) -> None:
        """Remove a consignment whose recipients are all done, and the file with the last one."""
        await self.consignments.delete(consignment.id)
        if await self.consignments.count({"queue_id": consignment.queue_id}) == 0:
            self.path(consignment.queue_id).unlink(missing_ok=True)

    async def sweep(self) -> int:
        """Remove files that no consignment names and that are an hour old; returns how many."""
        gone = 0
        for path in list(self._folder.iterdir()):
            age = time.time() - path.stat().st_mtime
            queue_id = path.name.removeprefix(".").removesuffix(".eml")
            if age > _ORPHAN_AGE and await self.consignments.count({"queue_id": queue_id}) == 0:
                path.unlink(missing_ok=True)
                gone += 1
        if gone:
            log.info("orphaned queue files removed", count=gone)
        return gone

    # for people

    async def list_all(self, limit: int = 1000) -> list[Consignment]:
        """Consignments, oldest first."""
        return [from_document(document) for document in await self.consignments.find({}, limit=limit)]

    async def show(self, queue_id: str) -> list[Consignment]:
        """All consignments of a message. Raises NotFoundError."""
        found = await self.consignments.find({"queue_id": queue_id.split("-", maxsplit=1)[0]})
        if not found:
            raise NotFoundError(f"Nothing is queued as {queue_id}")
        return [from_document(document) for document in found]

    async def retry(self, queue_id: str) -> int:
        """Make a message due now."""
        return await self._change(queue_id, {"state": "ready"}, {"due_at": self._clock.now()})

    async def hold(self, queue_id: str) -> int:
        """Keep a message from being tried."""
        return await self._change(queue_id, {"state": "ready"}, {"state": "held"})

    async def release(self, queue_id: str) -> int:
        """End a hold; the message is due now."""
        return await self._change(queue_id, {"state": "held"}, {"state": "ready", "due_at": self._clock.now()})

    async def drop(self, queue_id: str) -> int:
        """Forget a message without a notice to anybody."""
        found = await self.show(queue_id)
        for consignment in found:
            await self.settle(consignment)
        return len(found)

    async def _change(self, queue_id: str, where: dict[str, str], changes: dict[str, object]) -> int:
        changed = 0
        for consignment in await self.show(queue_id):
            if await self.consignments.claim({"id": consignment.id} | where, changes) is not None:
                changed += 1
        await self._bus.publish(CHANNEL, queue_id.encode())
        return changed


def _with_recipients(envelope: Envelope, recipients: list[EnvelopeRecipient]) -> Envelope:
    return Envelope(
        sender=envelope.sender,
        recipients=tuple(recipients),
        ret=envelope.ret,
        envelope_id=envelope.envelope_id,
        smtputf8=envelope.smtputf8,
        body=envelope.body,
    )
