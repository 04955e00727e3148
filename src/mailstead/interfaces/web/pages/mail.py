"""Webmail: folders, a window of a list, and a conversation beside it."""

from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from litestar import Controller, Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import QueryParameter

from mailstead.interfaces.identity import Identity
from mailstead.interfaces.reading.conversations import Window, conversations, flat, thread_places
from mailstead.interfaces.reading.listing import MessageRow, listing, message_rows
from mailstead.interfaces.reading.query import read_query
from mailstead.interfaces.web.letters import LetterShown, read_letter
from mailstead.interfaces.web.pages.login import moved
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.snoozing import snooze_times
from mailstead.interfaces.web.templates import render
from mailstead.interfaces.web.undoing import Done, last_done
from mailstead.interfaces.web.zone import zone_of
from mailstead.stores.mailbox.errors import NoSuchFolderError
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import Folder, FolderStatus

SNOOZED = "\\Snoozed"
_ORDER = ("INBOX", SNOOZED, "\\Drafts", "\\Sent", "\\Archive", "\\Junk", "\\Trash")
_ICONS = {
    SNOOZED: "clock",
    "\\Drafts": "drafts",
    "\\Sent": "sent",
    "\\Archive": "archive",
    "\\Junk": "junk",
    "\\Trash": "trash",
}
_ASIDE = ("\\Junk", "\\Trash")
_EACH_ITSELF = ("\\Drafts", "\\Sent")
Query = Annotated[str, QueryParameter(name="q", max_length=500)]
Offset = Annotated[int, QueryParameter(name="offset", ge=0, le=100_000_000)]
Identifier = Annotated[str, QueryParameter(max_length=40)]


class FolderShown(msgspec.Struct, frozen=True):
    """A folder in the list beside the mail; `icon` names a symbol of the sprite."""

    id: int
    name: str
    label: str
    icon: str
    depth: int
    special_use: str
    unseen: int
    messages: int


class View(msgspec.Struct, frozen=True):
    """What the mail page shows; `row` is the message that was opened, `letters` its conversation, `wakes` when messages
    of the folder come back, by uid; `modseq` is the mailbox's of before the lists were read."""

    folders: list[FolderShown]
    folder: FolderShown
    window: Window
    is_threaded: bool
    row: MessageRow | None
    letters: list[LetterShown]
    done: Done | None
    wakes: dict[int, int]
    modseq: int

    @property
    def own_uids(self) -> list[int]:
        """Uids of the conversation in the folder that is open."""
        return [letter.uid for letter in self.letters if letter.folder_id == self.folder.id]


def _rank(folder: Folder) -> tuple[int, str]:
    key = "INBOX" if folder.name == "INBOX" else folder.special_use
    return (_ORDER.index(key) if key in _ORDER else len(_ORDER), folder.name.casefold())


def shown_folders(mailbox: Mailbox) -> list[FolderShown]:
    """All folders with their counts. Runs on a thread."""
    found = []
    for folder in sorted(mailbox.folders(), key=_rank):
        status: FolderStatus = mailbox.status(folder.id)
        icon = "inbox" if folder.name == "INBOX" else _ICONS.get(folder.special_use, "folder")
        label = folder.name.rpartition("/")[2]
        depth = folder.name.count("/")
        found.append(
            FolderShown(folder.id, folder.name, label, icon, depth, folder.special_use, status.unseen, status.messages)
        )
    return found


class Wanted(msgspec.Struct, frozen=True):
    """What is asked for."""

    folder_id: int
    uid: int | None
    query: str
    offset: int
    limit: int
    hostname: str
    done: str
    me: str = ""


