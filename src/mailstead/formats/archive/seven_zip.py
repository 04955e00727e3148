"""The names in a 7z archive: its header is read, and unpacked when it is packed itself, within bounds.

    archive = signature version(2) crc(4) next-offset(8) next-size(8) next-crc(4) packed-streams header
    header  = %x01 [archive-properties] [streams] [files] %x00  /  %x17 streams, which hold the packed header

Numbers are little endian; those of headers tell by their first octet how many follow.
"""

import lzma
import struct
from collections.abc import Callable
from typing import Any

import msgspec

from mailstead.formats.archive.listing import HIDDEN, ListedFile, Listing

SEVEN_ZIP = b"7z\xbc\xaf\x27\x1c"
_START = struct.Struct("<6s2sIQQI")
_HEADER_LIMIT = 1024 * 1024
_COUNT_LIMIT = 100_000
_COPY, _LZMA, _LZMA2, _AES = b"\x00", b"\x03\x01\x01", b"\x21", b"\x06\xf1\x07\x01"
_END, _HEADER, _PROPERTIES, _ADDITIONAL, _STREAMS, _FILES = 0x00, 0x01, 0x02, 0x03, 0x04, 0x05
_PACK, _UNPACK, _SUBSTREAMS, _SIZE, _CRC, _FOLDER, _UNPACK_SIZE, _COUNT = 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D
_EMPTY_STREAM, _NAMES, _PACKED_HEADER = 0x0E, 0x11, 0x17


class _UnreadableError(Exception):
    """The header is damaged, past its bounds, or packed in a way that is not read here."""


class _Coder(msgspec.Struct):
    method: bytes
    properties: bytes


class _Folder(msgspec.Struct):
    """How one stream is packed; `size` is that of what comes out last."""

    coders: list[_Coder]
    outputs: int
    size: int = 0


class _Streams(msgspec.Struct):
    offset: int = 0
    sizes: list[int] = []
    folders: list[_Folder] = []


