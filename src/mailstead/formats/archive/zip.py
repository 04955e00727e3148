"""ZIP archives (PKWARE APPNOTE): written as a stream, and looked at before they are opened.

zipfile reads a directory whole, whatever its size; so that is told here before it is let near it.
"""

import struct
import time
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO

from mailstead.formats.archive.errors import ArchiveError

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What strangers' members may be compressed by: LZMA and its kind may ask for gigabytes before the first octet comes."""
_END = struct.Struct("<4s4H2LH")  # APPNOTE 4.3.16
_END64 = struct.Struct("<4sQ2H2L4Q")  # APPNOTE 4.3.14
_LOCATOR = struct.Struct("<4sLQL")  # APPNOTE 4.3.15
_COMMENT_MOST = 65535
_ENTRY_LEAST = 46  # octets of an entry of the directory without its name (APPNOTE 4.3.12)
_PER_ENTRY = 512  # octets of an entry with a long name
_FILLED_16, _FILLED_32 = 0xFFFF, 0xFFFFFFFF
_PIECE = 256 * 1024
_FIRST, _LAST = 315_532_800, 4_354_819_198  # what a date there can say: 1980 to 2107


def check_directory(file: IO[bytes], entries_limit: int) -> None:
    """Raises ArchiveError when the archive has no directory, or one that is longer than `entries_limit` entries need."""
    size = file.seek(0, 2)
    start = max(size - _END.size - _COMMENT_MOST, 0)
    file.seek(start)
    tail = file.read(_END.size + _COMMENT_MOST)
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < _END.size:
        raise ArchiveError("it has no directory")
    _, _, _, _, count, directory, offset, _ = _END.unpack_from(tail, place)
    if count == _FILLED_16 or _FILLED_32 in (directory, offset):
        count, directory = _read_end64(file, start + place)
    if count > entries_limit or directory > entries_limit * _PER_ENTRY or directory > size:
        raise ArchiveError(f"it has more than {entries_limit} entries")
    if directory < count * _ENTRY_LEAST:
        raise ArchiveError("its directory is damaged")
    file.seek(0)


def _read_end64(file: IO[bytes], end: int) -> tuple[int, int]:
    """Count and size of the directory from its 64-bit end. Raises ArchiveError."""
    if end < _LOCATOR.size:
        raise ArchiveError("its directory is damaged")
    file.seek(end - _LOCATOR.size)
    mark, _, offset, _ = _LOCATOR.unpack(file.read(_LOCATOR.size))
    if mark != b"PK\x06\x07" or offset > end - _END64.size:
        raise ArchiveError("its directory is damaged")
    file.seek(offset)
    mark, _, _, _, _, _, _, count, directory, _ = _END64.unpack(file.read(_END64.size))
    if mark != b"PK\x06\x06":
        raise ArchiveError("its directory is damaged")
    return count, directory


class _Pieces:
    """What an archive is written to."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._held.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        taken = b"".join(self._held)
        self._held.clear()
        self.size = 0
        return taken


def zip_pieces(files: Iterable[tuple[str, float, Iterable[bytes]]]) -> Iterator[bytes]:
    """An archive of files (or folders, whose paths end with a slash), each with its date and content, in pieces.

    It may be of any size; what is held in memory is a piece and the directory.
    """
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:  # type: ignore[call-overload]
        for path, moment, content in files:
            info = zipfile.ZipInfo(path, time.gmtime(min(max(moment, _FIRST), _LAST))[:6])
            info.external_attr = (0o40700 << 16 | 0x10) if path.endswith("/") else 0o100600 << 16
            info.compress_type = zipfile.ZIP_STORED if path.endswith("/") else zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                for one in content:
                    member.write(one)
                    if pieces.size >= _PIECE:
                        yield pieces.take()
            if pieces.size >= _PIECE:
                yield pieces.take()
    yield pieces.take()
