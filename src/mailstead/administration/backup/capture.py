"""A copy of everything at rest beside the data, ready for restic, taken while all services run.

Order makes it consistent: files of the queue, then all documents at one moment, then files of the queue again, so that
each document's file is there; mailboxes last, so that mail which left the queue meanwhile is in its mailbox. What was
acknowledged before the copy began is in it. A mailbox whose keys changed meanwhile (its keyring is another than the
documents say) makes the whole be taken again.
"""

import asyncio
import os
import shutil
from pathlib import Path

import msgspec
import structlog

import mailstead
from mailstead.administration.actor import Administration
from mailstead.administration.backup.documents_file import DocumentsWriter, read_documents
from mailstead.administration.backup.layout import (
    DATA,
    DOCUMENTS,
    FORM,
    MAILBOXES,
    MANIFEST,
    SETTINGS,
    Manifest,
    is_left_out,
    mailbox_path,
)
from mailstead.administration.rotation import ask_to_let_go
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.slot import unwrap
from mailstead.foundation.errors import TemporaryError
from mailstead.stores.directory.keyring import encode_keyring, keyring_of
from mailstead.stores.directory.records import Alias, from_document
from mailstead.stores.mailbox.capture import capture_closed
from mailstead.stores.mailbox.errors import MailboxBusyError, MailboxDamagedError, WrongKeyError
from mailstead.stores.mailbox.files import FILE, KEYRING, ROTATION

_QUEUE = "queue"
_INCOMING = "incoming"
_ROUNDS = 3
_ALIASES = "alias"
_STATE = "state.json"  # of the mailbox when it was copied
log = structlog.get_logger("mailstead.backup")


class CaptureError(TemporaryError):
    """The copy could not be made consistent; the next may be."""

    public_text = "The backup could not be made"


