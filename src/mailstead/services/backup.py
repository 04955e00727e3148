"""Backups of this installation, with what they need from its surroundings."""

import os
from collections.abc import Mapping
from pathlib import Path

from mailstead.administration.actor import Actor
from mailstead.administration.backup.backups import Backups, backup_folder, keep_password, repository
from mailstead.administration.backup.restoration import MARK, Restored, restore_all
from mailstead.foundation.config.load import read_env_file
from mailstead.foundation.config.settings import Settings
from mailstead.services.hostname import host_name
from mailstead.services.lock import service_lock
from mailstead.services.secret import data_directory
from mailstead.services.stores import Stores, open_stores
from mailstead.stores.documents.open import FILE_NAME, open_documents

_ENV_FILE = Path(".env")
_PREFIXES = ("AWS_", "RESTIC_REST_")
_BEFORE = "before-restore"


def surroundings(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Credentials of storage providers from `.env` and the environment, which wins."""
    given = read_env_file(_ENV_FILE) | dict(environment)
    return {name: value for name, value in given.items() if name.startswith(_PREFIXES)}


def backups(stores: Stores) -> Backups:
    """The backups of this installation."""
    return Backups(stores.administration, stores.data, host_name(stores.settings), surroundings())


async def restore(settings: Settings, services: tuple[str, ...], actor: Actor, name: str) -> tuple[Restored, str]:
    """Put the backup called `name` in the place of all data, and what is there now into a backup before that.

    None of `services` may run. Returns what was restored and the id of the backup of before, empty when there was
    nothing. Raises AlreadyRunningError, NotFoundError, BackupDamagedError, ResticError, StoreUnavailableError, OSError.
    """
    data = data_directory(settings)
    restic, password = repository(settings.backup, data, surroundings(), make_password=False)
    with service_lock(data, services):
        snapshot = await restic.find(name)
        before = ""
        documents = open_documents(settings.server.documents_url, data, settings.documents)
        is_empty = not (data / "mailboxes").exists() and not (data / FILE_NAME).exists()
        if not is_empty and not (data / MARK).exists():
            async with open_stores(settings) as stores:
                before = (await backups(stores).run(actor, (_BEFORE,))).snapshot
        await documents.open()
        try:
            restored = await restore_all(restic, snapshot, data, backup_folder(settings.backup, data), documents)
        finally:
            await documents.close()
        keep_password(backup_folder(settings.backup, data), password)
    return restored, before
