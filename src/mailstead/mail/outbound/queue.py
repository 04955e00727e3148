"""The durable queue: bodies in encrypted files, consignments in documents.

The file is written and synced before the documents that name it; it goes after the last of them. A crash in between
leaves a file that nobody names, which is swept at start.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
import structlog

from mailstead.foundation.clock import Clock
from mailstead.foundation.crypto.derive import derive_key
from mailstead.foundation.errors import NotFoundError
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.files import QueuedMessage, QueueFiles
from mailstead.mail.outbound.records import (
    CONSIGNMENTS,
    HOOK,
    HOST,
    LOCAL,
    MOVES,
    Consignment,
    Move,
    from_document,
    once_id,
    to_document,
)
from mailstead.stores.bus.interface import Bus, BusLostError
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.names import InvalidAddressError, domain_name
from mailstead.stores.documents.interface import Collection, Documents, DuplicateError

CHANNEL = "queue"
LIST_LIMIT = 1000
_ORPHAN_AGE = 3600.0
_ANNOUNCED_LIMIT = 50
_ASKED_AT_ONCE = 1000
log = structlog.get_logger("mailstead.queue")
encode_destinations = msgspec.msgpack.Encoder().encode
decode_destinations = msgspec.msgpack.Decoder(list[str]).decode

_QUEUED: dict[str, Any] = {"queued_at": {"$gt": 0}}
Done = Literal["done", "busy", "unchanged"]


class OutboundQueue:
    """Keeps messages until every recipient is settled."""

    def __init__(
        self, documents: Documents, bus: Bus, directory: Directory, folder: Path, secret: bytes, clock: Clock
    ) -> None:
        self._documents = documents
        self._bus = bus
        self._directory = directory
        self._clock = clock
        self._collection: Collection | None = None
        self.files = QueueFiles(folder, derive_key(secret, "queue"))

    @property
    def consignments(self) -> Collection:
        """The documents."""
        assert self._collection is not None
        return self._collection

    async def open(self) -> None:
        """Prepare folder and collection. Raises OSError, StoreUnavailableError."""
        self.files.open()
        self._collection = await self._documents.collection(CONSIGNMENTS)

    def close(self) -> None:
        """Let go."""
        self.files.close()

    # in

    async def enqueue(self, envelope: Envelope, message: Spool, trace_id: str, *, once: str = "") -> str:
        """Keep a message; durable when this returns. Returns its queue id.

        `once` names what it is queued for: the same name again within ONCE_DAYS queues nothing and returns "". Raises
        OSError, StoreUnavailableError.
        """
        now = self._clock.now()
        queue_id = new_ulid(now)
        await self.files.write(queue_id, message)
        made = await self._consignments(queue_id, envelope, message.size, trace_id)
        documents = [to_document(consignment) for consignment in made]
        if once:
            documents.append({"id": once_id(once), "done_at": now})
        try:
            await self.consignments.insert_many(documents)
        except DuplicateError:
            if not once:
                raise
            await self.files.run(lambda: self.files.remove(queue_id))
            return ""
        await self.announce([consignment.destination for consignment in made])
        return queue_id

    async def enqueue_owed(
        self, queue_id: str, origin: str, envelope: Envelope, message: Spool, trace_id: str, until: float
    ) -> None:
        """Keep a message that `origin` owes, as pending until `until`; does nothing when that was done before."""
        await self.files.write(queue_id, message)
        made = [
            to_document(msgspec.structs.replace(one, state="pending", origin=origin, lease_until=until))
            for one in await self._consignments(queue_id, envelope, message.size, trace_id)
        ]
        try:
            await self.consignments.insert_many(made)
        except DuplicateError:
            log.debug("owed message was there", queue_id=queue_id)

    async def _consignments(self, queue_id: str, envelope: Envelope, size: int, trace_id: str) -> list[Consignment]:
        now = self._clock.now()
        by_destination: dict[str, list[EnvelopeRecipient]] = {}
        for recipient in envelope.recipients:
            by_destination.setdefault(await self._destination(recipient), []).append(recipient)
        return [
            Consignment(
                id=f"{queue_id}-{number}",
                queue_id=queue_id,
                trace_id=trace_id,
                home=self.files.id,
                destination=destination,
                state="ready",
                due_at=max(now, envelope.release_at),
                queued_at=now,
                attempts=0,
                size=size,
                envelope=msgspec.structs.replace(envelope, recipients=tuple(recipients)),
            )
            for number, (destination, recipients) in enumerate(by_destination.items())
        ]

    async def _destination(self, recipient: EnvelopeRecipient) -> str:
        if recipient.via.startswith(HOST):
            return recipient.via
        if recipient.via:
            return f"{HOOK}{urlsplit(recipient.via).netloc}"
        domain = recipient.address.rpartition("@")[2].lower()
        if domain.startswith("["):
            return domain
        try:
            name = domain_name(domain)
        except InvalidAddressError:
            return domain
        return LOCAL if await self._directory.is_local_domain(name) else name

    async def announce(self, destinations: list[str]) -> None:
        """Wake the workers: for `destinations`, or to look everywhere when there are none or many."""
        few = destinations if len(destinations) <= _ANNOUNCED_LIMIT else []
        try:
            await self._bus.publish(CHANNEL, encode_destinations(few))
        except BusLostError:
            log.debug("nobody was woken, the workers look by themselves")  # what was kept stays kept

    def read(self, consignment: Consignment) -> QueuedMessage:
        """The message, opened. Raises FileNotFoundError, OSError."""
        return self.files.read(consignment.queue_id, consignment.size)

    # for workers

    async def due_destinations(self, now: float, limit: int) -> list[str]:
        """Destinations with mail that is due, in the order of their longest waiting mail, then all others."""
        due = {"home": self.files.id, "state": "ready", "due_at": {"$lte": now}}
        first = await self.consignments.find(due, order=[("due_at", 1)], limit=limit)
        found = dict.fromkeys(str(document["destination"]) for document in first)
        if len(first) == limit:
            # more is due than was looked at: the front may be full of one destination
            found |= dict.fromkeys(str(name) for name in await self.consignments.distinct("destination", due))
        return list(found)

    async def next_due(self, now: float) -> float | None:
        """When the next consignment becomes due that is not due yet."""
        later = {"home": self.files.id, "state": "ready", "due_at": {"$gt": now}}
        found = await self.consignments.find_one(later, order=[("due_at", 1)])
        return None if found is None else float(found["due_at"])

    async def claim(self, destination: str, worker: str, now: float, lease: float) -> Consignment | None:
        """The destination's longest waiting due consignment, for `worker` alone during `lease` seconds."""
        claimed = await self.consignments.claim(
            {"home": self.files.id, "state": "ready", "destination": destination, "due_at": {"$lte": now}},
            {"state": MOVES["claim"]["ready"], "worker": worker, "lease_until": now + lease},
            order=[("due_at", 1)],
        )
        return None if claimed is None else from_document(claimed)

    async def change_claimed(
        self, consignment: Consignment, changes: Mapping[str, Any], **also: object
    ) -> Consignment | None:
        """Change a consignment its worker still has (and that meets `also`); None when it was dropped or taken away."""
        where = {"id": consignment.id, "state": "claimed", "worker": consignment.worker} | also
        changed = await self.consignments.claim(where, changes)
        return None if changed is None else from_document(changed)

    async def give_back(self, consignment: Consignment) -> None:
        """End a claim without an outcome: it is due as before."""
        await self.change_claimed(consignment, {"state": MOVES["give_back"]["claimed"], "worker": ""})

    async def give_back_others(self, worker: str, now: float) -> int:
        """Give back the claims of this folder that are not `worker`'s: of those who worked it before."""
        return await self._give_back_all({"worker": {"$ne": worker}}, now)

    async def give_back_expired(self, now: float) -> int:
        """Give back claims whose lease is over."""
        return await self._give_back_all({"lease_until": {"$lt": now}}, now)

    async def _give_back_all(self, whose: dict[str, object], now: float) -> int:
        where = {"home": self.files.id, "state": "claimed"} | whose
        count = 0
        while await self.consignments.claim(
            where, {"state": MOVES["give_back"]["claimed"], "worker": "", "due_at": now}
        ):
            count += 1
        return count

    async def finish(self, consignment: Consignment) -> None:
        """Nothing is owed any more: put back what still waits, or remove the consignment; free what it owed."""
        owed = [one.queue_id for one in consignment.owed]
        if not consignment.recipients:
            await self.remove(consignment)
        else:
            changes = {"owed": [], "worker": "", "due_at": consignment.retry_at, "forced": False, "hold": False}
            await self._put_back(consignment, changes)
        for queue_id in owed:
            await self.adopt(queue_id)

    async def _put_back(self, consignment: Consignment, changes: dict[str, object]) -> None:
        """Ready, or held when a person asked for it; again when one asked between the two attempts."""
        ours: dict[str, object] = {"id": consignment.id, "state": "claimed", "worker": consignment.worker}
        while await self.consignments.count(ours):
            if await self.change_claimed(consignment, changes | {"state": "held"}, hold=True) is not None:
                return
            ready = {"state": MOVES["finish"]["claimed"]}
            if await self.change_claimed(consignment, changes | ready, hold={"$ne": True}) is not None:
                return

    async def adopt(self, queue_id: str) -> None:
        """Make an owed message ready: its origin is settled."""
        now = self._clock.now()
        freed = []
        while True:
            adopted = await self.consignments.claim(
                {"queue_id": queue_id, "state": "pending"}, {"state": MOVES["adopt"]["pending"], "due_at": now}
            )
            if adopted is None:
                break
            freed.append(str(adopted["destination"]))
        if freed:
            await self.announce(freed)

    async def adopt_orphans(self, now: float) -> int:
        """Make ready what is pending past its time and owed by nobody: its origin was settled before a crash."""
        count = 0
        where = {"home": self.files.id, "state": "pending", "lease_until": {"$lt": now}}
        for document in await self.consignments.find(where, limit=_ASKED_AT_ONCE):
            pending = from_document(document)
            origin = await self.consignments.get(pending.origin)
            if origin is None or all(one.queue_id != pending.queue_id for one in from_document(origin).owed):
                await self.adopt(pending.queue_id)
                count += 1
        return count

    async def remove(self, consignment: Consignment) -> bool:
        """Remove a consignment whose recipients are all done, and the file with the last one; whether it was there."""
        there = await self.consignments.delete(consignment.id)
        if await self.consignments.count({"queue_id": consignment.queue_id}) == 0:
            await self.files.run(lambda: self.files.remove(consignment.queue_id))
        return there

    async def sweep(self) -> int:
        """Remove files that no consignment names and that are an hour old; returns how many."""
        old = await self.files.run(lambda: self.files.older_than(_ORPHAN_AGE))
        names = [name for name in old if name]
        gone = list(old.get("", ()))
        for start in range(0, len(names), _ASKED_AT_ONCE):
            asked = names[start : start + _ASKED_AT_ONCE]
            known = set(await self.consignments.distinct("queue_id", {"queue_id": {"$in": asked}}))
            gone += [path for name in asked if name not in known for path in old[name]]
        for path in gone:
            path.unlink(missing_ok=True)
        if gone:
            log.info("orphaned queue files removed", count=len(gone))
        return len(gone)

    # for people

    async def list_all(self, limit: int = LIST_LIMIT, *, destination: str | None = None) -> list[Consignment]:
        """Consignments, oldest first."""
        where = _QUEUED if destination is None else _QUEUED | {"destination": destination}
        found = await self.consignments.find(where, order=[("queued_at", 1)], limit=limit)
        return [from_document(document) for document in found]

    async def count(self) -> int:
        """How many consignments there are."""
        return await self.consignments.count(_QUEUED)

    async def show(self, queue_id: str) -> list[Consignment]:
        """All consignments of a message, or the one whose id was given. Raises NotFoundError."""
        where = {"id": queue_id} if "-" in queue_id else {"queue_id": queue_id}
        found = await self.consignments.find(where)
        if not found:
            raise NotFoundError(f"Nothing is queued as {queue_id}")
        return [from_document(document) for document in found]

    async def retry(self, consignment: Consignment) -> Done:
        """Make it due now, whatever is known of the destination."""
        return await self._move(consignment, "retry", {"due_at": self._clock.now(), "forced": True})

    async def hold(self, consignment: Consignment) -> Done:
        """Keep it from being tried; one that is being tried is held when that attempt ends ("busy")."""
        done = await self._move(consignment, "hold", {})
        if done == "busy":
            await self.consignments.claim({"id": consignment.id, "state": "claimed"}, {"hold": True})
        return done

    async def release(self, consignment: Consignment) -> Done:
        """End a hold, one that is to come included; it is due now."""
        asked = await self.consignments.claim({"id": consignment.id, "state": "claimed", "hold": True}, {"hold": False})
        if asked is not None:
            return "done"
        return await self._move(consignment, "release", {"due_at": self._clock.now()})

    async def drop(self, consignment: Consignment) -> Done:
        """Forget it without a notice to anybody; "busy" when it was being tried and may arrive yet."""
        current = await self.consignments.get(consignment.id)
        if not await self.remove(consignment):
            return "unchanged"
        return "busy" if current is not None and current["state"] == "claimed" else "done"

    async def _move(self, consignment: Consignment, move: Move, changes: dict[str, object]) -> Done:
        for before, after in MOVES[move].items():
            where = {"id": consignment.id, "state": before}
            if await self.consignments.claim(where, changes | {"state": after}) is not None:
                await self.announce([consignment.destination])
                return "done"
        current = await self.consignments.get(consignment.id)
        return "busy" if current is not None and current["state"] == "claimed" else "unchanged"