class Capture:
    """Copies an installation's data into the folder `target`, where the copy before may lie."""

    def __init__(
        self,
        administration: Administration,
        data: Path,
        target: Path,
        hostname: str,
        settings_text: str,
        apart: frozenset[str] = frozenset(),
    ) -> None:
        """`apart`: names in the data folder that are left out too, the repository itself among them."""
        self._administration = administration
        self._data = data
        self._target = target
        self._hostname = hostname
        self._settings_text = settings_text
        self._apart = apart

    async def run(self) -> Manifest:
        """Make the copy. Raises CaptureError, StoreUnavailableError, OSError."""
        at = self._administration.clock.now()
        target = self._target
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        (target / MANIFEST).unlink(missing_ok=True)  # it is whole again when this is written
        for _ in range(_ROUNDS):
            await asyncio.to_thread(_mirror, self._data / _QUEUE, target / DATA / _QUEUE, remove=True)
            count = await self._dump()
            await asyncio.to_thread(_mirror, self._data / _QUEUE, target / DATA / _QUEUE, remove=False)
            aliases = await asyncio.to_thread(self._aliases)
            busy = await self._mailboxes(aliases)
            if await asyncio.to_thread(self._keys_agree, aliases):
                break
        else:
            raise CaptureError(detail="keys of mailboxes change too often")
        await asyncio.to_thread(self._rest)
        manifest = Manifest(
            form=FORM,
            version=mailstead.__version__,
            hostname=self._hostname,
            at=at,
            documents=count,
            mailboxes=len(aliases),
            busy=tuple(busy),
        )
        await asyncio.to_thread(_write, target / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
        return manifest

    async def _dump(self) -> int:
        path = self._target / DOCUMENTS
        temporary = path.with_name(f"{DOCUMENTS}.copying")
        with temporary.open("wb") as file:
            temporary.chmod(0o600)
            writer = DocumentsWriter(file)
            await self._administration.documents.dump(writer.take)
            writer.finish()
        temporary.rename(path)
        return writer.count

    def _aliases(self) -> list[Alias]:
        """Those with a mailbox, as the documents of the copy have them."""
        return [
            alias
            for name, documents in read_documents(self._target / DOCUMENTS)
            if name == _ALIASES
            for alias in (from_document(document, Alias) for document in documents)
            if alias.mailbox_id
        ]

    async def _mailboxes(self, aliases: list[Alias]) -> list[str]:
        """Copy every mailbox; returns the ids of those that could not be, whose copy is that of the backup before."""
        mailboxes = self._administration.mailboxes
        busy = []
        for alias in aliases:
            folder = mailboxes.directory(alias.mailbox_id)
            if not await asyncio.to_thread(folder.exists):
                continue  # nothing came for it yet
            try:
                await self._mailbox(alias, folder, self._target / mailbox_path(alias.mailbox_id))
            except (MailboxBusyError, MailboxDamagedError) as error:
                log.error("mailbox not copied", mailbox=alias.mailbox_id, why=str(error))
                busy.append(alias.mailbox_id)
        kept = {alias.mailbox_id for alias in aliases}
        for folder in await asyncio.to_thread(lambda: list((self._target / MAILBOXES).glob("*/*"))):
            if folder.name not in kept:
                await asyncio.to_thread(shutil.rmtree, folder)
        return busy

    async def _mailbox(self, alias: Alias, folder: Path, target: Path) -> None:
        """Sealed mail first: what is taken in meanwhile is then in the mailbox too, and taken in once."""
        mailboxes = self._administration.mailboxes
        await asyncio.to_thread(_mirror, folder / _INCOMING, target / _INCOMING, remove=True)
        if await asyncio.to_thread(_is_same, folder, target):
            return
        before = await asyncio.to_thread(_state, folder)
        key = self._key(alias)
        taken = False
        if key is not None:
            with key:
                try:
                    mailbox = await mailboxes.open(alias.mailbox_id, key)
                    await mailboxes.run(mailbox.capture, target)
                    taken = True
                except WrongKeyError:
                    log.info("keys of a mailbox are changing", mailbox=alias.mailbox_id)
        if not taken:
            ask = lambda: ask_to_let_go(self._administration, alias.mailbox_id)  # noqa: E731
            async with mailboxes.alone(alias.mailbox_id, ask):
                await asyncio.to_thread(capture_closed, folder, target)
        await asyncio.to_thread(_copy_keys, folder, target)
        await asyncio.to_thread(_write, target / _STATE, msgspec.json.encode(before))

    def _key(self, alias: Alias) -> DataKey | None:
        for slot in alias.slots:
            if slot.kind == "server":
                return unwrap(slot, self._administration.directory.server_key)
        return None

    def _keys_agree(self, aliases: list[Alias]) -> bool:
        """Whether each copied keyring says what the copied documents say."""
        for alias in aliases:
            path = self._target / mailbox_path(alias.mailbox_id) / KEYRING
            if path.exists() and path.read_bytes() != encode_keyring(keyring_of(alias)):
                return False
        return True

    def _rest(self) -> None:
        target = self._target / DATA
        target.mkdir(mode=0o700, exist_ok=True)
        apart = self._apart | {_QUEUE}
        names = [
            entry.name for entry in self._data.iterdir() if not is_left_out(entry.name) and entry.name not in apart
        ]
        for name in names:
            source = self._data / name
            if source.is_dir():
                _mirror(source, target / name, remove=True)
            elif source.is_file():
                _copy(source, target / name)
        for entry in list(target.iterdir()):
            if entry.name not in names and entry.name != _QUEUE:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        _write(self._target / SETTINGS, self._settings_text.encode())


def _state(folder: Path) -> list[list[int]]:
    """What changes when the mailbox does: time, size and number of the file, its log and its keys."""
    found = []
    for name in (FILE, f"{FILE}-wal", KEYRING, ROTATION):
        try:
            status = (folder / name).stat()
        except FileNotFoundError:
            found.append([0, 0, 0])
        else:
            found.append([status.st_mtime_ns, status.st_size, status.st_ino])
    return found


def _is_same(folder: Path, target: Path) -> bool:
    """Whether nothing was written since the copy before."""
    try:
        return bool(msgspec.json.decode((target / _STATE).read_bytes()) == _state(folder))
    except FileNotFoundError:
        return False


def _copy_keys(folder: Path, target: Path) -> None:
    for name in (KEYRING, ROTATION):
        if (folder / name).exists():
            _copy(folder / name, target / name)
        else:
            (target / name).unlink(missing_ok=True)


def _mirror(source: Path, target: Path, *, remove: bool) -> None:
    """Make `target` hold the files of `source`; files that go away meanwhile are left out."""
    there: set[Path] = set()
    for root, _, names in os.walk(source):
        for name in names:
            path = Path(root, name)
            relative = path.relative_to(source)
            there.add(relative)
            if path.is_file() and not path.is_symlink():
                _copy(path, target / relative)
    if remove:
        for root, _, names in os.walk(target, topdown=False):
            for name in names:
                path = Path(root, name)
                if path.relative_to(target) not in there:
                    path.unlink()


def _copy(source: Path, target: Path) -> None:
    """Copy a file with its times, unless it is there; one that went away meanwhile is left out."""
    try:
        status = source.stat()
        if target.exists():
            known = target.stat()
            if (known.st_mtime_ns, known.st_size) == (status.st_mtime_ns, status.st_size):
                return
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = target.with_name(f"{target.name}.copying")
        shutil.copy2(source, temporary)
    except FileNotFoundError:
        return
    temporary.rename(target)


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f"{path.name}.copying")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.rename(path)
