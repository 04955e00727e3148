"""Mail for a mailbox whose key is not at hand: sealed to its public key, taken in when the owner comes.

incoming/<ulid>.sealed = seal(header-length (4) header (JSON: folder, flags, keywords, internal_date) message)
"""

import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.derive import derive_key
from mailstead.foundation.crypto.seal import KeyPair, open_stream, seal_stream
from mailstead.foundation.crypto.stream import Rechunker, SealError
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool
from mailstead.stores.mailbox.files import sync_directory
from mailstead.stores.mailbox.filing import Filed, Place

_LENGTH = struct.Struct("!I")
SUFFIX = ".sealed"
_BLOCK = 256 * 1024


class SealedHeader(msgspec.Struct, frozen=True):
    """What was decided about a message when it came; see folders.filing_folder for `create` and `special_use`.

    `also` are the other folders that it is filed into.
    """

    folder: str
    flags: int
    keywords: str
    internal_date: int
    delivery_id: str = ""
    create: bool = False
    special_use: str = ""
    also: tuple[Place, ...] = ()

    @property
    def places(self) -> tuple[Place, ...]:
        """All folders."""
        first = Place(self.folder, self.flags, self.keywords, self.delivery_id, self.create, self.special_use)
        return (first, *self.also)


def sealed_header(filed: Filed) -> SealedHeader:
    """The header of a message that is sealed."""
    one, *also = filed.places
    return SealedHeader(
        one.folder,
        one.flags,
        one.keywords,
        filed.internal_date,
        one.delivery_id,
        one.create,
        one.special_use,
        tuple(also),
    )


FORMER_KEYS = "former_incoming_keys"  # setting: private halves of pairs before rotations, newest first


def former_pairs(setting: bytes) -> list[KeyPair]:
    """The pairs whose private halves the setting keeps."""
    return [_pair(private) for private in msgspec.msgpack.decode(setting, type=list[bytes])]


def _pair(private: bytes) -> KeyPair:
    public = X25519PrivateKey.from_private_bytes(private).public_key()
    return KeyPair(public.public_bytes_raw(), private)


def key_pair(data_key: DataKey) -> KeyPair:
    """The mailbox's X25519 pair, derived from its data key; the public half stands in the directory."""
    return _pair(derive_key(data_key.raw(), "incoming"))


def write_sealed(directory: Path, public_key: bytes, header: SealedHeader, message: Spool) -> str:
    """Write one sealed message durably; returns its ulid. Raises OSError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    ulid = new_ulid()
    encoded = msgspec.json.encode(header)

    def plaintext() -> Iterator[bytes]:
        yield _LENGTH.pack(len(encoded)) + encoded
        yield from message.chunks()

    temporary = directory / f".{ulid}"
    with temporary.open("xb") as file:
        for chunk in seal_stream(public_key, plaintext()):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(directory / f"{ulid}{SUFFIX}")
    sync_directory(directory)
    return ulid


def waiting(directory: Path) -> list[Path]:
    """Sealed messages, oldest first."""
    return sorted(directory.glob(f"*{SUFFIX}")) if directory.is_dir() else []


def is_any_waiting(directory: Path) -> bool:
    """Whether there is a sealed message; a look that is cheap enough for every use of a mailbox."""
    try:
        with os.scandir(directory) as found:
            return any(one.name.endswith(SUFFIX) for one in found)
    except FileNotFoundError:
        return False


def read_sealed(path: Path, keys: Sequence[KeyPair]) -> tuple[SealedHeader, bytes]:
    """Open one sealed message with the first pair that can; it is in memory, for nothing of it may lie open on disk.

    Raises SealError, OSError.
    """
    with path.open("rb") as file:
        for pair in keys[:-1]:
            file.seek(0)
            try:
                return _unseal(file, pair)
            except SealError:
                continue
        file.seek(0)
        return _unseal(file, keys[-1])


def _unseal(file: IO[bytes], pair: KeyPair) -> tuple[SealedHeader, bytes]:
    plaintext = Rechunker(open_stream(pair.private, iter(lambda: file.read(_BLOCK), b"")))
    start = plaintext.take(_LENGTH.size)
    if len(start) < _LENGTH.size:
        raise SealError("cut off")
    encoded = plaintext.take(_LENGTH.unpack(start)[0])
    try:
        header = msgspec.json.decode(encoded, type=SealedHeader)
    except msgspec.DecodeError as error:
        raise SealError("damaged header") from error
    return header, b"".join(iter(lambda: plaintext.take(_BLOCK), b""))
