"""What a client is told unasked, of mailboxes that it has not selected too (RFC 5465).

The bus only wakes the session; what happened is found by comparing the folders with how they were when last told.
"""

from typing import TYPE_CHECKING

import msgspec

from mailstead.protocols.imap.commands.listing import Listing, Names, list_line
from mailstead.protocols.imap.commands.status import status_line
from mailstead.protocols.imap.fetch.blocks import Changed, blocks
from mailstead.protocols.imap.grammar.fetch import FetchItems
from mailstead.protocols.imap.grammar.names import shown
from mailstead.stores.bus.interface import Subscription
from mailstead.stores.mailbox.errors import NoSuchFolderError
from mailstead.stores.mailbox.records import Folder

if TYPE_CHECKING:
    from mailstead.protocols.imap.session import Session

_SEALED = b"0"
_LISTED = Listing("", ("",), returns=frozenset({"SUBSCRIBED"}), extended=True)


class EventGroup(msgspec.Struct, frozen=True):
    """Which mailboxes, and which events of them (in capitals); `fetch` is told of new messages."""

    filter: str
    names: tuple[str, ...]
    events: frozenset[str]
    fetch: FetchItems | None = None

    def covers(self, name: str, subscribed: bool) -> bool:
        """Whether a mailbox is among them."""
        match self.filter:
            case "PERSONAL":
                return True
            case "INBOXES":  # where delivery and filters put mail
                return name == "INBOX" or name.startswith("INBOX/")
            case "SUBSCRIBED":
                return subscribed
            case "MAILBOXES":
                return name in self.names
            case "SUBTREE":
                return any(name == top or name.startswith(f"{top}/") for top in self.names)
            case _:
                return False


class _Seen(msgspec.Struct, frozen=True):
    """The folders as they were told last."""

    folders: dict[int, tuple[Folder, int]]  # with the number of messages
    subscribed: set[str]
    metadata: dict[tuple[int, str], bytes]


