"""Export of a mailbox as Maildir++ or mbox: streaming, byte for byte, flags, dates and folders kept."""

import os
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from mailstead.administration.actor import Actor, Administration
from mailstead.administration.opening import opened_mailbox
from mailstead.administration.transfer.entry import Entry
from mailstead.administration.transfer.layout import FILE, Export, ExportedFolder, path_name
from mailstead.formats.archive.maildir import flags_of, info_of
from mailstead.formats.archive.mbox import write_mbox
from mailstead.foundation.errors import InvalidError
from mailstead.stores.mailbox.entries import UID_MOST
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
    """Write the export of the mail. Raises OSError."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    count = 0

    def counted(messages: int) -> None:
        nonlocal count
        count += messages
        advance(messages)

    for entry in mail_entries(mailbox, address, form, int(time.time()), counted):
        path = root / entry.path
        if entry.path.endswith("/"):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            continue
        with path.open("xb") as file:
            file.writelines(entry.pieces)
            if form == "mbox" or entry.path == FILE:
                file.flush()
                os.fsync(file.fileno())
        os.utime(path, (entry.moment, entry.moment))
    return count


def mail_entries(mailbox: Mailbox, address: str, form: Format, now: int, advance: Advance) -> Iterator[Entry]:
    """The files of an export of the mail; `advance` is told of each message as it is read."""
    subscribed = mailbox.subscriptions()
    described: list[ExportedFolder] = []
    taken: set[str] = set()
    for folder in mailbox.folders():
        name = path_name(folder.name, taken)
        path = f"{name}.mbox" if form == "mbox" else "." if folder.name == INBOX else f".{name}"
        one = ExportedFolder(folder.name, path, folder.special_use, folder.name in subscribed)
        if form == "mbox":
            yield Entry(path, now, _mbox(mailbox, folder, advance))
        else:
            one = yield from _maildir(mailbox, folder, one, now, advance)
        described.append(one)
    text = msgspec.json.format(msgspec.json.encode(Export(form, address, tuple(described)))) + b"\n"
    yield Entry(FILE, now, (text,))


def _rows(mailbox: Mailbox, folder: Folder) -> Iterator[tuple[Any, ...]]:
    for rows in mailbox.rows(folder.id, [(1, UID_MOST)], _COLUMNS, _ROWS):
        yield from rows


def _mbox(mailbox: Mailbox, folder: Folder, advance: Advance) -> Iterator[bytes]:
    for _, flags, keywords, date, message_id, size, parts, recipe in _rows(mailbox, folder):
        content = mailbox.content_of_row(message_id, size, parts, recipe)
        yield from write_mbox(content.chunks(), size, flags, keywords, date)
        advance(1)


def _maildir(
    mailbox: Mailbox, folder: Folder, described: ExportedFolder, now: int, advance: Advance
) -> Generator[Entry, None, ExportedFolder]:
    below = "" if described.path == "." else f"{described.path}/"
    for name in ("cur", "new", "tmp"):
        yield Entry(f"{below}{name}/", now)
    if below:
        yield Entry(f"{below}maildirfolder", now)
    letters: dict[str, str] = {}
    spelled: list[str] = []
    beyond: dict[str, str] = {}
    for uid, flags, keywords, date, message_id, size, parts, recipe in _rows(mailbox, folder):
        for keyword in keywords.split():
            if keyword.lower() not in letters and keyword.lower() != "$forwarded" and len(letters) < len(_LETTERS):
                letters[keyword.lower()] = _LETTERS[len(letters)]
                spelled.append(keyword)
        base = f"{date}.M{message_id}U{uid}F{folder.id}V{folder.uidvalidity}.{mailbox.id},S={size},W={size}"
        info = info_of(flags, keywords, letters)
        if keyword_text(flags_of(info, {letters[word.lower()]: word for word in spelled})[1]) != keywords:
            beyond[base] = keywords
        content = mailbox.content_of_row(message_id, size, parts, recipe)
        yield Entry(f"{below}cur/{base}{info}", date, content.chunks())
        advance(1)
    if spelled:
        lines = "".join(f"{number} {keyword}\n" for number, keyword in enumerate(spelled))
        yield Entry(f"{below}dovecot-keywords", now, (lines.encode(),))
    return msgspec.structs.replace(described, keywords=tuple(spelled), beyond=beyond)
