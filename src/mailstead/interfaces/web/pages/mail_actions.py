"""What is done with messages: marked, moved, erased, each to be undone; and the good-bye to a list."""

from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from litestar import Controller, Request, Response, post
from litestar.exceptions import NotFoundException

from mailstead.administration.snoozing import snooze
from mailstead.formats.message.compose import text_message
from mailstead.foundation.errors import InvalidError, TemporaryError
from mailstead.foundation.identifiers import new_ulid
from mailstead.interfaces.identity import Identity
from mailstead.interfaces.reading.listing import as_ranges, message_rows
from mailstead.interfaces.reading.message import read_message
from mailstead.interfaces.reading.unsubscribe import Unsubscribe, letter_of, unsubscribe_of
from mailstead.interfaces.web.pages.login import local_path, moved
from mailstead.interfaces.web.pages.mail import opened
from mailstead.interfaces.web.services import WebServices
from mailstead.interfaces.web.snoozing import time_given
from mailstead.interfaces.web.undoing import remember, seen_or_flagged, take_back
from mailstead.interfaces.web.zone import zone_of
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.mailbox import Mailbox

_DIGITS = 10
_FLAGS: dict[str, tuple[Literal["add", "remove"], Flag]] = {
    "seen": ("add", Flag.SEEN),
    "unseen": ("remove", Flag.SEEN),
    "flag": ("add", Flag.FLAGGED),
    "unflag": ("remove", Flag.FLAGGED),
}
_MOVES = {"archive": "\\Archive", "junk": "\\Junk", "trash": "\\Trash", "inbox": "INBOX"}


class Deed(msgspec.Struct, frozen=True):
    """What to do with which messages; `whole` conversations of theirs when that is so."""

    action: str
    uids: list[int]
    target: int
    whole: bool


def _number(text: str) -> int:
    """Raises InvalidError when it is no number of a message or folder."""
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
        raise InvalidError("This is no message's number")
    return int(text)


def _meant(mailbox: Mailbox, folder_id: int, deed: Deed) -> list[int]:
    """Ascending uids of the messages that the deed is about."""
    return mailbox.whole_threads(folder_id, deed.uids) if deed.whole else sorted(set(deed.uids))


def _carry_out(mailbox: Mailbox, folder_id: int, deed: Deed) -> str:
    """Do it; returns the id to undo it by. Raises InvalidError for an action that there is not."""
    uids = _meant(mailbox, folder_id, deed)
    if not uids:
        return ""
    if deed.action in _FLAGS:
        operation, flag = _FLAGS[deed.action]
        having = seen_or_flagged(mailbox, folder_id, uids, flag)
        changing = [uid for uid in uids if (uid in having) == (operation == "remove")]
        if not changing:
            return ""
        mailbox.store(folder_id, as_ranges(changing), operation, flag)
        return remember(
            mailbox, deed.action, "remove" if operation == "add" else "add", folder_id, changing, flag=int(flag)
        )
    if deed.action == "erase":
        mailbox.remove(folder_id, uids)
        return remember(mailbox, deed.action, "restore", folder_id, uids)
    target = _target(mailbox, deed)
    if target == folder_id:
        return ""
    pairs = mailbox.move(folder_id, as_ranges(uids), target).pairs
    return remember(mailbox, deed.action, "move", target, [new for _, new in pairs], back=folder_id)


def _target(mailbox: Mailbox, deed: Deed) -> int:
    """The folder that a move leads to, made when it lacks."""
    if deed.action == "move":
        return mailbox.folder_by_id(deed.target).id
    wanted = _MOVES.get(deed.action)
    if wanted is None:
        raise InvalidError("This cannot be done with messages")
    for folder in mailbox.folders():
        if wanted in (folder.name, folder.special_use):
            return folder.id
    return mailbox.create_folder(wanted.lstrip("\\"), wanted).id


def with_query(path: str, **more: str) -> str:
    """The local path with `more` in its query in place of what it had under those names."""
    parts = urlsplit(path)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name not in (*more, "done", "told")]
    query = urlencode([*kept, *((name, value) for name, value in more.items() if value)])
    return parts.path + (f"?{query}" if query else "")


