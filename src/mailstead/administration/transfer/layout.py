"""What an export says of itself: which folder each directory or file holds, and how the folders were."""

import re
from pathlib import Path

import msgspec

from mailstead.formats.modified_utf7 import encode_utf7
from mailstead.foundation.errors import PermanentError

FILE = "mailstead-export.json"
_UNSAFE = re.compile(r"[^A-Za-z0-9 _.&,+=-]")
_NAME_LIMIT = 120  # octets of a name on disk, well below what file systems take


class ExportedFolder(msgspec.Struct, frozen=True):
    """A folder and the path, below the export, of what it holds."""

    name: str
    path: str
    special_use: str = ""
    subscribed: bool = False
    keywords: tuple[str, ...] = ()
    beyond: dict[str, str] = {}  # by base name: keywords that the letters of a Maildir cannot tell


class Export(msgspec.Struct, frozen=True):
    """The whole."""

    format: str
    address: str
    folders: tuple[ExportedFolder, ...]


def read_export(root: Path) -> Export | None:
    """What an export says of itself; None when `root` is none. Raises PermanentError when that is damaged."""
    try:
        return decode_export((root / FILE).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None


def decode_export(text: bytes) -> Export:
    """What the file of an export says. Raises PermanentError when it is damaged."""
    try:
        export = msgspec.json.decode(text, type=Export)
    except msgspec.DecodeError as error:
        raise PermanentError(f"{FILE} is damaged: {error}") from error
    for folder in export.folders:
        if folder.path.startswith("/") or ".." in folder.path.split("/"):
            raise PermanentError(f"{FILE} names a path outside: {folder.path}")
    return export


def path_name(name: str, taken: set[str]) -> str:
    """A file name for a folder's name as Maildir++ writes it, that every file system takes and nobody else has."""
    levels = encode_utf7(name.replace(".", "_")).replace("/", ".")
    plain = _UNSAFE.sub("_", levels)[:_NAME_LIMIT].strip(" .") or "_"
    candidate, number = plain, 1
    while candidate.lower() in taken:
        number += 1
        candidate = f"{plain}-{number}"
    taken.add(candidate.lower())
    return candidate
