"""Export of a mailbox as Maildir++ or mbox: streaming, byte for byte, flags, dates and folders kept."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.opening import opened_mailbox
from mailstead.administration.transfer.layout import FILE, Export, ExportedFolder, path_name
from mailstead.formats.archive.maildir import flags_of, info_of
from mailstead.formats.archive.mbox import write_mbox
from mailstead.foundation.errors import InvalidError
from mailstead.stores.mailbox.entries import UID_MOST
from mailstead.stores.mailbox.files import sync_file
from mailstead.stores.mailbox.flags import keyword_text
from mailstead.stores.mailbox.folders import INBOX
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import Folder

Format = Literal["maildir", "mbox"]
Advance = Callable[[int], None]
_COLUMNS = ("uid", "flags", "keywords", "internal_date", "message_id", "size", "parts", "recipe")
_ROWS = 100
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


async def export_mailbox(
    administration: Administration,
    actor: Actor,
    address: str,
    directory: Path,
    form: Format,
    *,
    current: str | None = None,
    begun: Callable[[int], Advance] = lambda _: lambda __: None,
) -> int:
    """Write all messages of a mailbox below `directory`, which must be empty or not there; returns how many.

    `begun` is told how many there will be, and gives what is called (on a thread) as they are written. Raises
    InvalidError, LockedMailboxError, OSError.
    """
    if directory.exists() and (not directory.is_dir() or next(directory.iterdir(), None) is not None):
        raise InvalidError(f"{directory} is not an empty directory")
    async with opened_mailbox(administration, actor, address, current) as (alias, mailbox):
        advance = begun(mailbox.usage().messages)
        count = await administration.mailboxes.run(write_export, mailbox, alias.address, directory, form, advance)
    await administration.audit(actor, "mailbox.export", alias.address, format=form, messages=count)
    return count


def write_export(mailbox: Mailbox, address: str, root: Path, form: Format, advance: Advance) -> int:
    """Write the export. Raises OSError."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    subscribed = mailbox.subscriptions()
    described: list[ExportedFolder] = []
    taken: set[str] = set()
    count = 0
    for folder in mailbox.folders():
        name = path_name(folder.name, taken)
        path = f"{name}.mbox" if form == "mbox" else "." if folder.name == INBOX else f".{name}"
        one = ExportedFolder(folder.name, path, folder.special_use, folder.name in subscribed)
        if form == "mbox":
            count += _write_mbox(mailbox, folder, root / path, advance)
        else:
            written, one = _write_maildir(mailbox, folder, root / path, one, advance)
            count += written
        described.append(one)
    (root / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(Export(form, address, tuple(described)))) + b"\n")
    sync_file(root / FILE)
    return count


def _rows(mailbox: Mailbox, folder: Folder) -> Iterator[tuple[Any, ...]]:
    for rows in mailbox.rows(folder.id, [(1, UID_MOST)], _COLUMNS, _ROWS):
        yield from rows


def _write_mbox(mailbox: Mailbox, folder: Folder, path: Path, advance: Advance) -> int:
    count = 0
    with path.open("xb") as file:
        for _, flags, keywords, date, message_id, size, parts, recipe in _rows(mailbox, folder):
            content = mailbox.content_of_row(message_id, size, parts, recipe)
            for piece in write_mbox(content.chunks(), size, flags, keywords, date):
                file.write(piece)
            count += 1
            advance(1)
        file.flush()
        os.fsync(file.fileno())
    return count


def _write_maildir(
    mailbox: Mailbox, folder: Folder, path: Path, described: ExportedFolder, advance: Advance
) -> tuple[int, ExportedFolder]:
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.name.startswith("."):
        (path / "maildirfolder").touch()
    letters: dict[str, str] = {}
    spelled: list[str] = []
    beyond: dict[str, str] = {}
    count = 0
    for uid, flags, keywords, date, message_id, size, parts, recipe in _rows(mailbox, folder):
        for keyword in keywords.split():
            if keyword.lower() not in letters and keyword.lower() != "$forwarded" and len(letters) < len(_LETTERS):
                letters[keyword.lower()] = _LETTERS[len(letters)]
                spelled.append(keyword)
        base = f"{date}.M{message_id}U{uid}F{folder.id}V{folder.uidvalidity}.{mailbox.id},S={size},W={size}"
        info = info_of(flags, keywords, letters)
        if keyword_text(flags_of(info, {letters[word.lower()]: word for word in spelled})[1]) != keywords:
            beyond[base] = keywords
        target = path / "cur" / (base + info)
        with target.open("xb") as file:
            for piece in mailbox.content_of_row(message_id, size, parts, recipe).chunks():
                file.write(piece)
        os.utime(target, (date, date))
        count += 1
        advance(1)
    if spelled:
        lines = "".join(f"{number} {keyword}\n" for number, keyword in enumerate(spelled))
        (path / "dovecot-keywords").write_text(lines, "utf-8")
    return count, msgspec.structs.replace(described, keywords=tuple(spelled), beyond=beyond)
