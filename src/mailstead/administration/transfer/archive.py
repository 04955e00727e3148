"""The messages, calendars and cards in a ZIP archive: an export of ours, a Maildir, mbox files, single files.

Nothing is unpacked to disk by name: a member is read into memory, a large one into a file without a name. What the
directory says of sizes is not believed; every octet that is unpacked is counted.
"""

import calendar
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import PurePosixPath
from typing import IO

import msgspec

from mailstead.administration.transfer.files import (
    MBOX_SUFFIXES,
    Keys,
    folder_of,
    keyword_letters,
    maildir_item,
    mbox_items,
    message_item,
)
from mailstead.administration.transfer.item import Item
from mailstead.administration.transfer.layout import FILE, ExportedFolder, decode_export
from mailstead.formats.archive.errors import ArchiveError
from mailstead.formats.archive.maildir import base_name, folder_name
from mailstead.formats.archive.zip import METHODS, check_directory
from mailstead.foundation.config.sections.transfer import TransferSettings
from mailstead.foundation.errors import InvalidError
from mailstead.foundation.spool import Spool
from mailstead.stores.mailbox.folders import INBOX

_PIECE = 256 * 1024
_START = 5
_EXPORT_LIMIT = 64 * 1024 * 1024
_PARTS = ("cur", "new", "tmp")
_COLLECTIONS = {".ics": "calendar", ".vcf": "addressbook"}
_DIGITS = 13
_ZONES = 26 * 3600  # no two clocks differ by more
_ENCRYPTED = 1  # a flag of a member (APPNOTE 4.4.4)


class Found(msgspec.Struct, frozen=True):
    """A member that holds mail: how it is to be read, and the folder it belongs to."""

    path: str
    how: str
    folder: ExportedFolder