class Notifications:
    """What one session asked for; see `begin`."""

    def __init__(self, session: "Session", groups: tuple[EventGroup, ...]) -> None:
        self._session = session
        self._groups = groups
        self._seen = self._read()
        self._subscription: Subscription | None = None
        self._sealed = False
        self.waiting = False

    @staticmethod
    async def begin(session: "Session", groups: tuple[EventGroup, ...]) -> "Notifications":
        """Follow the mailbox from now on."""
        made = Notifications(session, groups)
        channel = f"mailbox.{session.opened.id}"
        made._subscription = await session.services.bus.subscribe(channel, made._note, on_gap=made._missed)
        return made

    def end(self) -> None:
        """Follow no longer."""
        if self._subscription is not None:
            self._subscription.close()

    def _note(self, _: str, payload: bytes) -> None:
        self._sealed = self._sealed or payload == _SEALED
        self._missed()

    def _missed(self) -> None:
        self.waiting = True
        self._session.connection.interrupt()

    def _read(self) -> _Seen:
        opened = self._session.opened
        folders = {folder.id: (folder, messages) for folder, messages in opened.overview()}
        return _Seen(folders, opened.subscriptions(), opened.all_metadata())

    def _events(self, name: str, seen: _Seen) -> frozenset[str]:
        """The events of a mailbox that are wanted: the first group that covers it decides."""
        for group in self._groups:
            if group.covers(name, name in seen.subscribed):
                return group.events
        return frozenset()

    def _is_selected(self, folder_id: int) -> bool:
        return self._session.view is not None and self._session.view.folder.id == folder_id

    def status(self) -> bytes:
        """STATUS of all mailboxes whose messages are followed."""
        followed = [
            folder
            for folder, _ in self._seen.folders.values()
            if "MESSAGENEW" in self._events(folder.name, self._seen) and not self._is_selected(folder.id)
        ]
        return b"".join(map(self._status, followed))

    def _status(self, folder: Folder) -> bytes:
        items: tuple[str, ...] = ("MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN")
        if self._session.enabled.condstore:
            items = (*items, "HIGHESTMODSEQ")
        try:
            return status_line(self._session, folder, items)
        except NoSuchFolderError:
            return b""  # deleted meanwhile: the next look tells that

    async def look(self) -> None:
        """Tell what happened since. Raises ClosedError when the selected mailbox was deleted."""
        self.waiting = False
        session = self._session
        if self._sealed:
            self._sealed = False
            await session.run(session.opened.ingest)
        await self._tell_selected()
        before, now = self._seen, await session.run_short(self._read)
        self._seen = now
        names = Names([folder for folder, _ in now.folders.values()], now.subscribed)
        told = [
            *self._mailbox_names(before, now, names),
            *self._subscriptions(before, now, names),
            *self._messages(before, now),
            *self._metadata(before, now),
        ]
        session.write(b"".join(told))

    async def _tell_selected(self) -> None:
        session = self._session
        group = next((group for group in self._groups if group.filter.startswith("SELECTED")), None)
        if session.view is None or group is None or "MESSAGENEW" not in group.events:
            return
        view = session.view
        last = view.uids[-1] if view.uids else 0
        session.tell_changes(expunges=group.filter == "SELECTED")
        fresh = view.uid_slices([(last + 1, 2**32 - 1)])
        if group.fetch is not None and fresh:
            made = blocks(view, fresh, group.fetch, Changed({}), session.enabled)
            while (block := await session.run_short(next, made, None)) is not None:
                session.write(block.data)
                await session.flush()

    def _messages(self, before: _Seen, now: _Seen) -> list[bytes]:
        told = []
        for folder, messages in now.folders.values():
            old = before.folders.get(folder.id)
            events = self._events(folder.name, now)
            if old is None or self._is_selected(folder.id) or old[0].highestmodseq == folder.highestmodseq:
                continue
            arrived_or_left = old[0].uidnext != folder.uidnext or old[1] != messages
            if "FLAGCHANGE" in events or (arrived_or_left and "MESSAGENEW" in events):
                told.append(self._status(folder))
        return told

    def _mailbox_names(self, before: _Seen, now: _Seen, names: Names) -> list[bytes]:
        told = []
        for folder_id in sorted(before.folders.keys() | now.folders.keys()):
            old, new = before.folders.get(folder_id), now.folders.get(folder_id)
            if old is not None and new is not None and old[0].name == new[0].name:
                continue
            name = (new or old or (Folder(0, "", "", 0, 0, 0, ""), 0))[0].name
            if "MAILBOXNAME" not in self._events(name, now):
                continue
            renamed = old[0].name if old is not None and new is not None else ""
            line = list_line(self._session, names, name, _LISTED, [])
            if renamed:
                utf8 = self._session.enabled.utf8
                line = line[:-2] + b' ("OLDNAME" (%b))\r\n' % shown(renamed, utf8)
            told.append(line)
        return told

    def _subscriptions(self, before: _Seen, now: _Seen, names: Names) -> list[bytes]:
        return [
            list_line(self._session, names, name, _LISTED, [])
            for name in sorted(before.subscribed ^ now.subscribed)
            if "SUBSCRIPTIONCHANGE" in self._events(name, now) | self._events(name, before)
        ]

    def _metadata(self, before: _Seen, now: _Seen) -> list[bytes]:
        """Entries that changed, without their values (RFC 5464 §4.4.2)."""
        changed: dict[int, list[bytes]] = {}
        for key in sorted(before.metadata.keys() | now.metadata.keys()):
            if before.metadata.get(key) != now.metadata.get(key):
                changed.setdefault(key[0], []).append(key[1].encode())
        told = []
        for folder_id, entries in changed.items():
            held = now.folders.get(folder_id)
            name = held[0].name if held is not None else ""
            if folder_id and held is None:
                continue  # went with its mailbox
            wanted = "MAILBOXMETADATACHANGE" in self._events(name, now)
            if not folder_id:
                wanted = any("SERVERMETADATACHANGE" in group.events for group in self._groups)
            if wanted:
                told.append(b"* METADATA %b %b\r\n" % (shown(name, self._session.enabled.utf8), b" ".join(entries)))
        return told
