"""Mail for a mailbox whose key is not at hand: sealed to its public key, taken in when the owner comes.

incoming/<ulid>.sealed = seal(header-length (4) header (JSON: folder, flags, keywords, internal_date) message)
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.crypto.derive import derive_key
from mailstead.foundation.crypto.seal import KeyPair, open_stream, seal_stream
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool

_LENGTH = struct.Struct("!I")
SUFFIX = ".sealed"


class SealedHeader(msgspec.Struct, frozen=True):
    """What was decided about a message when it came."""

    folder: str
    flags: int
    keywords: str
    internal_date: int


def key_pair(data_key: DataKey) -> KeyPair:
    """The mailbox's X25519 pair, derived from its data key; the public half stands in the directory."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey  # noqa: PLC0415 rarely needed

    private = X25519PrivateKey.from_private_bytes(derive_key(data_key.raw(), "incoming"))
    return KeyPair(private.public_key().public_bytes_raw(), private.private_bytes_raw())


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
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return ulid


def waiting(directory: Path) -> list[Path]:
    """Sealed messages, oldest first."""
    return sorted(directory.glob(f"*{SUFFIX}")) if directory.is_dir() else []


def read_sealed(path: Path, keys: KeyPair) -> tuple[SealedHeader, bytes]:
    """Open one sealed message. Raises SealError, OSError."""
    with path.open("rb") as file:
        plaintext = b"".join(open_stream(keys.private, iter(lambda: file.read(256 * 1024), b"")))
    (length,) = _LENGTH.unpack_from(plaintext)
    header = msgspec.json.decode(plaintext[_LENGTH.size : _LENGTH.size + length], type=SealedHeader)
    return header, plaintext[_LENGTH.size + length :]
