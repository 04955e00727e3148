"""A whole installation from a backup, while no service runs.

A file in the data folder says that a restoration is under way: until it is done nothing starts, and done again it ends
well whatever was there, so that a crash costs a second run.
"""

import asyncio
import shutil
from pathlib import Path

import msgspec
import structlog

from mailstead.administration.backup.backups import BackupDamagedError, read_form
from mailstead.administration.backup.documents_file import read_documents
from mailstead.administration.backup.layout import DATA, DOCUMENTS, MAILBOXES, SETTINGS, Manifest
from mailstead.administration.backup.restic import Restic, Snapshot
from mailstead.foundation.errors import PermanentError
from mailstead.foundation.tls.authority import sync_folder, write_durable
from mailstead.stores.documents.interface import Documents

MARK = "restoring.json"
RESTORED_SETTINGS = "restored.env"
_STATE = "state.json"
_SECRET = "MAILSTEAD_SECRET"  # noqa: S105 a setting's name
log = structlog.get_logger("mailstead.backup")


class RestorationCutOffError(PermanentError):
    """A restoration did not end; the data are not whole."""

    public_text = "A restoration was cut off: run mailstead backup restore again"


class Restored(msgspec.Struct, frozen=True):
    """What was put back; `settings` is the file with the settings of that time."""

    snapshot: str
    manifest: Manifest
    settings: str


def check_restored(data: Path) -> None:
    """Raises RestorationCutOffError while a restoration in that folder has not ended."""
    if (data / MARK).exists():
        raise RestorationCutOffError(detail=str(data))


async def restore_all(restic: Restic, snapshot: Snapshot, data: Path, folder: Path, documents: Documents) -> Restored:
    """Put a backup in the place of all data. What is there now is removed: back it up before.

    `folder` is where it is written out first. Everything is read before anything is replaced. Raises
    BackupDamagedError, DocumentsFileError, ResticError, StoreUnavailableError, OSError.
    """
    scratch = folder / "scratch"
    await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
    await restic.restore(snapshot, scratch)
    manifest = read_form(scratch)
    count = await asyncio.to_thread(lambda: sum(len(some) for _, some in read_documents(scratch / DOCUMENTS)))
    if count != manifest.documents:
        raise BackupDamagedError(detail=f"{count} documents instead of {manifest.documents}")
    mark = msgspec.json.encode({"snapshot": snapshot.id})
    await asyncio.to_thread(lambda: write_durable(data / MARK, mark, mode=0o600))
    await documents.clear()
    for name, some in read_documents(scratch / DOCUMENTS):
        await documents.load(name, some)
    await asyncio.to_thread(_put_in_place, scratch, data)
    await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
    await asyncio.to_thread((data / MARK).unlink)
    log.info("restored", snapshot=snapshot.short_id, mailboxes=manifest.mailboxes, documents=count)
    return Restored(snapshot.short_id, manifest, str(data / RESTORED_SETTINGS))


def _put_in_place(root: Path, data: Path) -> None:
    for state in (root / MAILBOXES).glob(f"*/*/{_STATE}"):
        state.unlink()
    (root / MAILBOXES).mkdir(exist_ok=True)
    (root / MAILBOXES).chmod(0o700)
    _replace(root / MAILBOXES, data / MAILBOXES)
    for entry in sorted((root / DATA).iterdir()):
        _replace(entry, data / entry.name)
    settings = (root / SETTINGS).read_text("utf-8")
    if f"\n{_SECRET}=" not in f"\n{settings}":  # where it was a file; other places may know it by the setting only
        settings += f"{_SECRET}={(data / 'secret').read_text('ascii').strip()}\n"
    write_durable(data / RESTORED_SETTINGS, settings.encode(), mode=0o600)
    sync_folder(data)


def _replace(source: Path, target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    shutil.move(source, target)