def _view(mailbox: Mailbox, wanted: Wanted) -> View:
    """Everything the page needs, in one go on a thread."""
    folders = shown_folders(mailbox)
    folder = next((one for one in folders if one.id == wanted.folder_id), None)
    if folder is None:
        raise NoSuchFolderError
    row: MessageRow | None = None
    letters: list[LetterShown] = []
    modseq = mailbox.modseq()
    if wanted.uid is not None:
        row, letters = _conversation(mailbox, folders, folder, wanted)
        modseq = mailbox.modseq()
        folders = shown_folders(mailbox)  # what was opened counts as read
    is_threaded = not wanted.query.strip() and folder.special_use not in _EACH_ITSELF
    if is_threaded:
        window = conversations(mailbox, folder.id, offset=wanted.offset, limit=wanted.limit)
    else:
        criterion = read_query(wanted.query)
        found = listing(mailbox, folder.id, offset=wanted.offset, limit=wanted.limit, criterion=criterion)
        window = flat(found.rows, found.total, wanted.offset, wanted.limit)
    wakes = {}
    if folder.special_use == SNOOZED:
        wakes = {one.uid: one.wake_at for one in mailbox.snoozed.asleep() if one.folder_id == folder.id}
    return View(folders, folder, window, is_threaded, row, letters, last_done(mailbox, wanted.done), wakes, modseq)


def _conversation(
    mailbox: Mailbox, folders: list[FolderShown], folder: FolderShown, wanted: Wanted
) -> tuple[MessageRow, list[LetterShown]]:
    """The message and its thread; what is shown open counts as read."""
    rows = message_rows(mailbox, folder.id, [wanted.uid or 0])
    if not rows:
        raise NotFoundException
    row = rows[0]
    aside = {one.id for one in folders if one.special_use in _ASIDE and one.id != folder.id}
    places = [(folder.id, row.uid)]
    if folder.special_use not in _EACH_ITSELF:
        places = thread_places(mailbox, folder.id, row.thread_id, aside) or places
    letters = []
    for folder_id, uid in places:
        for one in message_rows(mailbox, folder_id, [uid]):
            is_asked_for = (folder_id, uid) == (folder.id, row.uid)
            is_open = is_asked_for or not one.is_seen
            if not one.is_seen:
                mailbox.store(folder_id, [(uid, uid)], "add", Flag.SEEN)
            letters.append(read_letter(mailbox, folder_id, one, wanted.hostname, is_open=is_open, me=wanted.me))
    return row, letters


async def opened(services: WebServices, identity: Identity) -> Mailbox:
    """The mailbox of the session."""
    assert identity.key is not None
    return await services.api.mailboxes.open(identity.mailbox_id, identity.key)


class MailPages(Controller):
    """/mail"""

    path = "/mail"
    include_in_schema = False

    @get("/")
    async def inbox(self, services: WebServices, identity: Identity) -> Response[bytes]:
        """The inbox."""
        mailbox = await opened(services, identity)
        folder = await services.api.mailboxes.run(mailbox.folder, "INBOX")
        return moved(f"/mail/f/{folder.id}")

    @get(["/f/{folder_id:int}", "/f/{folder_id:int}/m/{uid:int}"])
    async def show(
        self,
        request: Request[Any, Any, Any],
        services: WebServices,
        identity: Identity,
        folder_id: int,
        uid: int | None = None,
        q: Query = "",
        offset: Offset = 0,
        done: Identifier = "",
        pictures: Annotated[str, QueryParameter(max_length=5)] = "",
        told: Annotated[str, QueryParameter(max_length=20)] = "",
        sent: Identifier = "",
        folders: Annotated[str, QueryParameter(max_length=5)] = "",
    ) -> Response[bytes]:
        """A folder, and a conversation of it."""
        mailbox = await opened(services, identity)
        wanted = Wanted(
            folder_id,
            uid,
            q,
            offset,
            services.api.settings.web.list_window,
            services.api.hostname,
            done,
            identity.address.lower(),
        )
        view = await services.api.mailboxes.run(_view, mailbox, wanted)
        zone = zone_of(request)
        usage = await services.api.mailboxes.run(mailbox.usage)
        kept = urlencode({name: value for name, value in (("q", q), ("offset", offset)) if value})
        return render(
            request,
            services,
            "mail/mail.html",
            identity=identity,
            view=view,
            query=q,
            kept=f"?{kept}" if kept else "",
            usage=usage,
            quota=services.api.settings.mailbox.quota,
            pictures=bool(pictures),
            told=told,
            sent=sent,
            is_choosing=bool(folders),
            snooze_times=snooze_times(services.api.clock.now(), zone),
            zone=zone.key,
        )