class _Reader:
    """Reads numbers and octets of a header; raises _UnreadableError at its end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def take(self, count: int) -> bytes:
        """So many octets."""
        end = self.position + count
        if count < 0 or end > len(self.data):
            raise _UnreadableError
        found = self.data[self.position : end]
        self.position = end
        return found

    def octet(self) -> int:
        """One octet."""
        return self.take(1)[0]

    def number(self) -> int:
        """One number: each leading bit of the first octet stands for one octet more."""
        first = self.octet()
        mask, value = 0x80, 0
        for place in range(8):
            if not first & mask:
                return value | (first & (mask - 1)) << (8 * place)
            value |= self.octet() << (8 * place)
            mask >>= 1
        return value

    def count(self) -> int:
        """A number of things, which is bounded."""
        found = self.number()
        if found > _COUNT_LIMIT:
            raise _UnreadableError
        return found

    def bits(self, count: int) -> list[bool]:
        """One bit for each of so many things."""
        octets = self.take((count + 7) // 8)
        return [bool(octets[place >> 3] & (0x80 >> (place & 7))) for place in range(count)]

    def digests(self, count: int) -> None:
        """Skip checksums."""
        defined = count if self.octet() else sum(self.bits(count))
        self.take(4 * defined)


def list_seven_zip(data: bytes, most: int) -> Listing:
    """The files of an archive that is `data` as a whole, at most `most`; hidden when its header cannot be read."""
    try:
        return _listing(data, most)
    except (_UnreadableError, lzma.LZMAError):
        return HIDDEN


def _listing(data: bytes, most: int) -> Listing:
    if len(data) < _START.size or not data.startswith(SEVEN_ZIP):
        raise _UnreadableError
    _, _, _, offset, size, _ = _START.unpack_from(data)
    if size == 0:
        return Listing()
    if size > _HEADER_LIMIT or _START.size + offset + size > len(data):
        raise _UnreadableError
    header = data[_START.size + offset : _START.size + offset + size]
    for _ in range(2):  # a packed header in a packed header is nothing that programs write
        reader = _Reader(header)
        kind = reader.octet()
        if kind == _HEADER:
            return _files_of(reader, most)
        if kind != _PACKED_HEADER:
            break
        header = _unpacked(data, _streams(reader))
    raise _UnreadableError


def _streams(reader: _Reader) -> _Streams:
    found = _Streams()
    while (kind := reader.octet()) != _END:
        if kind == _PACK:
            found.offset = reader.number()
            found.sizes = _pack_sizes(reader, reader.count())
        elif kind == _UNPACK:
            found.folders = _folders(reader)
        elif kind == _SUBSTREAMS:
            _skip_substreams(reader, found.folders)
        else:
            raise _UnreadableError
    return found


def _pack_sizes(reader: _Reader, count: int) -> list[int]:
    sizes: list[int] = []
    while (kind := reader.octet()) != _END:
        if kind == _SIZE:
            sizes = [reader.number() for _ in range(count)]
        elif kind == _CRC:
            reader.digests(count)
        else:
            raise _UnreadableError
    return sizes


def _folders(reader: _Reader) -> list[_Folder]:
    if reader.octet() != _FOLDER:
        raise _UnreadableError
    count = reader.count()
    if reader.octet():  # kept elsewhere
        raise _UnreadableError
    folders = [_folder(reader) for _ in range(count)]
    if reader.octet() != _UNPACK_SIZE:
        raise _UnreadableError
    for folder in folders:
        sizes = [reader.number() for _ in range(folder.outputs)]
        folder.size = sizes[-1]
    while (kind := reader.octet()) != _END:
        if kind != _CRC:
            raise _UnreadableError
        reader.digests(count)
    return folders


def _folder(reader: _Reader) -> _Folder:
    coders: list[_Coder] = []
    inputs = outputs = 0
    for _ in range(reader.count()):
        flags = reader.octet()
        method = reader.take(flags & 0x0F)
        taken, given = (reader.count(), reader.count()) if flags & 0x10 else (1, 1)
        properties = reader.take(reader.count()) if flags & 0x20 else b""
        coders.append(_Coder(method, properties))
        inputs, outputs = inputs + taken, outputs + given
    if not coders or not outputs or outputs > 32 or inputs > 32:
        raise _UnreadableError
    for _ in range(2 * (outputs - 1)):  # which output is whose input
        reader.number()
    packed = inputs - (outputs - 1)
    for _ in range(packed if packed > 1 else 0):
        reader.number()
    return _Folder(coders, outputs)


def _skip_substreams(reader: _Reader, folders: list[_Folder]) -> None:
    """How folders are cut into files: of no matter for names."""
    counts = [1] * len(folders)
    while (kind := reader.octet()) != _END:
        if kind == _COUNT:
            counts = [reader.count() for _ in folders]
        elif kind == _SIZE:
            for count in counts:
                for _ in range(count - 1):
                    reader.number()
        elif kind == _CRC:
            if sum(counts) > _COUNT_LIMIT:
                raise _UnreadableError
            reader.digests(sum(counts))
        else:
            raise _UnreadableError


def _files_of(reader: _Reader, most: int) -> Listing:
    folders: list[_Folder] = []
    while (kind := reader.octet()) != _END:
        if kind == _PROPERTIES:
            while reader.octet() != _END:
                reader.take(reader.number())
        elif kind in (_ADDITIONAL, _STREAMS):
            folders += _streams(reader).folders
        elif kind == _FILES:
            is_locked = any(coder.method == _AES for folder in folders for coder in folder.coders)
            return Listing(tuple(ListedFile(name, is_locked) for name in _names(reader)[:most]))
        else:
            raise _UnreadableError
    return Listing()


def _names(reader: _Reader) -> list[str]:
    """The names of files; folders, which have no stream, stand among them and do no harm."""
    reader.count()
    while (kind := reader.number()) != _END:
        content = reader.take(reader.number())
        if kind == _NAMES:
            if not content or content[0]:  # kept elsewhere
                raise _UnreadableError
            return content[1:].decode("utf-16-le", "replace").split("\0")[:-1]
    return []


def _unpacked(data: bytes, streams: _Streams) -> bytes:
    if len(streams.folders) != 1 or len(streams.folders[0].coders) != 1 or not streams.sizes:
        raise _UnreadableError  # behind a password, say
    (coder,), size = streams.folders[0].coders, streams.folders[0].size
    start = _START.size + streams.offset
    packed = data[start : start + min(streams.sizes[0], _HEADER_LIMIT)]
    if coder.method == _COPY:
        return packed
    make = _METHODS.get(coder.method)
    if make is None or size > _HEADER_LIMIT:
        raise _UnreadableError
    # the header never refers to more than itself: so large a dictionary is enough, whatever is asked for
    found = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[make(coder.properties, max(size, 4096))])
    return found.decompress(packed, size)


def _lzma(properties: bytes, dictionary: int) -> dict[str, Any]:
    if len(properties) != 5 or properties[0] >= 9 * 5 * 5:
        raise _UnreadableError
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    return {"id": lzma.FILTER_LZMA1, "dict_size": dictionary, "lc": lc, "lp": lp, "pb": pb}


def _lzma2(_: bytes, dictionary: int) -> dict[str, Any]:
    return {"id": lzma.FILTER_LZMA2, "dict_size": dictionary}


_METHODS: dict[bytes, Callable[[bytes, int], dict[str, Any]]] = {_LZMA: _lzma, _LZMA2: _lzma2}
