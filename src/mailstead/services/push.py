"""Tells browsers of new mail: follows the commits of mailboxes over the bus, and looks into those that browsers ask of."""

import asyncio

import msgspec
import structlog

from mailstead.foundation.errors import MailsteadError
from mailstead.interfaces.reading.listing import MessageRow, message_rows
from mailstead.mail.push.encryption import PLAIN_LIMIT
from mailstead.mail.push.post import PushServices
from mailstead.mail.push.vapid import Vapid
from mailstead.services.definition import Wiring
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.push.subscriptions import PushSubscription, PushSubscriptions

log = structlog.get_logger("mailstead.push")
_CHANNEL = "mailbox."
_PATIENCE = 1.0  # seconds that commits of one mailbox are waited for, so that many messages are told of once
_SUBJECT, _MOST = 200, 50


class News(msgspec.Struct, frozen=True):
    """What the browser shows. `count` new messages, of which `title` and `text` tell the newest; `unseen` of the inbox."""

    title: str
    text: str
    url: str
    count: int
    unseen: int


def push_services(wiring: Wiring) -> PushServices:
    """Posts as this installation."""
    stores = wiring.stores
    return PushServices(
        stores.resolver,
        lambda: wiring.contexts.client(verify=True),
        Vapid(stores.secret, f"postmaster@{wiring.hostname}"),
        stores.clock,
        allowed=stores.settings.web.push_networks,
        timeout=stores.settings.web.push_timeout,
    )


class Pusher:
    """The follower of one process; what was told is claimed, so that of several processes one tells it."""

    def __init__(self, wiring: Wiring, services: PushServices) -> None:
        self._stores = wiring.stores
        self._services = services
        self._subscriptions = PushSubscriptions(wiring.stores.documents, wiring.stores.clock)
        self._changed: set[str] = set()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Follow until cancelled."""
        subscription = await self._stores.bus.subscribe(f"{_CHANNEL}*", self._heard, on_gap=self._lost)
        try:
            self._lost()
            while True:
                await self._wake.wait()
                self._wake.clear()
                await asyncio.sleep(_PATIENCE)
                try:
                    await self._look()
                except (MailsteadError, OSError) as error:
                    log.warning("browsers are not told of new mail now", why=str(error))
        finally:
            subscription.close()

    def _heard(self, channel: str, _: bytes) -> None:
        self._changed.add(channel.removeprefix(_CHANNEL))
        self._wake.set()

    def _lost(self) -> None:
        """Look at all: what was said meanwhile was not heard."""
        self._changed.add("")
        self._wake.set()

    async def _look(self) -> None:
        changed, self._changed = self._changed, set()
        asking = await self._subscriptions.mailboxes()
        for mailbox_id in asking if "" in changed else asking & changed:
            await self._tell(mailbox_id)

    async def _tell(self, mailbox_id: str) -> None:
        """Tell of what came since the last time. A mailbox that is locked and not at hand is told of without words."""
        stores = self._stores
        mailbox = stores.mailboxes.at_hand(mailbox_id)
        key = await stores.directory.mailbox_key(mailbox_id)
        if key is not None:
            with key:
                mailbox = await stores.mailboxes.open(mailbox_id, key)
        if mailbox is None:
            return
        after = await self._subscriptions.told(mailbox_id)
        last, rows, unseen = await stores.mailboxes.run(_news, mailbox, after)
        if last <= after or not await self._subscriptions.tell(mailbox_id, last) or not rows:
            return
        plain = encoded(rows, unseen)
        await asyncio.gather(*(self._post(one, plain) for one in await self._subscriptions.of(mailbox_id)))

    async def _post(self, subscription: PushSubscription, plain: bytes) -> None:
        outcome = await self._services.post(subscription, plain)
        if outcome == "gone":
            await self._subscriptions.remove(subscription.mailbox_id, subscription.id)
        elif outcome == "failed":
            log.info("a browser was not told of new mail", subscription=subscription.id)


def _news(mailbox: Mailbox, after: int) -> tuple[int, list[MessageRow], int]:
    """The last uid of the inbox, what came past `after` and was not read, newest first, and how many were not read."""
    inbox = mailbox.folder("INBOX")
    new = [uid for uid, flags, *_ in mailbox.entries(inbox.id, after) if not flags & 1]
    return inbox.uidnext - 1, message_rows(mailbox, inbox.id, new[-_MOST:]), mailbox.status(inbox.id).unseen


def encoded(rows: list[MessageRow], unseen: int) -> bytes:
    """The message to browsers, as JSON of at most PLAIN_LIMIT octets."""
    newest = rows[0]
    sender = newest.envelope.senders[0].shown if newest.envelope.senders else ""
    news = News(sender[:_SUBJECT], newest.envelope.subject[:_SUBJECT], "/mail/", len(rows), unseen)
    told = msgspec.json.encode(news)
    return told if len(told) <= PLAIN_LIMIT else msgspec.json.encode(News("", "", "/mail/", len(rows), unseen))
