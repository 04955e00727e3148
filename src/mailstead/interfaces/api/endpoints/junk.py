"""Junk of a mailbox: what it learned, and lessons."""

import msgspec
from litestar import Controller, delete, get, post

from mailstead.administration.junk import JunkStatus, forget_junk, junk_status
from mailstead.foundation.errors import NotFoundError
from mailstead.interfaces.api.access import MAILBOX
from mailstead.interfaces.api.mailbox import opened, places
from mailstead.interfaces.api.services import ApiServices
from mailstead.interfaces.identity import Identity
from mailstead.stores.mailbox.folders import INBOX
from mailstead.stores.mailbox.mailbox import Mailbox


class Lesson(msgspec.Struct, frozen=True):
    """A message and what it is."""

    message_id: str
    is_junk: bool


class Learned(msgspec.Struct, frozen=True):
    """Where the message is now: its move was the lesson."""

    message_id: str
    folder: str
    object: str = "lesson"


def _teach(mailbox: Mailbox, lesson: Lesson) -> Learned:
    junk = next((folder for folder in mailbox.folders() if folder.special_use == "\\Junk"), None)
    if junk is None:
        raise NotFoundError("The mailbox has no folder for junk")
    target = junk if lesson.is_junk else mailbox.folder(INBOX)
    for folder_id, uid in places(mailbox, lesson.message_id):
        if lesson.is_junk != (folder_id == junk.id):
            mailbox.move(folder_id, [(uid, uid)], target.id)
    folder_id, _ = places(mailbox, lesson.message_id)[0]
    return Learned(lesson.message_id, mailbox.folder_by_id(folder_id).name)


class JunkController(Controller):
    """/junk"""

    path = "/junk"
    tags = ("Screening",)
    opt = {"access": MAILBOX}

    @get("/", summary="What the mailbox learned of junk")
    async def show(self, identity: Identity, services: ApiServices) -> JunkStatus:
        """Whether it filters, from how many points, and how many messages it learned from."""
        return await junk_status(services.administration, identity.actor, identity.address, identity.key)

    @post("/", status_code=200, summary="Tell whether a message is junk")
    async def teach(self, data: Lesson, identity: Identity, services: ApiServices) -> Learned:
        """It is moved into Junk or out of it; that is what the mailbox learns from, over IMAP too."""
        return await services.mailboxes.run(_teach, await opened(services, identity), data)

    @delete("/", status_code=204, summary="Forget what was learned")
    async def forget(self, identity: Identity, services: ApiServices) -> None:
        """The mailbox begins anew."""
        await forget_junk(services.administration, identity.actor, identity.address, identity.key)
