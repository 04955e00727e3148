"""The content of compressed reports, whatever they claim to hold: at most so many octets are ever made of one."""

import gzip
import io
import zipfile
import zlib

from mailstead.formats.archive.zip import METHODS
from mailstead.formats.reports.errors import ReportError

CONTENT_LIMIT = 32 * 1024 * 1024
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_ENTRIES_LIMIT = 10


def unpacked(data: bytes, limit: int = CONTENT_LIMIT) -> bytes:
    """The file in a gzip or zip archive (of several the first), or `data` itself when it is no archive.

    Raises ReportError when it has more than `limit` octets, or the archive is damaged or encrypted.
    """
    if data.startswith(_GZIP):
        return _gunzipped(data, limit)
    if data.startswith(_ZIP):
        return _unzipped(data, limit)
    if len(data) > limit:
        raise ReportError("the report is too large")
    return data


def _gunzipped(data: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj(_GZIP_WINDOW)
    try:
        content = stream.decompress(data, limit + 1)
    except zlib.error as error:
        raise ReportError("the archive is damaged") from error
    if len(content) > limit:
        raise ReportError("the report is too large")
    if not stream.eof:
        raise ReportError("the archive is cut short")
    return content


def _unzipped(data: bytes, limit: int) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if not entries or len(entries) > _ENTRIES_LIMIT:
                raise ReportError(f"the archive holds {len(entries)} files")
            if entries[0].compress_type not in METHODS:
                raise ReportError("the archive is compressed in an unknown way")
            with archive.open(entries[0]) as file:
                content = file.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, OSError) as error:
        raise ReportError("the archive is damaged or encrypted") from error
    if len(content) > limit:
        raise ReportError("the report is too large")
    return content


def packed(content: bytes) -> bytes:
    """`content` as gzip, the same octets for the same content."""
    return gzip.compress(content, mtime=0)