class ArchiveSource:
    """See Source. `failures` tells of members that could not be read."""

    def __init__(
        self, file: IO[bytes], settings: TransferSettings, message_limit: int, new_spool: Callable[[], Spool]
    ) -> None:
        """Raises InvalidError when the file is no archive, or one that passes a bound."""
        self.failures: list[str] = []
        self._settings = settings
        self._message_limit = message_limit
        self._new_spool = new_spool
        self._room = settings.unpacked_limit
        try:
            check_directory(file, settings.entries_limit)
            self._archive = zipfile.ZipFile(file)
        except (ArchiveError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise InvalidError(f"This is no ZIP archive that can be read: {error}") from None
        self._members = {one.filename: one for one in self._archive.infolist() if not one.is_dir()}
        self._root, self._described = self._export()
        self._mail = list(self._find())

    def _export(self) -> tuple[str, list[ExportedFolder]]:
        """Where an export of ours lies in the archive, and its folders."""
        paths = sorted((path for path in self._members if PurePosixPath(path).name == FILE), key=len)
        if not paths:
            return "", []
        export = decode_export(b"".join(self._pieces(paths[0], _EXPORT_LIMIT)))
        return paths[0].removesuffix(FILE), list(export.folders)

    def _find(self) -> Iterator[Found]:
        named = {f"{self._root}{one.path}": one for one in self._described}
        maildirs: dict[str, ExportedFolder] = {}
        for path in sorted(self._members):
            pure = PurePosixPath(path)
            if pure.name.startswith("._") or "__MACOSX" in pure.parts:
                continue  # what Finder adds to archives
            if path in named:
                yield Found(path, "mbox", named[path])
            elif len(pure.parts) > 1 and pure.parent.name in _PARTS:
                folder = str(pure.parent.parent)
                if pure.parent.name != "tmp" and not pure.name.startswith("."):
                    if folder not in maildirs:
                        maildirs[folder] = self._maildir(folder, named)
                    yield Found(path, "maildir", maildirs[folder])
            elif pure.suffix.lower() == ".eml":
                yield Found(path, "eml", ExportedFolder(folder_of(pure.parent), path))
            elif self._is_mbox(pure):
                name = folder_of(pure.parent / (pure.stem if pure.suffix else pure.name))
                yield Found(path, "mbox", ExportedFolder(INBOX if name.upper() == INBOX else name, path))

    def _maildir(self, path: str, named: dict[str, ExportedFolder]) -> ExportedFolder:
        for one in (path, f"{self._root}.") if path in (".", self._root.rstrip("/")) else (path,):
            if one in named:
                return named[one]
        below = path.removeprefix(self._root)
        levels: list[str] = []
        for level in PurePosixPath(below).parts:
            levels.append(folder_name(level) if level.startswith(".") else level)
        return ExportedFolder("/".join(level for level in levels if level)[:1000] or INBOX, path)

    def _is_mbox(self, path: PurePosixPath) -> bool:
        if path.suffix.lower() not in MBOX_SUFFIXES and (path.suffix or path.name.startswith(".")):
            return False
        if self._members[str(path)].compress_type not in METHODS:
            return path.suffix.lower() in MBOX_SUFFIXES  # taken for one, so that its failure is told
        try:
            with self._archive.open(self._members[str(path)]) as member:
                return member.read(_START) == b"From "
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
            return False  # it is encrypted or damaged, and by its name may be anything

    def _pieces(self, path: str, limit: int) -> Iterator[bytes]:
        """What a member holds. Raises ArchiveError when it is damaged or has more than `limit` octets, InvalidError
        when all have too many together.
        """
        member = self._members[path]
        if member.flag_bits & _ENCRYPTED:
            raise ArchiveError("it is encrypted")
        if member.compress_type not in METHODS:
            raise ArchiveError("it is compressed in a way that is not read")
        size = 0
        try:
            with self._archive.open(member) as file:
                while piece := file.read(_PIECE):
                    size += len(piece)
                    self._room -= len(piece)
                    if size > limit:
                        raise ArchiveError(f"it has more than {limit} octets")
                    if self._room < 0:
                        raise InvalidError(f"The files have more than {self._settings.unpacked_limit} octets together")
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise ArchiveError(str(error) or "it is cut off") from error

    def folders(self) -> list[tuple[str, bool]]:
        """See Source."""
        return [(one.name, one.subscribed) for one in self._described]

    def count(self) -> int | None:
        """See Source."""
        return None if any(one.how == "mbox" for one in self._mail) else len(self._mail)

    def items(self) -> Iterator[Item]:
        """See Source. Raises InvalidError when the members together are too large."""
        keys = Keys()
        letters: dict[str, dict[str, str]] = {}
        for found in self._mail:
            written = calendar.timegm((*self._members[found.path].date_time, 0, 0, 0))
            limit = self._settings.unpacked_limit if found.how == "mbox" else self._message_limit
            with closing(self._new_spool()) as spool:
                try:
                    for piece in self._pieces(found.path, limit):
                        spool.append(piece)
                    octets = spool.octets()
                    if found.how == "maildir" and found.folder.path not in letters:
                        letters[found.folder.path] = self._letters(found.path)
                except ArchiveError as error:
                    self.failures.append(f"{found.path}: {error}")
                    continue
            name = found.folder.name
            if found.how == "mbox":
                yield from mbox_items(name, octets, written, keys)
            elif found.how == "eml":
                yield message_item(name, octets, written, keys)
            else:
                path = PurePosixPath(found.path)
                shown = path.name if path.parent.name == "cur" else base_name(path.name)
                date = self._moment(shown, written)
                yield maildir_item(name, found.folder, shown, octets, date, letters[found.folder.path])

    def _moment(self, name: str, written: int) -> int:
        """The date of a Maildir's message. Its name begins with when it was delivered, to the second; the archive's
        date is of a clock whose zone nobody knows, but may be of a copy that kept the message's own.
        """
        begin = name.partition(".")[0]
        if not (begin.isascii() and begin.removeprefix("-").isdigit() and len(begin) < _DIGITS):
            return written
        return int(begin) if self._described or abs(int(begin) - written) <= _ZONES else written

    def _letters(self, path: str) -> dict[str, str]:
        beside = str(PurePosixPath(path).parent.parent / "dovecot-keywords")
        if beside not in self._members:
            return {}
        return keyword_letters(b"".join(self._pieces(beside, _EXPORT_LIMIT)).decode("utf-8", "replace"))

    def collections(self) -> Iterator[tuple[str, str, bytes]]:
        """Kind, name and content of each file of calendars or cards."""
        for path in sorted(self._members):
            pure = PurePosixPath(path)
            kind = _COLLECTIONS.get(pure.suffix.lower())
            if kind is None or pure.name.startswith("._") or "__MACOSX" in pure.parts:
                continue
            try:
                yield kind, pure.stem, b"".join(self._pieces(path, self._settings.collection_limit))
            except ArchiveError as error:
                self.failures.append(f"{path}: {error}")

    def close(self) -> None:
        """Let the archive go."""
        self._archive.close()
