"""Backups of a running installation: made, listed, verified, and messages brought back from them."""

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from mailstead.administration.actor import Actor, Administration, require_admin
from mailstead.administration.backup.capture import Capture
from mailstead.administration.backup.documents_file import read_documents
from mailstead.administration.backup.layout import (
    DOCUMENTS,
    FORM,
    MAILBOXES,
    Manifest,
    mailbox_path,
    read_manifest,
)
from mailstead.administration.backup.restic import Restic, ResticError, Snapshot
from mailstead.foundation.config.document import written
from mailstead.foundation.config.load import options
from mailstead.foundation.config.sections.backup import BackupSettings
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.crypto.slot import unwrap
from mailstead.foundation.errors import InvalidError, MailsteadError, PermanentError, TemporaryError
from mailstead.foundation.tls.authority import alone, write_durable
from mailstead.stores.directory.records import Alias, from_document
from mailstead.stores.documents.interface import CollectionSpec
from mailstead.stores.documents.open import open_documents
from mailstead.stores.mailbox.files import FILE
from mailstead.stores.mailbox.mailboxes import Mailboxes

_PASSWORD = "password"  # noqa: S105 a file's name
_PASSWORD_OCTETS = 24
_NAMED = 10
_DONE = CollectionSpec("backup")
log = structlog.get_logger("mailstead.backup")


class BackupDamagedError(PermanentError):
    """A backup, or the repository, is not whole; the text says what."""

    public_text = "The backup is damaged"


class BackupBusyError(TemporaryError):
    """Another process of this installation makes, verifies or restores a backup at this moment."""

    public_text = "A backup is being made, verified or restored already"


class Made(msgspec.Struct, frozen=True):
    """A backup that was made. `password` is set when the repository was made with it: a person must keep it."""

    snapshot: str
    manifest: Manifest
    password: str = ""


class Listed(msgspec.Struct, frozen=True):
    """A backup: `at` in seconds since the epoch."""

    id: str
    at: float
    hostname: str
    tags: tuple[str, ...]


class Verified(msgspec.Struct, frozen=True):
    """A backup that is whole: `sealed` counts mailboxes that only their owners can open, whose files are there."""

    snapshot: str
    at: float
    documents: int
    mailboxes: int
    sealed: int


def backup_folder(settings: BackupSettings, data: Path) -> Path:
    """Where copies are kept ready."""
    return Path(settings.folder).absolute() if settings.folder else data / "backup"


def repository(
    settings: BackupSettings, data: Path, surroundings: Mapping[str, str], *, make_password: bool
) -> tuple[Restic, str]:
    """restic on the repository of Settings, and its password. Raises InvalidError when there is none."""
    if not settings.repository:
        raise InvalidError("No repository is set: MAILSTEAD_BACKUP_REPOSITORY")
    folder = backup_folder(settings, data)
    path = folder / _PASSWORD
    password = settings.password
    if not password:
        if path.exists():
            password = path.read_text("ascii").strip()
        elif make_password:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            password = secrets.token_urlsafe(_PASSWORD_OCTETS)
            keep_password(folder, password)
        else:
            raise InvalidError("The repository's password is not known here: MAILSTEAD_BACKUP_PASSWORD")
    return Restic(settings, password, folder / "cache", surroundings), password


def keep_password(folder: Path, password: str) -> None:
    """Write the repository's password down for the backups to come, unless one is there. Raises OSError."""
    path = folder / _PASSWORD
    if not path.exists():
        write_durable(path, f"{password}\n".encode(), mode=0o600)


def settings_text(settings: Settings) -> str:
    """The settings that differ from their defaults as lines of a `.env` file; the data folder is left out."""
    lines = []
    for option in options():
        value = getattr(getattr(settings, option.section), option.name)
        if value != option.default and option.environment != "MAILSTEAD_DATA":
            lines.append(f"{option.environment}={written(option, value)}")
    return "\n".join([*lines, ""])


