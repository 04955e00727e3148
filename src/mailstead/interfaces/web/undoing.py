"""Undo: what was done last in a mailbox is kept with it, and can be taken back."""

from typing import Literal

import msgspec

from mailstead.foundation.identifiers import new_ulid
from mailstead.interfaces.reading.listing import as_ranges
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import Ranges

_SETTING = "web.undo"
_LIMIT = 100_000  # messages that an undo covers


class Done(msgspec.Struct, frozen=True):
    """An action and how to take it back: `kind` move (from `folder` back to `back`), add or remove (`flag` in
    `folder`), or restore (what was erased of `folder`)."""

    id: str
    action: str
    count: int
    kind: Literal["move", "add", "remove", "restore"]
    folder: int
    back: int = 0
    flag: int = 0
    ranges: Ranges = []


def remember(
    mailbox: Mailbox,
    action: str,
    kind: Literal["move", "add", "remove", "restore"],
    folder: int,
    uids: list[int],
    **more: int,
) -> str:
    """Keep what was done; returns its id, empty when nothing was done or it is too much to take back."""
    if not uids or len(uids) > _LIMIT:
        return ""
    done = Done(new_ulid(), action, len(uids), kind, folder, ranges=as_ranges(sorted(uids)), **more)
    mailbox.set_setting(_SETTING, msgspec.to_builtins(done))
    return done.id


def last_done(mailbox: Mailbox, identifier: str) -> Done | None:
    """What was done under that id, when nothing was done after it."""
    kept = mailbox.setting(_SETTING) if identifier else None
    done = None if kept is None else msgspec.convert(kept, Done)
    return done if done is not None and done.id == identifier else None


def take_back(mailbox: Mailbox, identifier: str) -> bool:
    """Undo it; False when something else was done since. Raises NoSuchFolderError when the folder is gone."""
    done = last_done(mailbox, identifier)
    if done is None:
        return False
    match done.kind:
        case "move":
            mailbox.move(done.folder, done.ranges, done.back)
        case "add" | "remove":
            mailbox.store(done.folder, done.ranges, done.kind, done.flag)
        case "restore":
            mailbox.restore([(done.folder, uid) for first, last in done.ranges for uid in range(first, last + 1)])
    mailbox.set_setting(_SETTING, None)
    return True


def seen_or_flagged(mailbox: Mailbox, folder_id: int, uids: list[int], flag: Flag) -> set[int]:
    """Those of ascending uids that have the flag."""
    found: set[int] = set()
    for rows in mailbox.rows(folder_id, as_ranges(uids), ("uid", "flags")):
        found.update(uid for uid, flags in rows if flags & flag)
    return found
