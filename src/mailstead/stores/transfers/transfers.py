"""The jobs that bring mail into mailboxes and out of them.

    waiting -> running -> done | failed | cancelled;  running -> waiting when its worker is stopped or killed, or when
    it is to be tried again;  running -> held when only the owner's key opens the mailbox and the process that had it is
    gone;  held | failed | cancelled -> waiting when its owner says so

A worker has a job until `due_at`, which it puts off while it lives.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from mailstead.foundation.clock import Clock
from mailstead.stores.documents.interface import Collection, CollectionSpec, Documents, Index

Kind = Literal["import", "export"]
State = Literal["waiting", "running", "done", "failed", "cancelled", "held"]
Form = Literal["imap", "zip", "mbox", "maildir", "eml", "ics", "vcf"]
ENDED: frozenset[State] = frozenset(("done", "failed", "cancelled"))
_ACTIVE = ["waiting", "running", "held"]
_SPEC = CollectionSpec("transfer", (Index(("mailbox_id", "created_at")), Index(("state", "due_at"))))


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """One import or export; times in seconds since the epoch, 0 for never.

    `done` of `total` (None: only reading tells) are looked at, `taken` of them were new and `known` there before.
    `size`: octets of the file. `public_key`: what the file is sealed to. `secret`: the password at the other server,
    encrypted. `holder`: the process that has the key of a mailbox which the server alone cannot open. `anywhere`: the
    other server may be in a private network.
    """

    id: str
    kind: Kind
    form: Form
    mailbox_id: str
    address: str
    actor: str
    user_id: str
    state: State
    created_at: float
    due_at: float
    source: str = ""
    into: str = ""
    size: int = 0
    public_key: bytes = b""
    host: str = ""
    port: int = 0
    implicit_tls: bool = True
    user: str = ""
    secret: bytes = b""
    anywhere: bool = False
    started_at: float = 0.0
    finished_at: float = 0.0
    done: int = 0
    total: int | None = None
    taken: int = 0
    known: int = 0
    failures: tuple[str, ...] = ()
    text: str = ""
    tries: int = 0
    worker: str = ""
    holder: str = ""
    cancel_wanted: bool = False


class Transfers:
    """All jobs; every write is durable when it returns. Methods raise StoreUnavailableError."""

    def __init__(self, documents: Documents, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def _collection(self) -> Collection:
        return await self._documents.collection(_SPEC)

    async def _claim(self, where: Mapping[str, Any], changes: Mapping[str, Any]) -> Transfer | None:
        found = await (await self._collection()).claim(
            where, changes, order=[("due_at", 1)] if "id" not in where else ()
        )
        return None if found is None else msgspec.convert(found, Transfer)

    async def add(self, transfer: Transfer) -> None:
        """Keep a new job. Raises DuplicateError."""
        document: dict[str, Any] = msgspec.to_builtins(transfer, builtin_types=(bytes,))
        await (await self._collection()).insert(document)

    async def get(self, identifier: str) -> Transfer | None:
        """The job of that id."""
        found = await (await self._collection()).get(identifier)
        return None if found is None else msgspec.convert(found, Transfer)

    async def of_mailbox(self, mailbox_id: str, kind: Kind | None = None) -> list[Transfer]:
        """A mailbox's jobs, the newest first."""
        where = {"mailbox_id": mailbox_id} | ({"kind": kind} if kind else {})
        found = await (await self._collection()).find(where, order=[("created_at", -1)])
        return [msgspec.convert(document, Transfer) for document in found]

    async def active(self, mailbox_id: str) -> int:
        """How many jobs of a mailbox have not ended."""
        return await (await self._collection()).count({"mailbox_id": mailbox_id, "state": {"$in": _ACTIVE}})

    async def claim(self, worker: str, lease: float) -> Transfer | None:
        """The longest due job of those that no process holds the key for, for `worker` alone during `lease` seconds."""
        now = self._clock.now()
        return await self._claim(
            {"state": {"$in": ["waiting", "running"]}, "holder": "", "due_at": {"$lte": now}},
            {"state": "running", "worker": worker, "due_at": now + lease, "started_at": now, "finished_at": 0.0},
        )

    async def next_due(self) -> float | None:
        """When the next job may be claimed."""
        found = await (await self._collection()).find_one(
            {"state": {"$in": ["waiting", "running"]}, "holder": ""}, order=[("due_at", 1)]
        )
        return None if found is None else float(found["due_at"])

    async def note(self, transfer: Transfer, until: float, changes: Mapping[str, Any]) -> Transfer | None:
        """Write down how far a worker came, and keep the job until then; None when it is the worker's no longer."""
        return await self._claim(
            {"id": transfer.id, "worker": transfer.worker, "state": "running"}, {"due_at": until} | dict(changes)
        )

    async def settle(self, transfer: Transfer, state: State, changes: Mapping[str, Any]) -> None:
        """Give the job back in that state."""
        ended = {"finished_at": self._clock.now(), "secret": b""} if state in ("done", "cancelled") else {}
        if state == "failed":
            ended = {"finished_at": self._clock.now()}
        own = {"state": state, "worker": "", "holder": "", "cancel_wanted": False}
        await self._claim({"id": transfer.id, "worker": transfer.worker}, own | ended | dict(changes))

    async def hold_abandoned(self) -> int:
        """Put those whose holder let them be into the state `held`; returns how many."""
        count = 0
        where = {"state": {"$in": ["waiting", "running"]}, "holder": {"$ne": ""}, "due_at": {"$lte": self._clock.now()}}
        changes = {
            "state": "held",
            "worker": "",
            "holder": "",
            "text": "The server was restarted: go on with it yourself",
        }
        while await self._claim(where, changes) is not None:
            count += 1
        return count

    async def cancel(self, identifier: str) -> Transfer | None:
        """End a job that nobody works on, ask the worker of another to; None when it has ended."""
        idle: dict[str, Any] = {"id": identifier, "state": {"$in": ["waiting", "held"]}}
        changes = {"state": "cancelled", "finished_at": self._clock.now(), "secret": b"", "worker": "", "holder": ""}
        return await self._claim(idle, changes) or await self._claim(
            {"id": identifier, "state": "running"}, {"cancel_wanted": True}
        )

    async def resume(self, identifier: str, *, worker: str = "", lease: float = 0.0) -> Transfer | None:
        """Let a held or failed job go on: for anybody, or for the `worker` that holds its key. None when it is neither."""
        now = self._clock.now()
        changes: dict[str, Any] = {"state": "running" if worker else "waiting", "worker": worker, "holder": worker}
        changes |= {"due_at": now + lease, "tries": 0, "text": "", "failures": [], "finished_at": 0.0}
        return await self._claim({"id": identifier, "state": {"$in": ["held", "failed"]}}, changes)

    async def forget(self, identifier: str) -> bool:
        """Remove a job that has ended; False when there is none."""
        ended = {"id": identifier, "state": {"$in": sorted(ENDED)}}
        return await (await self._collection()).delete_many(ended) > 0

    async def ended_before(self, moment: float) -> list[Transfer]:
        """Jobs that ended, or were held, before that moment."""
        collection = await self._collection()
        found = await collection.find({"state": {"$in": [*sorted(ENDED), "held"]}})
        jobs = [msgspec.convert(document, Transfer) for document in found]
        return [job for job in jobs if (job.finished_at or job.due_at) < moment]

    async def identifiers(self) -> frozenset[str]:
        """The ids of all jobs."""
        return frozenset(document["id"] for document in await (await self._collection()).find({}))
