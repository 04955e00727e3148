"""Looking at attachments, into zip archives as far as Settings allow, and at the lists of RAR and 7z archives.

A zip bomb costs what Settings allow and no more: entries are counted, and only the first octets of each are unpacked;
an archive in an archive is unpacked whole while there is room. What is past a limit is told, not looked at.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Literal

import msgspec

from mailstead.formats.archive.zip import METHODS
from mailstead.foundation.config.sections.attachments import AttachmentsSettings
from mailstead.mail.screening.attachments import kinds
from mailstead.mail.screening.view import View

Found = Literal["executable", "macro", "encrypted", "bomb"]
_START = 4096
_ATTACHMENTS = 200
_FINDINGS = 10


class Suspect(msgspec.Struct, frozen=True):
    """Something attached that Settings may have something against; `words` name it for people."""

    found: Found
    name: str
    words: str


class _Room:
    """What may still be looked at in one message."""

    def __init__(self, settings: AttachmentsSettings) -> None:
        self.entries = settings.archive_entries
        self.octets = settings.archive_size


def inspect_attachments(view: View, settings: AttachmentsSettings) -> list[Suspect]:
    """What is suspect among the attachments, at most ten findings. Never raises on any octets."""
    room = _Room(settings)
    found: list[Suspect] = []
    for part in view.attachments[:_ATTACHMENTS]:
        start = view.content(part, _START)
        needs_whole = _is_archive(start) or start.startswith((b"\xd0\xcf\x11\xe0", b"%PDF-"))
        data = view.content(part, settings.archive_size) if needs_whole else start
        for suspect in _look(part.filename or part.type, data, settings, room, 0):
            found.append(suspect)
            if len(found) >= _FINDINGS:
                return found
    return found


def _look(name: str, data: bytes, settings: AttachmentsSettings, room: _Room, depth: int) -> Iterator[Suspect]:
    reason = _runs(name, data, settings)
    if reason:
        yield Suspect("executable", name, f"{_shown(name)} is {reason}")
    last = (kinds.extensions(name) or [""])[0]
    if last in kinds.MACRO_EXTENSIONS or kinds.has_old_macros(data):
        yield Suspect("macro", name, f"{_shown(name)} is an Office document with macros")
    if kinds.is_encrypted_office(data) or kinds.is_encrypted_pdf(data):
        yield Suspect("encrypted", name, f"{_shown(name)} is a document behind a password")
    if kinds.is_zip(data[:4]):
        yield from _look_into(name, data, settings, room, depth)
    elif kinds.is_listed_archive(data):
        yield from _look_at_list(name, data, settings, room)


def _is_archive(start: bytes) -> bool:
    return kinds.is_zip(start) or kinds.is_listed_archive(start)


def _look_at_list(name: str, data: bytes, settings: AttachmentsSettings, room: _Room) -> Iterator[Suspect]:
    """The names in a RAR or 7z archive; what is in it stays packed."""
    listing = kinds.list_archive(data, room.entries + 1)
    room.entries -= len(listing.files)
    locked = "behind a password, or cannot be read" if listing.is_hidden else ""
    for one in listing.files:
        inner = f"{name}/{one.name}"
        reason = _runs(one.name, b"", settings)
        if reason:
            yield Suspect("executable", inner, f"{_shown(inner)} is {reason}")
        if (kinds.extensions(one.name) or [""])[0] in kinds.MACRO_EXTENSIONS:
            yield Suspect("macro", inner, f"{_shown(inner)} is an Office document with macros")
        if one.is_locked:
            locked = locked or "behind a password"
        elif kinds.is_named_archive(one.name):
            yield Suspect("encrypted", inner, f"{_shown(inner)} is an archive in one that is not unpacked")
    if locked:
        yield Suspect("encrypted", name, f"{_shown(name)} is an archive {locked}")
    if room.entries < 0:
        yield Suspect("bomb", name, f"{_shown(name)} holds too many files")


def _runs(name: str, data: bytes, settings: AttachmentsSettings) -> str:
    if kinds.hides_extension(name):
        return "a program that hides what it is"
    last = (kinds.extensions(name) or [""])[0]
    if last in kinds.EXECUTABLE_EXTENSIONS or last in settings.extensions:
        return f"a program or script (.{last})"
    return kinds.executable_content(data[:64])


def _look_into(name: str, data: bytes, settings: AttachmentsSettings, room: _Room, depth: int) -> Iterator[Suspect]:
    """The entries of a zip archive."""
    if depth >= settings.archive_depth:
        yield Suspect("bomb", name, f"{_shown(name)} is an archive in too many others")
        return
    if data.count(b"PK\x01\x02") > room.entries:  # before their list is read into memory
        yield Suspect("bomb", name, f"{_shown(name)} holds too many files")
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, struct.error, ValueError, NotImplementedError, OverflowError, OSError):
        return  # damaged, or cut off: what its name says was looked at
    with archive:
        for entry in archive.infolist():
            room.entries -= 1
            if room.entries < 0:
                yield Suspect("bomb", name, f"{_shown(name)} holds too many files")
                return
            if entry.is_dir():
                continue
            if entry.filename.endswith("vbaProject.bin"):
                yield Suspect("macro", name, f"{_shown(name)} is an Office document with macros")
                continue
            inner = f"{name}/{entry.filename}"
            if entry.flag_bits & 1:
                reason = _runs(entry.filename, b"", settings)  # names are told even then
                if reason:
                    yield Suspect("executable", inner, f"{_shown(inner)} is {reason}, behind a password")
                yield Suspect("encrypted", name, f"{_shown(name)} is an archive behind a password")
                continue
            unpacked = _unpack(archive, entry, room)
            if unpacked is None:
                yield Suspect("bomb", name, f"{_shown(name)} unpacks to more than is looked at")
                return
            yield from _look(inner, unpacked, settings, room, depth + 1)


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: _Room) -> bytes | None:
    """The start of an entry, of an archive in it all; b"" when it is damaged, None when there is no room."""
    if entry.compress_type not in METHODS:
        return b""
    try:
        with archive.open(entry) as opened:
            start = opened.read(min(_START, room.octets))
            room.octets -= len(start)
            if _is_archive(start):
                rest = opened.read(room.octets + 1)
                if len(rest) > room.octets:
                    return None
                room.octets -= len(rest)
                start += rest
            return None if room.octets <= 0 else start
    except (zipfile.BadZipFile, zlib.error, ValueError, NotImplementedError, RuntimeError, EOFError, OSError):
        return b""


def _shown(name: str) -> str:
    """A stranger's file name, cut and on one line."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in name)
    return f'"{shown[:100]}"'
