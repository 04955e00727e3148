"""The storage service: LMTP into the mailboxes of this node, and their care."""

import asyncio
from collections.abc import Mapping

from mailstead.foundation.net.server import Listener
from mailstead.protocols.smtp.roles.lmtp import LmtpRole
from mailstead.protocols.smtp.server import TOO_MANY, smtp_handler
from mailstead.services.definition import Wiring
from mailstead.services.delivery import LMTP_SOCKET, smtp_services
from mailstead.services.lines import LineService, listener, serve_lines
from mailstead.services.ready import Endpoint
from mailstead.stores.directory.records import Alias

_CARE_INTERVAL = 3600.0


class Storage:
    """LMTP and the hourly care of mailboxes."""

    def __init__(self, lines: LineService, wiring: Wiring) -> None:
        self._lines = lines
        self._wiring = wiring
        self._care = asyncio.get_running_loop().create_task(self._take_care())

    @property
    def endpoints(self) -> Mapping[str, Endpoint]:
        """See Running."""
        return self._lines.endpoints

    async def _take_care(self) -> None:
        """Drop what left the undelete window, of every mailbox that the server can open."""
        stores = self._wiring.stores
        while True:
            await asyncio.sleep(_CARE_INTERVAL)
            for alias in await stores.directory.find(Alias):
                if not alias.mailbox_id or alias.is_locked:
                    continue
                key = await stores.directory.mailbox_key(alias.mailbox_id)
                if key is not None:
                    with key:
                        mailbox = await stores.mailboxes.open(alias.mailbox_id, key)
                    await stores.mailboxes.run(mailbox.expire, stores.clock.now())

    async def drain(self, timeout: float) -> None:
        """See Running."""
        self._care.cancel()
        await self._lines.drain(timeout)


async def start(wiring: Wiring) -> Storage:
    """Listen on the unix socket under DATA and on the LMTP port."""
    services = smtp_services(wiring, wiring.stores.queue, "storage")
    listeners = [
        Listener("lmtp-socket", f"unix:{wiring.stores.data / LMTP_SOCKET}", 0, "none", proxy=False),
        listener(wiring, "lmtp", wiring.stores.settings.port.lmtp, "none", proxy=False),
    ]
    lines = await serve_lines(wiring, "lmtp", smtp_handler(LmtpRole(services)), listeners, TOO_MANY)
    return Storage(lines, wiring)
