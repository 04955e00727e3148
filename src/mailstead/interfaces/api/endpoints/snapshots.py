"""Backups as the owner of a mailbox sees them: what they have that the mailbox lacks, brought back."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from litestar import Controller, get, post
from litestar.params import QueryParameter

from mailstead.administration.backup.backups import Listed
from mailstead.administration.backup.retrieval import MESSAGES_MOST, FolderThere, Retrieved, look, retrieve, snapshots
from mailstead.interfaces.api.access import MAILBOX
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity


class SnapshotShown(msgspec.Struct, frozen=True):
    """A backup; `latest` may be said for the newest one's id."""

    id: str
    created_at: str
    object: str = "snapshot"


class LostShown(msgspec.Struct, frozen=True):
    """A message that the mailbox holds no more; its id is the one that it had."""

    id: str
    folder: str
    sender: str
    subject: str
    date: str
    size: int


class SnapshotContents(msgspec.Struct, frozen=True):
    """What a backup has of the mailbox: its folders, and the newest of the `lost` messages that were asked for."""

    id: str
    created_at: str
    folders: list[FolderThere]
    messages: list[LostShown]
    lost: int
    object: str = "snapshot"


class RestoreWanted(msgspec.Struct, frozen=True):
    """What is to come back: `messages` by their ids, all of a `folder`, or without both everything that is lost.

    `into`: below that folder instead of where it was.
    """

    folder: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    messages: Annotated[list[str], msgspec.Meta(max_length=MESSAGES_MOST)] = msgspec.field(default_factory=list)
    into: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class Restored(msgspec.Struct, frozen=True):
    """How many messages came back, and how many of those asked for were there anyway."""

    snapshot: str
    restored: int
    there: int
    object: str = "restore"


def snapshots_shown(found: Sequence[Listed]) -> list[SnapshotShown]:
    """Backups as the API tells them."""
    return [SnapshotShown(one.id, moment(one.at)) for one in found]


def restored(found: Retrieved) -> Restored:
    """What came back, as the API tells it."""
    return Restored(found.snapshot, found.taken, found.there)


class SnapshotController(Controller):
    """/snapshots"""

    path = "/snapshots"
    tags = ("Backups",)
    opt = {"access": MAILBOX}

    @get("/", summary="Backups that have the mailbox")
    async def list_all(self, identity: Identity, services: ApiServices) -> list[SnapshotShown]:
        """The newest first, since the mailbox is there."""
        return snapshots_shown(await snapshots(services.backups, identity.actor, identity.address))

    @get("/{snapshot_id:str}", summary="What a backup has that the mailbox lacks")
    async def show(
        self,
        snapshot_id: str,
        identity: Identity,
        services: ApiServices,
        folder: Annotated[str | None, QueryParameter(max_length=1000, description="Of this folder only")] = None,
        q: Annotated[str, QueryParameter(max_length=500, description="With this in the sender or the subject")] = "",
        limit: Annotated[int, QueryParameter(ge=1, le=MESSAGES_MOST, description="Most messages")] = 200,
    ) -> SnapshotContents:
        """The mailbox is written out of the backup for it, which takes seconds to minutes."""
        found = await look(
            services.backups,
            identity.actor,
            identity.address,
            snapshot=snapshot_id,
            folder=folder,
            text=q,
            most=limit,
            current=identity.key,
        )
        messages = [
            LostShown(one.id, one.folder, one.sender, one.subject, moment(one.date), one.size) for one in found.messages
        ]
        return SnapshotContents(found.snapshot, moment(found.at), list(found.folders), messages, found.lost)

    @post("/{snapshot_id:str}/restore", status_code=200, summary="Bring back what was lost")
    async def restore(
        self, snapshot_id: str, data: RestoreWanted, identity: Identity, services: ApiServices
    ) -> Restored:
        """Each message to the folder it was in; nothing that is there is changed, nothing comes twice."""
        found = await retrieve(
            services.backups,
            identity.actor,
            identity.address,
            snapshot=snapshot_id,
            folder=data.folder,
            messages=data.messages,
            into=data.into,
            current=identity.key,
        )
        return restored(found)
