"""Folders of another server: their names, what they are for, and what they are called here."""

from collections.abc import Iterable
from contextlib import suppress

import msgspec

from mailstead.formats.modified_utf7 import decode_utf7
from mailstead.mail.migration.errors import MigrationError
from mailstead.mail.migration.response import Value

_USES = ("\\Sent", "\\Drafts", "\\Trash", "\\Junk", "\\Archive")  # RFC 6154 §2, as far as folders here have them
_UNSELECTABLE = {b"\\noselect", b"\\nonexistent"}
_USE_BY_NAME = {
    "sent items": "\\Sent",
    "sent messages": "\\Sent",
    "sent mail": "\\Sent",
    "deleted items": "\\Trash",
    "deleted messages": "\\Trash",
    "spam": "\\Junk",
    "junk e-mail": "\\Junk",
    "bulk mail": "\\Junk",
}


class RemoteFolder(msgspec.Struct, frozen=True):
    """A folder: its name as the server writes it, as it is here, its special use, and whether it is subscribed."""

    wire: bytes
    name: str
    special_use: str
    subscribed: bool


class Namespace(msgspec.Struct, frozen=True):
    """The prefix of one's own folders, and those of other people's (RFC 9051 §6.3.10)."""

    own: bytes = b""
    others: tuple[bytes, ...] = ()


def namespace(found: list[Value]) -> Namespace:
    """What a NAMESPACE response says: own, other users', shared."""
    prefixes = [
        [one[0] for one in kind if isinstance(one, list) and one and isinstance(one[0], bytes)]
        if isinstance(kind, list)
        else []
        for kind in found[:3]
    ]
    own = prefixes[0] if prefixes else []
    others = [prefix for kind in prefixes[1:] for prefix in kind if prefix and prefix not in own]
    return Namespace(own[0] if own else b"", tuple(others))


def folder(found: list[Value], spaces: Namespace) -> RemoteFolder | None:
    """The folder of a LIST response; None for one that holds no messages or is somebody else's. Raises MigrationError."""
    match found:
        case [list(attributes), (bytes() | None) as delimiter, bytes(wire), *_] if wire:
            words = {word.lower() for word in attributes if isinstance(word, bytes)}
        case _:
            raise MigrationError("The other server sent a LIST response that is none")
    if words & _UNSELECTABLE or any(wire.startswith(prefix) for prefix in spaces.others):
        return None
    name = local_name(wire, delimiter or b"", spaces.own)
    uses = [use for use in _USES if use.lower().encode() in words]
    return RemoteFolder(wire, name, uses[0] if uses else "", b"\\subscribed" in words)


def local_name(wire: bytes, delimiter: bytes, own: bytes) -> str:
    """The name here of a folder there: levels divided by a slash, without the prefix of one's own folders."""
    if own and wire.startswith(own) and len(wire) > len(own):
        wire = wire[len(own) :]
    text = wire.decode("utf-8", "replace")
    with suppress(ValueError):  # some servers write names in other ways: better an odd name than no mail
        text = decode_utf7(text)
    text = text.encode("utf-8", "replace").decode()
    if delimiter == b"/":
        return "/".join(level for level in text.split("/") if level) or "_"
    text = text.replace("/", "_")
    if delimiter:
        text = "/".join(level for level in text.split(delimiter.decode("utf-8", "replace")) if level)
    return text or "_"


def with_uses_by_name(folders: Iterable[RemoteFolder]) -> list[RemoteFolder]:
    """The folders; where the server names no special use, those of usual names get theirs."""
    found = list(folders)
    if any(one.special_use for one in found):
        return found
    return [msgspec.structs.replace(one, special_use=_USE_BY_NAME.get(one.name.lower(), "")) for one in found]
