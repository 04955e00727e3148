"""restic as a program: one repository, encrypted and deduplicated by it."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from mailstead.foundation.config.sections.backup import BackupSettings
from mailstead.foundation.errors import NotFoundError, TemporaryError

TAG = "mailstead"
_TEXT_LIMIT = 600
_NO_REPOSITORY = "Is there a repository at the following location"
_KEPT = ("last", "daily", "weekly", "monthly")


class ResticError(TemporaryError):
    """restic failed; the text is its own."""

    public_text = "The backup repository cannot be used"


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """A backup as restic lists it: `time` in RFC 3339 form."""

    id: str
    time: str
    hostname: str = ""
    tags: tuple[str, ...] = ()

    @property
    def short_id(self) -> str:
        """What people type."""
        return self.id[:8]

    @property
    def at(self) -> float:
        """When it was made, in seconds since the epoch."""
        return datetime.fromisoformat(self.time).timestamp()


class _Summary(msgspec.Struct):
    message_type: str
    snapshot_id: str = ""


class Restic:
    """Calls restic on one repository. Every method raises ResticError."""

    def __init__(self, settings: BackupSettings, password: str, cache: Path, surroundings: Mapping[str, str]) -> None:
        """`surroundings`: further environment, the credentials of S3 among it."""
        self._settings = settings
        self._environment = {
            **os.environ,
            **surroundings,
            "RESTIC_REPOSITORY": settings.repository,
            "RESTIC_PASSWORD": password,
            "RESTIC_CACHE_DIR": str(cache),
        }

    async def backup(self, folder: Path, hostname: str, tags: Sequence[str] = ()) -> tuple[str, bool]:
        """Keep a folder; returns the snapshot's id, and whether the repository was made for it."""
        named = [part for tag in (TAG, *tags) for part in ("--tag", tag)]
        arguments = ("backup", "--json", "--host", hostname, *named, ".")
        made = False
        code, output, said = await self._call(*arguments, folder=folder)
        if code and _NO_REPOSITORY in said:
            await self._done("init")
            made = True
            output = await self._done(*arguments, folder=folder)
        elif code:
            raise ResticError(detail=said)
        for line in reversed(output.splitlines()):
            summary = msgspec.json.decode(line, type=_Summary)
            if summary.message_type == "summary":
                return summary.snapshot_id, made
        raise ResticError(detail="restic told of no snapshot")

    async def snapshots(self) -> list[Snapshot]:
        """All backups, the newest first. Looking takes no lock: who prunes at this moment needs the repository alone."""
        output = await self._done("snapshots", "--no-lock", "--json", "--tag", TAG)
        found = msgspec.json.decode(output, type=list[Snapshot])
        return sorted(found, key=lambda one: one.time, reverse=True)

    async def find(self, name: str) -> Snapshot:
        """The backup whose id begins so, or the newest for `latest`. Raises NotFoundError."""
        found = await self.snapshots()
        if name != "latest":
            found = [one for one in found if len(name) >= 4 and one.id.startswith(name)]
        if not found:
            raise NotFoundError(f"There is no backup {name}")
        return found[0]

    async def restore(self, snapshot: Snapshot, target: Path, include: Sequence[str] = ()) -> None:
        """Write a backup, or the paths of it that `include` names, below `target`."""
        named = [part for path in include for part in ("--include", f"/{path}")]
        await self._done("restore", snapshot.id, "--target", str(target), *named)

    async def check(self, read_share: int | None) -> None:
        """Look whether the repository is whole; `read_share` percent of its data are read, None for none."""
        await self._done("check", *([f"--read-data-subset={read_share}%"] if read_share else []))

    async def forget(self) -> None:
        """Remove what the policy of Settings does not keep."""
        policy = [part for name in _KEPT for part in (f"--keep-{name}", str(getattr(self._settings, f"keep_{name}")))]
        await self._done("forget", "--tag", TAG, "--group-by", "host", "--prune", *policy)

    async def _done(self, *arguments: str, folder: Path | None = None) -> bytes:
        code, output, said = await self._call(*arguments, folder=folder)
        if code:
            raise ResticError(detail=said or f"restic {arguments[0]} ended with {code}")
        return output

    async def _call(self, *arguments: str, folder: Path | None = None) -> tuple[int, bytes, str]:
        try:
            process = await asyncio.create_subprocess_exec(
                self._settings.program,
                *arguments,
                cwd=folder,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise ResticError(detail=f"{self._settings.program}: {error.strerror}") from error
        try:
            async with asyncio.timeout(self._settings.timeout):
                output, said = await process.communicate()
        except TimeoutError as error:
            raise ResticError(detail=f"restic {arguments[0]} took too long") from error
        finally:
            if process.returncode is None:
                process.terminate()  # it removes its locks
                await process.wait()
        return process.returncode or 0, output, " ".join(said.decode("utf-8", "replace").split())[-_TEXT_LIMIT:]
