"""The names in a RAR archive of version 4 or 5: headers are walked through, nothing is unpacked.

RAR 5:  signature *(crc32 size-vint type-vint flags-vint [extra-size-vint] [data-size-vint] fields [extra] [data])
RAR 4:  signature *(crc16 type8 flags16 size16 [data-size32] fields [data]), little endian
"""

import struct
from collections.abc import Iterator

from mailstead.formats.archive.listing import HIDDEN, ListedFile, Listing

RAR5 = b"Rar!\x1a\x07\x01\x00"
RAR4 = b"Rar!\x1a\x07\x00"
_NAME_LIMIT = 4096
_VINT_OCTETS = 10
# RAR 5
_MAIN5, _FILE5, _ENCRYPTION5, _END5 = 1, 2, 4, 5
_HAS_EXTRA, _HAS_DATA = 1, 2
_IS_DIRECTORY, _HAS_TIME, _HAS_CRC = 1, 2, 4
_EXTRA_ENCRYPTION = 1
# RAR 4
_MAIN4, _FILE4, _END4 = 0x73, 0x74, 0x7B
_HEADERS_LOCKED, _FILE_LOCKED, _HAS_HIGH_SIZE, _LONG_BLOCK, _DIRECTORY4 = 0x80, 0x04, 0x100, 0x8000, 0xE0
_BLOCK4 = struct.Struct("<HBHH")
_FILE_FIELDS4 = struct.Struct("<IIBIIBBHI")


class _CutOffError(Exception):
    """The archive ends within a header."""


def list_rar(data: bytes, most: int) -> Listing:
    """The files of the archive that begins with `data`, at most `most`; what is cut off or damaged ends the list."""
    if data.startswith(RAR5):
        files = _files5(data)
    elif data.startswith(RAR4):
        files = _files4(data)
    else:
        return HIDDEN
    found: list[ListedFile] = []
    try:
        for one in files:
            if one is None:
                return Listing(tuple(found), is_hidden=True)
            found.append(one)
            if len(found) >= most:
                break
    except _CutOffError:
        pass
    return Listing(tuple(found))


def _vint(data: bytes, position: int) -> tuple[int, int]:
    """A number of seven bits an octet, the lowest first, and where it ends."""
    value = 0
    for place, octet in enumerate(data[position : position + _VINT_OCTETS]):
        value |= (octet & 0x7F) << (7 * place)
        if not octet & 0x80:
            return value, position + place + 1
    raise _CutOffError


def _files5(data: bytes) -> Iterator[ListedFile | None]:
    """None where the rest is behind a password."""
    position = len(RAR5)
    while position + 4 < len(data):
        size, start = _vint(data, position + 4)
        end = start + size
        if size == 0 or end > len(data):
            raise _CutOffError
        kind, place = _vint(data, start)
        flags, place = _vint(data, place)
        extra = following = 0
        if flags & _HAS_EXTRA:
            extra, place = _vint(data, place)
        if flags & _HAS_DATA:
            following, place = _vint(data, place)
        if kind == _ENCRYPTION5:
            yield None
            return
        if kind == _END5:
            return
        if kind == _FILE5:
            file = _file5(data[place:end], data[max(end - extra, place) : end])
            if file is not None:
                yield file
        position = end + following


def _file5(fields: bytes, extra: bytes) -> ListedFile | None:
    flags, place = _vint(fields, 0)
    _, place = _vint(fields, place)  # the size unpacked
    _, place = _vint(fields, place)  # attributes
    place += 4 * bool(flags & _HAS_TIME) + 4 * bool(flags & _HAS_CRC)
    _, place = _vint(fields, place)  # how it is packed
    _, place = _vint(fields, place)  # the system
    length, place = _vint(fields, place)
    if flags & _IS_DIRECTORY:
        return None
    name = fields[place : place + min(length, _NAME_LIMIT)].decode("utf-8", "replace")
    return ListedFile(name, _is_locked5(extra))


def _is_locked5(extra: bytes) -> bool:
    position = 0
    while position < len(extra):
        size, start = _vint(extra, position)
        kind, _ = _vint(extra, start)
        if kind == _EXTRA_ENCRYPTION:
            return True
        position = start + max(size, 1)
    return False


def _files4(data: bytes) -> Iterator[ListedFile | None]:
    """None where the rest is behind a password."""
    position = len(RAR4)
    while position + _BLOCK4.size <= len(data):
        _, kind, flags, size = _BLOCK4.unpack_from(data, position)
        if size < _BLOCK4.size or position + size > len(data):
            raise _CutOffError
        block = data[position + _BLOCK4.size : position + size]
        following = 0
        if kind == _MAIN4 and flags & _HEADERS_LOCKED:
            yield None
            return
        if kind == _END4:
            return
        if kind == _FILE4:
            if len(block) < _FILE_FIELDS4.size:
                raise _CutOffError
            following, *_, length, _ = _FILE_FIELDS4.unpack_from(block)
            start = _FILE_FIELDS4.size
            if flags & _HAS_HIGH_SIZE:
                if len(block) < start + 8:
                    raise _CutOffError
                following |= int.from_bytes(block[start : start + 4], "little") << 32
                start += 8
            if flags & _DIRECTORY4 != _DIRECTORY4:
                # in front of a NUL the name as programs without Unicode show it
                name = block[start : start + min(length, _NAME_LIMIT)].partition(b"\0")[0]
                yield ListedFile(name.decode("utf-8", "replace"), bool(flags & _FILE_LOCKED))
        elif flags & _LONG_BLOCK:
            following = int.from_bytes(block[:4], "little")
        position += size + following
