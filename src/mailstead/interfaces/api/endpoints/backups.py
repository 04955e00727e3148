"""Backups as server admins see them: listed, begun, verified, and a mailbox brought back from one."""

from typing import Annotated, Literal

import msgspec
from litestar import Controller, get, post

from mailstead.administration.backup.retrieval import retrieve
from mailstead.foundation.errors import InvalidError
from mailstead.interfaces.api.access import ADMIN
from mailstead.interfaces.api.endpoints.snapshots import Restored, SnapshotShown, restored, snapshots_shown
from mailstead.interfaces.api.moments import moment
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.api.status import JobShown
from mailstead.interfaces.identity import Identity

Work = Literal["backup", "backup-verification"]


class BackupStatus(msgspec.Struct, frozen=True):
    """When backups were last made and verified (null: never), and how the jobs that do it stand (null: never planned)."""

    repository: str
    last_run: str | None
    last_verify: str | None
    run: JobShown | None
    verify: JobShown | None
    object: str = "backup_status"


class MailboxRestoreWanted(msgspec.Struct, frozen=True):
    """Which mailbox gets back what it lost: all of it, or of one `folder`; `into`: below that folder."""

    mailbox: Annotated[str, msgspec.Meta(min_length=1, max_length=320)]
    folder: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    into: Annotated[str, msgspec.Meta(max_length=1000)] = ""


class BackupController(Controller):
    """/server/backups"""

    path = "/server/backups"
    tags = ("Backups",)
    opt = {"access": ADMIN}

    @get("/", summary="All backups")
    async def list_all(self, identity: Identity, services: ApiServices) -> list[SnapshotShown]:
        """The newest first. The whole installation is put back by `mailstead backup restore`, when nothing runs."""
        return snapshots_shown(await services.backups.list(identity.actor))

    @get("/status", summary="How backups stand")
    async def status(self, services: ApiServices) -> BackupStatus:
        """What is under way, and what came of the last ones."""
        return await self._status(services)

    @post("/", status_code=202, summary="Make a backup")
    async def run(self, identity: Identity, services: ApiServices) -> BackupStatus:
        """The scheduler begins it at once; services go on meanwhile. How it goes is told by `status`."""
        return await self._ask(identity, services, "backup")

    @post("/verify", status_code=202, summary="Verify the newest backup")
    async def verify(self, identity: Identity, services: ApiServices) -> BackupStatus:
        """It is written out aside, its documents are read and every mailbox of it is opened."""
        return await self._ask(identity, services, "backup-verification")

    @post("/{snapshot_id:str}/restore", status_code=200, summary="Bring a mailbox back")
    async def restore(
        self, snapshot_id: str, data: MailboxRestoreWanted, identity: Identity, services: ApiServices
    ) -> Restored:
        """What it lost since; one that only its owner's password opens is for its owner to bring back."""
        found = await retrieve(
            services.backups,
            identity.actor,
            data.mailbox,
            snapshot=snapshot_id,
            folder=data.folder,
            into=data.into,
        )
        return restored(found)

    async def _ask(self, identity: Identity, services: ApiServices, work: Work) -> BackupStatus:
        if not services.settings.backup.repository:
            raise InvalidError("No repository is set: MAILSTEAD_BACKUP_REPOSITORY")
        await services.backups.ask(identity.actor, "run" if work == "backup" else "verify")
        await services.run_job(work)
        return await self._status(services)

    async def _status(self, services: ApiServices) -> BackupStatus:
        jobs = {job.name: job for job in (await services.status()).jobs}
        run, verify = await services.backups.last("run"), await services.backups.last("verify")
        return BackupStatus(
            repository=services.settings.backup.repository,
            last_run=moment(run) if run else None,
            last_verify=moment(verify) if verify else None,
            run=jobs.get("backup"),
            verify=jobs.get("backup-verification"),
        )
