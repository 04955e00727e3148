"""What changed in a mailbox since the last look, as events."""

from collections.abc import Iterator
from typing import Any

import msgspec

from mailstead.interfaces.api.dav import NAME, identifier, text_property
from mailstead.interfaces.api.message_shown import shown
from mailstead.interfaces.reading.listing import message_rows
from mailstead.stores.mailbox.dav.records import Collection, InvalidTokenError, Kind, NoSuchCollectionError
from mailstead.stores.mailbox.errors import NoSuchFolderError
from mailstead.stores.mailbox.flags import NAMES
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import EntryRow, Folder

Event = tuple[str, dict[str, Any]]
_SHOWN_AT_ONCE = 100
_OBJECTS_AT_ONCE = 200
_KINDS: tuple[tuple[Kind, str, str, str, str], ...] = (
    ("calendar", "C", "calendar", "E", "calendarEvent"),
    ("addressbook", "B", "addressBook", "K", "contact"),
)


class Watch:
    """Remembers what was told of one mailbox. `look` runs on a thread."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._folders: dict[int, Folder] = {}
        self._collections: dict[int, Collection] = {}
        self._names: dict[int, str] = {}

    def begin(self) -> None:
        """Take what there is now for known."""
        self._folders = {folder.id: folder for folder in self._mailbox.folders()}
        for kind, *_ in _KINDS:
            for one, properties in self._mailbox.dav.described(kind):
                self._collections[one.id] = one
                self._names[one.id] = text_property(properties, NAME) or one.name

    def look(self) -> list[Event]:
        """What changed since the last look, in order."""
        return [*self._look_at_folders(), *self._look_at_collections()]

    def _look_at_folders(self) -> Iterator[Event]:
        now = {folder.id: folder for folder in self._mailbox.folders()}
        for folder_id, before in self._folders.items():
            if folder_id not in now:
                yield "mailboxDeleted", _told(before)
        for folder_id, folder in now.items():
            known = self._folders.get(folder_id)
            if known is None:
                yield "mailboxCreated", _told(folder)
                known = msgspec.structs.replace(folder, uidnext=1, highestmodseq=0)
            elif known.name != folder.name:
                yield "mailboxRenamed", _told(folder) | {"old_path": known.name}
            if folder.highestmodseq > known.highestmodseq:
                yield from self._look_into(folder, known)
        self._folders = now

    def _look_into(self, folder: Folder, known: Folder) -> Iterator[Event]:
        try:
            changes = self._mailbox.changes(folder.id, known.highestmodseq)
        except NoSuchFolderError:
            return  # gone since: the next look tells
        place = _told(folder)
        if changes.expunged:
            yield "messagesExpunged", place | {"uids": changes.expunged}
        new = [entry[0] for entry in changes.entries if entry[0] >= known.uidnext]
        for start in range(0, len(new), _SHOWN_AT_ONCE):
            for row in reversed(message_rows(self._mailbox, folder.id, new[start : start + _SHOWN_AT_ONCE])):
                message = msgspec.to_builtins(shown(folder.object_id, folder.name, row))
                yield "newMessage", place | {"message": message}
        changed = [_flags(entry) for entry in changes.entries if entry[0] < known.uidnext]
        if changed:
            yield "flagsUpdated", place | {"messages": changed}

    def _look_at_collections(self) -> Iterator[Event]:
        seen: dict[int, Collection] = {}
        for kind, letter, name, object_letter, object_name in _KINDS:
            for one, properties in self._mailbox.dav.described(kind):
                seen[one.id] = one
                known = self._collections.get(one.id)
                title = text_property(properties, NAME) or one.name
                place = {f"{_snake(name)}_id": identifier(letter, one.id), "name": title}
                if known is None:
                    yield f"{name}Created", place
                elif title != self._names.get(one.id):
                    yield f"{name}Updated", place
                self._names[one.id] = title
                if known is not None and one.token > known.token:
                    yield from self._look_at_objects(one, known.token, place, object_letter, object_name)
            for gone in self._collections.values():
                if gone.kind == kind and gone.id not in seen:
                    yield f"{name}Deleted", {f"{_snake(name)}_id": identifier(letter, gone.id)}
        self._names = {number: self._names[number] for number in seen}
        self._collections = seen

    def _look_at_objects(
        self, collection: Collection, since: int, place: dict[str, Any], letter: str, name: str
    ) -> Iterator[Event]:
        try:
            changes = self._mailbox.dav.changes(collection.id, since)
        except (InvalidTokenError, NoSuchCollectionError):
            return
        for start in range(0, len(changes.changed), _OBJECTS_AT_ONCE):
            rows = changes.changed[start : start + _OBJECTS_AT_ONCE]
            contents = self._mailbox.dav.read([row.id for row in rows])
            for row in rows:
                content = contents.get(row.id, b"").decode("utf-8", "replace")
                told = {"id": identifier(letter, row.id), "uid": row.uid, "etag": row.etag}
                yield f"{name}Updated", place | told | {"ical" if letter == "E" else "content": content}
        for gone in changes.deleted:
            yield f"{name}Deleted", place | {"path": gone}


def _told(folder: Folder) -> dict[str, Any]:
    return {"folder_id": folder.object_id, "path": folder.name, "modify_index": folder.highestmodseq}


def _flags(entry: EntryRow) -> dict[str, Any]:
    uid, bits, keywords, modseq = entry
    flags = [name for bit, name in NAMES.items() if bits & bit]
    return {"uid": uid, "flags": flags, "labels": keywords.split(), "modify_index": modseq}


def _snake(name: str) -> str:
    return "address_book" if name == "addressBook" else name
