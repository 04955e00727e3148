"""OpenPGP by Sequoia (the extra `openpgp`): reading keys, and PGP/MIME (RFC 3156 §4)."""

import importlib
from datetime import datetime
from types import ModuleType
from typing import Any

from mailstead.foundation.identifiers import new_ulid
from mailstead.mail.encryption.errors import UnusableKeyError
from mailstead.stores.directory.records import Encryption

_REASON_LIMIT = 200


class NotInstalledError(UnusableKeyError):
    """The extra is not there."""

    public_text = "OpenPGP is not installed on this server (the extra openpgp, package pysequoia)"


def _sequoia() -> ModuleType:
    try:
        return importlib.import_module("pysequoia")
    except ImportError as error:
        raise NotInstalledError from error


def _reason(error: Exception) -> str:
    """The first line: what follows is a trace of the library's."""
    return str(error).partition("\n")[0][:_REASON_LIMIT]


def read(octets: bytes) -> Encryption:
    """A public key. Raises UnusableKeyError."""
    sequoia = _sequoia()
    try:
        key = sequoia.Cert.from_bytes(octets)
    except (RuntimeError, ValueError, TypeError) as error:
        raise UnusableKeyError(f"Not an OpenPGP key: {_reason(error)}") from error
    if key.is_revoked:
        raise UnusableKeyError("The key was revoked")
    public = bytes(key)
    encrypt_entity(b"Content-Type: text/plain\r\n\r\nx\r\n", public)  # whether it is for encryption at all
    expiry: datetime | None = key.expiration
    return Encryption(
        kind="openpgp",
        key=public,
        fingerprint=str(key.fingerprint).upper(),
        addresses=tuple(address for one in key.user_ids if (address := _address(str(one)))),
        expires_at=None if expiry is None else expiry.timestamp(),
    )


def _address(user_id: str) -> str:
    """The mail address of a user id, in lower case; "" without one."""
    found = user_id.rpartition("<")[2].rstrip(">").strip().lower()
    return found if "@" in found and " " not in found else ""


def encrypt_entity(entity: bytes, public: bytes) -> tuple[bytes, bytes]:
    """The entity as multipart/encrypted (RFC 3156 §4): its content fields, and its body. Raises UnusableKeyError."""
    sequoia = _sequoia()
    try:
        key: Any = sequoia.Cert.from_bytes(public)
        armored: bytes = sequoia.encrypt(entity, recipients=[key])
    except (RuntimeError, ValueError, TypeError) as error:
        raise UnusableKeyError(f"The key cannot be encrypted to: {_reason(error)}") from error
    boundary = f"=_{new_ulid()}"
    fields = f'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted";\r\n\tboundary="{boundary}"\r\n'
    head = (
        f"--{boundary}\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n"
        f'--{boundary}\r\nContent-Type: application/octet-stream; name="encrypted.asc"\r\n'
        'Content-Disposition: inline; filename="encrypted.asc"\r\n\r\n'
    )
    lines = armored.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").rstrip(b"\r\n")
    return fields.encode(), head.encode() + lines + f"\r\n\r\n--{boundary}--\r\n".encode()