class MailActionPages(Controller):
    """/mail/f/FOLDER/do and /mail/undo"""

    path = "/mail"
    include_in_schema = False

    @post("/f/{folder_id:int}/do", status_code=200)
    async def do(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity, folder_id: int
    ) -> Response[bytes]:
        """Mark, move or erase messages; one transaction."""
        form = await request.form()
        into = str(form.get("into") or "")
        deed = Deed(
            action="move" if into else str(form.get("action", "")),
            uids=[_number(str(value)) for value in form.getall("uid", [])],
            target=_number(into or "0"),
            whole=bool(form.get("whole")),
        )
        mailbox = await opened(services, identity)
        chosen = str(form.get("snooze") or "")
        if chosen or deed.action == "snooze":
            wake_at = time_given(chosen, str(form.get("snooze_at") or ""), zone_of(request))
            done = await self._snooze(services, mailbox, folder_id, deed, wake_at)
        else:
            done = await services.api.mailboxes.run(_carry_out, mailbox, folder_id, deed)
        return moved(with_query(local_path(str(form.get("back", ""))), done=done))

    @staticmethod
    async def _snooze(services: WebServices, mailbox: Mailbox, folder_id: int, deed: Deed, wake_at: float) -> str:
        """Put off; returns the id to undo it by, empty for those that slept already."""
        run = services.api.mailboxes.run
        uids = await run(_meant, mailbox, folder_id, deed)
        if not uids:
            return ""
        folder, copied = await snooze(services.api.administration, mailbox, folder_id, uids, wake_at)
        if folder.id == folder_id:
            return ""
        there = [new for _, new in copied.pairs]
        return await run(remember, mailbox, "snooze", "move", folder.id, there, back=folder_id)

    @post("/folders/add", status_code=200)
    async def add_folder(
        self, request: Request[Any, Any, Any], services: WebServices, identity: Identity
    ) -> Response[bytes]:
        """Make a folder."""
        name = str((await request.form()).get("name", "")).strip()
        mailbox = await opened(services, identity)
        folder = await services.api.mailboxes.run(mailbox.create_folder, name)
        return moved(f"/mail/f/{folder.id}")

    @post("/undo", status_code=200)
    async def undo(self, request: Request[Any, Any, Any], services: WebServices, identity: Identity) -> Response[bytes]:
        """Take back what was done last."""
        form = await request.form()
        mailbox = await opened(services, identity)
        was_done = await services.api.mailboxes.run(take_back, mailbox, str(form.get("id", "")))
        return moved(with_query(local_path(str(form.get("back", ""))), told="undone" if was_done else "late"))

    @post("/f/{folder_id:int}/m/{uid:int}/unsubscribe", status_code=200)
    async def unsubscribe(self, services: WebServices, identity: Identity, folder_id: int, uid: int) -> Response[bytes]:
        """Say good-bye to the list by its own way."""
        mailbox = await opened(services, identity)
        found = await services.api.mailboxes.run(_unsubscribe, mailbox, folder_id, uid)
        back = f"/mail/f/{folder_id}/m/{uid}"
        if found.way == "post":
            try:
                told = "gone" if await services.outside.unsubscribe(found.target) else "stays"
            except TemporaryError:
                told = "stays"
            return moved(with_query(back, told=told))
        if found.way == "page":
            raise NotFoundException
        address, subject, text = letter_of(found.target)
        now = services.api.clock.now()
        message_id = f"{new_ulid(now)}@{identity.address.rpartition('@')[2]}"
        try:
            message = text_message(
                sender=identity.address, recipient=address, subject=subject, text=text, message_id=message_id, now=now
            )
        except ValueError:
            raise InvalidError("The list names an address that is none") from None
        await services.api.agent.submit(
            user_id=identity.actor.user_id,
            sender=identity.address,
            recipients=[address],
            message=message,
            service="web",
        )
        return moved(with_query(back, told="gone"))


def _unsubscribe(mailbox: Mailbox, folder_id: int, uid: int) -> Unsubscribe:
    rows = message_rows(mailbox, folder_id, [uid])
    found = unsubscribe_of(read_message(mailbox.content(int(rows[0].id[1:])), rows[0])) if rows else None
    if found is None:
        raise NotFoundException
    return found