class Backups:
    """Backups of the installation in `data`."""

    def __init__(
        self, administration: Administration, data: Path, hostname: str, surroundings: Mapping[str, str]
    ) -> None:
        """`surroundings`: the credentials of S3."""
        self.administration = administration
        self._settings = administration.settings
        self._data = data
        self._hostname = hostname
        self._surroundings = surroundings
        self._folder = backup_folder(self._settings.backup, data)

    async def run(self, actor: Actor, tags: Sequence[str] = ()) -> Made:
        """Make a backup and remove those that the policy does not keep.

        Raises InvalidError, ResticError, CaptureError, StoreUnavailableError, OSError.
        """
        require_admin(actor)
        restic, password = self._repository(make_password=True)
        with self._alone():
            capture = Capture(
                self.administration,
                self._data,
                self._folder / "staging",
                self._hostname,
                settings_text(self._settings),
                self._apart(),
            )
            manifest = await capture.run()
            snapshot, made = await restic.backup(self._folder / "staging", self._hostname, tags)
            await restic.forget()
        await self._note("run")
        await self.administration.audit(actor, "backup.run", snapshot[:8], mailboxes=manifest.mailboxes)
        log.info("backup made", snapshot=snapshot[:8], mailboxes=manifest.mailboxes, documents=manifest.documents)
        return Made(snapshot, manifest, password if made else "")

    async def list(self, actor: Actor) -> Sequence[Listed]:
        """All backups, the newest first. Raises ResticError."""
        require_admin(actor)
        return await self.all()

    async def all(self) -> Sequence[Listed]:
        """The same, for who was asked who they are already. Raises InvalidError without a repository, ResticError."""
        restic, _ = self._repository()
        return [Listed(one.short_id, one.at, one.hostname, one.tags) for one in await restic.snapshots()]

    async def verify(self, actor: Actor, name: str = "latest") -> Verified:
        """Check the repository, write a backup out aside, read its documents and open every mailbox of it.

        Raises BackupDamagedError, NotFoundError, ResticError, OSError.
        """
        require_admin(actor)
        restic, _ = self._repository()
        with self._alone():
            try:
                await restic.check(self._settings.backup.read_share)
                snapshot = await restic.find(name)
                async with self._written_out(restic, snapshot) as root:  # what was not read above may be torn, too
                    found = await self._verify(snapshot, root)
            except ResticError as error:
                raise BackupDamagedError(detail=error.detail) from error
        await self._note("verify")
        return found

    async def rehearse(self, actor: Actor, name: str = "latest") -> Verified:
        """Take over a backup's data aside with this very version: documents are loaded, every mailbox is opened.

        Opening brings a mailbox to this version's schema. Raises BackupDamagedError, NotFoundError, ResticError,
        StoreUnavailableError, OSError.
        """
        require_admin(actor)
        restic, _ = self._repository()
        with self._alone():
            snapshot = await restic.find(name)
            async with self._written_out(restic, snapshot) as root:
                documents = open_documents("sqlite:", root / "rehearsal", self._settings.documents)
                await documents.open()
                try:
                    for collection, some in read_documents(root / DOCUMENTS):
                        await documents.load(collection, some)
                finally:
                    await documents.close()
                return await self._verify(snapshot, root)

    async def last(self, what: Literal["run", "verify"]) -> float:
        """When a backup was last made or verified from here, in seconds since the epoch; 0 for never."""
        document = await (await self.administration.documents.collection(_DONE)).get(what)
        return float(document["at"]) if document else 0.0

    async def ask(self, actor: Actor, what: Literal["run", "verify"]) -> None:
        """Note that a backup is to be made or verified as soon as the scheduler gets to it."""
        require_admin(actor)
        await self._note(f"{what}-asked")
        await self.administration.audit(actor, f"backup.{what}-asked", "")

    async def is_asked(self, what: Literal["run", "verify"]) -> bool:
        """Whether somebody asked since it was last done."""
        collection = await self.administration.documents.collection(_DONE)
        asked, done = await collection.get(f"{what}-asked"), await collection.get(what)
        return asked is not None and (done is None or asked["at"] >= done["at"])

    async def _note(self, what: str) -> None:
        collection = await self.administration.documents.collection(_DONE)
        now = self.administration.clock.now()
        if await collection.claim({"id": what}, {"at": now}) is None:
            await collection.insert({"id": what, "at": now})

    async def _verify(self, snapshot: Snapshot, root: Path) -> Verified:
        manifest = read_form(root)
        aliases, count = await asyncio.to_thread(_read_all, root)
        if count != manifest.documents:
            raise BackupDamagedError(detail=f"{count} documents instead of {manifest.documents}")
        problems: list[str] = []
        opened = sealed = 0
        async with self._mailboxes_of(root) as mailboxes:
            for alias in aliases:
                folder = mailboxes.directory(alias.mailbox_id)
                if not await asyncio.to_thread((folder / FILE).exists):
                    continue
                server = next((slot for slot in alias.slots if slot.kind == "server"), None)
                if server is None:
                    sealed += 1
                    continue
                try:
                    with unwrap(server, self.administration.directory.server_key) as key:
                        mailbox = await mailboxes.open(alias.mailbox_id, key)
                        problems += [f"{alias.address}: {one}" for one in await mailboxes.run(mailbox.file_problems)]
                    mailboxes.forget(alias.mailbox_id)
                    opened += 1
                except MailsteadError as error:
                    problems.append(f"{alias.address}: {error}")
        if problems:
            raise BackupDamagedError(detail="; ".join(problems[:_NAMED]))
        return Verified(snapshot.short_id, manifest.at, count, opened, sealed)

    @asynccontextmanager
    async def written_mailbox(self, name: str, address: str) -> AsyncIterator[tuple[Snapshot, Alias, Mailboxes]]:
        """The mailbox that `address` had in a backup, written out aside as long as this lasts.

        Raises NotFoundError, BackupDamagedError, ResticError, OSError.
        """
        restic, _ = self._repository()
        with self._alone():
            snapshot = await restic.find(name)
            async with self._written_out(restic, snapshot, ["manifest.json", DOCUMENTS]) as root:
                read_form(root)
                aliases, _ = await asyncio.to_thread(_read_all, root)
                alias = next((one for one in aliases if one.address == address.lower()), None)
                if alias is None:
                    raise InvalidError(f"{address} had no mailbox in {snapshot.short_id}")
                await restic.restore(snapshot, root, [mailbox_path(alias.mailbox_id)])
                async with self._mailboxes_of(root) as mailboxes:
                    yield snapshot, alias, mailboxes

    @asynccontextmanager
    async def _written_out(
        self, restic: Restic, snapshot: Snapshot, include: Sequence[str] = ()
    ) -> AsyncIterator[Path]:
        scratch = self._folder / "scratch"
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
        try:
            await restic.restore(snapshot, scratch, include)
            yield scratch
        finally:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)

    @asynccontextmanager
    async def _mailboxes_of(self, root: Path) -> AsyncIterator[Mailboxes]:
        mailboxes = Mailboxes(
            root / MAILBOXES, self._settings, clock=self.administration.clock, on_commit=lambda *_: None
        )
        try:
            yield mailboxes
        finally:
            await mailboxes.close()

    def _apart(self) -> frozenset[str]:
        """What of backups lies in the data folder itself."""
        places = (Path(self._settings.backup.repository).absolute(), self._folder)
        return frozenset(place.relative_to(self._data).parts[0] for place in places if self._data in place.parents)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time works here. Raises BackupBusyError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(alone(self._folder, wait=False))
            except BlockingIOError as error:
                raise BackupBusyError from error
            yield

    def _repository(self, *, make_password: bool = False) -> tuple[Restic, str]:
        return repository(self._settings.backup, self._data, self._surroundings, make_password=make_password)


def read_form(root: Path) -> Manifest:
    """The manifest of a backup that was written out, when this program can read it. Raises BackupDamagedError."""
    try:
        manifest = read_manifest(root)
    except (FileNotFoundError, msgspec.MsgspecError) as error:
        raise BackupDamagedError(detail=f"no manifest: {error}") from error
    if manifest.form > FORM:
        raise BackupDamagedError(detail=f"it was made by a newer Mailstead, {manifest.version}")
    return manifest


def _read_all(root: Path) -> tuple[list[Alias], int]:
    """The aliases with a mailbox, and how many documents there are. Raises DocumentsFileError."""
    aliases, count = [], 0
    for name, documents in read_documents(root / DOCUMENTS):
        count += len(documents)
        if name == "alias":
            aliases += [from_document(document, Alias) for document in documents]
    return [alias for alias in aliases if alias.mailbox_id], count
