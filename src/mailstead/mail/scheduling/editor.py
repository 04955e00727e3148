"""Calendars changed by programs of this server, the web and the API: stored and told, as over CalDAV."""

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.mail.scheduling.implicit import ImplicitScheduling, ScheduledChange
from mailstead.mail.scheduling.storing import limits_of, to_store
from mailstead.stores.mailbox.dav.records import NoSuchObjectError, ObjectRow, PreconditionFailedError
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.mailboxes import Mailboxes


class CalendarEditor:
    """Changes objects of calendars."""

    def __init__(self, scheduling: ImplicitScheduling, mailboxes: Mailboxes, settings: Settings, clock: Clock) -> None:
        self._scheduling = scheduling
        self._mailboxes = mailboxes
        self._clock = clock
        self._bounds = limits_of(settings.dav, settings.scheduling.inbox).content

    async def put(
        self,
        mailbox: Mailbox,
        collection_id: int,
        name: str,
        data: bytes,
        *,
        service: str,
        if_match: str | None = None,
        quota: int | None = None,
    ) -> ObjectRow:
        """Store an object; `if_match` is the ETag that it is to replace, None for whatever is there.

        Raises ContentError, SchedulingRefusedError, PreconditionFailedError, UidConflictError, OverQuotaError,
        NoSuchCollectionError.
        """
        new = to_store(name, data, self._bounds)
        old, old_data = await self._read(mailbox, collection_id, name)
        if if_match is not None and (old is None or old.etag != if_match):
            raise PreconditionFailedError
        change = ScheduledChange(mailbox, collection_id, old, old_data, new)
        decision = await self._scheduling.decide(change, service)
        row, _ = await self._mailboxes.run(
            mailbox.dav.put,
            collection_id,
            decision.new or new,
            self._clock.now(),
            if_match=None if old is None else old.etag,
            if_none_match=old is None,
            quota=quota,
            owes=decision.owes,
        )
        if not decision.owes:
            return row
        await self._scheduling.carry(mailbox, decision.owes)
        return await self._mailboxes.run_short(mailbox, mailbox.dav.find, collection_id, name) or row

    async def delete(
        self,
        mailbox: Mailbox,
        collection_id: int,
        name: str,
        *,
        service: str,
        if_match: str | None = None,
        replies: bool = True,
    ) -> None:
        """Delete an object. Raises NoSuchObjectError, PreconditionFailedError, SchedulingRefusedError."""
        old, old_data = await self._read(mailbox, collection_id, name)
        if old is None:
            raise NoSuchObjectError
        if if_match is not None and old.etag != if_match:
            raise PreconditionFailedError
        change = ScheduledChange(mailbox, collection_id, old, old_data, None, replies)
        decision = await self._scheduling.decide(change, service)
        await self._mailboxes.run(
            mailbox.dav.delete, collection_id, name, self._clock.now(), if_match=old.etag, owes=decision.owes
        )
        await self._scheduling.carry(mailbox, decision.owes)

    async def _read(self, mailbox: Mailbox, collection_id: int, name: str) -> tuple[ObjectRow | None, bytes | None]:
        def read() -> tuple[ObjectRow | None, bytes | None]:
            row = mailbox.dav.find(collection_id, name)
            return row, None if row is None else mailbox.dav.read([row.id]).get(row.id)

        return await self._mailboxes.run_short(mailbox, read)
