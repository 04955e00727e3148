"""Full mailboxes, noticed before the message is sent (RFC 1870 §6.4); the last word is delivery's."""

from collections import OrderedDict

from mailstead.foundation.errors import MailsteadError
from mailstead.protocols.smtp.reply import Reply, reply
from mailstead.protocols.smtp.services import SmtpServices
from mailstead.stores.directory.records import Resolution

_FULL = reply(452, "4.2.2", "Mailbox is full")
_KEPT_SECONDS = 5.0
_KEPT = 1000


class QuotaGate:
    """Looks at each mailbox at most every five seconds; lets pass what it cannot look at."""

    def __init__(self, services: SmtpServices) -> None:
        self._services = services
        self._used: OrderedDict[str, tuple[float, int]] = OrderedDict()

    async def refusal(self, resolution: Resolution, size: int) -> Reply | None:
        """Why a message of the declared `size` has no room, or None."""
        alias = resolution.alias
        if not size or alias is None:
            return None
        quota = alias.quota if alias.quota is not None else self._services.settings.mailbox.quota
        for destination in resolution.destinations:
            if destination.kind == "mailbox" and await self._usage(destination.mailbox_id) + size > quota:
                return _FULL
        return None

    async def _usage(self, mailbox_id: str) -> int:
        now = self._services.clock.monotonic()
        looked_at, used = self._used.get(mailbox_id, (float("-inf"), 0))
        if now - looked_at > _KEPT_SECONDS:
            used = await self._look(mailbox_id)
            self._used[mailbox_id] = (now, used)
            while len(self._used) > _KEPT:
                self._used.popitem(last=False)
        return used

    async def _look(self, mailbox_id: str) -> int:
        mailboxes = self._services.mailboxes
        if mailboxes is None:
            return 0
        try:
            key = await self._services.directory.mailbox_key(mailbox_id)
            if key is None:
                return 0
            with key:
                mailbox = await mailboxes.open(mailbox_id, key)
            return mailbox.usage().size
        except MailsteadError:
            return 0  # delivery will meet the same problem and say so
