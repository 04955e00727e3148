"""What lies where in a backup. The form carries a version: one that is newer than this program is refused.

manifest.json          what this is
documents              every document: a version, then pairs of a collection's name and its documents (MessagePack)
settings.env           the settings that differ from their defaults, secrets among them
mailboxes/XX/ID/       mailbox.db, its log, keyring.json, rotation.json, incoming/
data/                  everything else of the data folder: secret, tls, queue, and what is not known yet
"""

from pathlib import Path

import msgspec

FORM = 1
MANIFEST, DOCUMENTS, SETTINGS, MAILBOXES, DATA = "manifest.json", "documents", "settings.env", "mailboxes", "data"
# of the data folder, what is kept in another way, or made anew
LEFT_OUT = frozenset({"mailboxes", "backup", "spool", "run", "cache", "update", "transfers"})
LEFT_OUT_STARTS = ("documents.db", "ready", ".")


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is of: `at` in seconds since the epoch; `busy` names mailboxes whose copy is of the backup before."""

    form: int
    version: str
    hostname: str
    at: float
    documents: int
    mailboxes: int
    busy: tuple[str, ...] = ()


def is_left_out(name: str) -> bool:
    """Whether an entry of the data folder is not copied as it is."""
    return name in LEFT_OUT or name.startswith(LEFT_OUT_STARTS)


def mailbox_path(mailbox_id: str) -> str:
    """Where a mailbox lies below the root of a backup."""
    return f"{MAILBOXES}/{mailbox_id[-2:]}/{mailbox_id}"


def read_manifest(root: Path) -> Manifest:
    """The manifest of a backup that was written out. Raises FileNotFoundError, msgspec.MsgspecError."""
    return msgspec.json.decode((root / MANIFEST).read_bytes(), type=Manifest)
