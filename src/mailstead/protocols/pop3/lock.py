"""The exclusive lock on a maildrop (RFC 1939 §4): a lease on the bus, renewed while the session lives."""

import asyncio

import structlog

from mailstead.stores.bus.interface import Bus, BusLostError

log = structlog.get_logger("mailstead.pop3")


class MaildropLock:
    """One session's hold on one mailbox; `lost` turns true when another session may have it."""

    def __init__(self, bus: Bus, mailbox_id: str, owner: str, seconds: float) -> None:
        self._bus = bus
        self._name = f"pop3.{mailbox_id}"
        self._owner = owner
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None
        self._ends_at = 0.0
        self.lost = False

    async def acquire(self) -> bool:
        """Take the lock; False while another session holds it. Raises BusLostError."""
        if not await self._bus.acquire(self._name, self._owner, self._seconds):
            return False
        self._ends_at = asyncio.get_running_loop().time() + self._seconds
        self._task = asyncio.get_running_loop().create_task(self._renew())
        return True

    async def _renew(self) -> None:
        while not self.lost:
            await asyncio.sleep(self._seconds / 3)
            await self.renew_now()
        log.warning("maildrop lock lost", lease=self._name)

    async def renew_now(self) -> None:
        """Extend the lease; it is lost when another has it, or when the bus was away until it ran out."""
        clock = asyncio.get_running_loop().time
        try:
            self.lost = not await self._bus.renew(self._name, self._owner, self._seconds)
        except BusLostError:
            self.lost = clock() >= self._ends_at
        else:
            self._ends_at = clock() + self._seconds

    async def release(self) -> None:
        """Give the lock back; a bus that is away lets it run out by itself."""
        if self._task is None:
            return
        self._task.cancel()
        self._task = None
        try:
            await self._bus.release(self._name, self._owner)
        except BusLostError as error:
            log.warning("maildrop lock not released", lease=self._name, why=str(error))
