"""Lessons of mailboxes: read what was moved into and out of Junk, have the mailbox and the server learn it.

The server learns with a mailbox only when it may read it anyhow: what the owner of a locked mailbox (zero-access)
moves stays in that mailbox's own encrypted file.
"""

import asyncio

import structlog

from mailstead.formats.message.part import Bounds
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import MailsteadError, NotFoundError
from mailstead.mail.screening.junk.features import Features
from mailstead.mail.screening.junk.learning import Learning
from mailstead.mail.screening.view import View
from mailstead.stores.directory.directory import Directory
from mailstead.stores.mailbox.lessons import Lesson
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.mailboxes import Mailboxes

log = structlog.get_logger("mailstead.screening")
_AT_ONCE = 20


class Teacher:
    """Called by mailboxes; make it on the event loop."""

    def __init__(self, directory: Directory, settings: Settings, features: Features, learning: Learning) -> None:
        self._directory = directory
        self._settings = settings.junk
        mime = settings.mime
        self._bounds = Bounds(
            nesting=mime.nesting, parts=mime.parts, header_size=mime.header_size, addresses=mime.addresses
        )
        self._features = features
        self._learning = learning
        self._loop = asyncio.get_running_loop()
        self._mailboxes: Mailboxes | None = None
        self._called: set[str] = set()
        self._teaching = asyncio.Lock()  # one mailbox after the other
        self._task: asyncio.Task[None] | None = None

    def follow(self, mailboxes: Mailboxes) -> None:
        """Teach these mailboxes from now on."""
        self._mailboxes = mailboxes

    def called(self, mailbox_id: str) -> None:
        """A move taught something; called on any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._begin, mailbox_id)

    def _begin(self, mailbox_id: str) -> None:
        self._called.add(mailbox_id)
        if self._task is None:
            self._task = self._loop.create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._called and self._mailboxes is not None:
                mailbox = self._mailboxes.at_hand(self._called.pop())
                if mailbox is not None:
                    await self._try(mailbox)
        finally:
            self._task = None

    async def _try(self, mailbox: Mailbox) -> None:
        try:
            await self.teach(mailbox)
        except (MailsteadError, OSError) as error:
            log.warning("lessons put off", mailbox=mailbox.id, why=str(error))

    async def teach(self, mailbox: Mailbox) -> int:
        """Have all lessons that wait learned; how many they were. Raises MailsteadError of the mailbox."""
        async with self._teaching:
            return await self._teach(mailbox)

    async def _teach(self, mailbox: Mailbox) -> int:
        assert self._mailboxes is not None
        alias = await self._directory.alias_of_mailbox(mailbox.id)
        shares = self._settings.learn_from_moves and alias is not None and not alias.is_locked
        total = 0
        while True:
            waiting = await self._mailboxes.run(mailbox.lessons, _AT_ONCE)
            for lesson in waiting:
                total += await self._learn(mailbox, lesson, shares=shares)
            if not waiting and not await self._mailboxes.run(mailbox.note_baseline):
                return total

    async def _learn(self, mailbox: Mailbox, lesson: Lesson, *, shares: bool) -> int:
        assert self._mailboxes is not None
        features = await self._mailboxes.run(self._read, mailbox, lesson.message_id)
        if not await self._mailboxes.run(mailbox.learn, lesson, features, self._settings.mailbox_features):
            return 0
        if shares and features:
            if lesson.learned is not None:
                self._learning.soon(features, junk=lesson.learned, forget=True)
            if lesson.junk is not None:
                self._learning.soon(features, junk=lesson.junk)
        return 1

    def _read(self, mailbox: Mailbox, message_id: int) -> tuple[int, ...]:
        try:
            raw = mailbox.content(message_id).read()
        except NotFoundError:
            return ()  # removed meanwhile: there is nothing to learn
        return self._features.of(View(raw, self._bounds, self._settings.text_limit))

    async def close(self) -> None:
        """Finish what was begun."""
        while self._task is not None:
            await asyncio.wait((self._task,))
