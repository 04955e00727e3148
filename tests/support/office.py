"""An office: an installation whose mailboxes have filter scripts, and a queue that keeps what they send."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.scripts import activate_script, put_script
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import RecipientResult
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.routing.delivery import DirectDelivery, LocalRecipient
from mailstead.mail.routing.external_lists import ExternalLists
from mailstead.mail.routing.filter import Filter
from mailstead.stores.scripts.memory import Memory
from mailstead.stores.scripts.scripts import Scripts
from support.installation import HOSTNAME, Installation, installation

ALICE = "alice@example.test"
MESSAGE = (
    b"From: carol@example.net\r\nTo: alice@example.test\r\nSubject: Hello\r\nMessage-ID: <1@example.net>\r\n\r\nHi.\r\n"
)


class Office:
    """An installation with a filter and a queue."""

    def __init__(self, made: Installation, queue: OutboundQueue) -> None:
        self.made = made
        self.queue = queue
        scripts = Scripts(made.documents, made.directory, made.settings.sieve, made.clock)
        memory = Memory(made.documents, made.clock)
        lists = ExternalLists(made.directory, made.mailboxes, made.settings.dav)
        filtering = Filter(scripts, memory, made.mailboxes, queue, made.settings, made.clock, HOSTNAME, lists=lists)
        self.local = DirectDelivery(made.directory, made.mailboxes, made.trace, made.settings, made.clock, filtering)

    async def script(self, text: str, name: str = "main") -> None:
        await put_script(self.made.administration, COMMAND_LINE, ALICE, name, text.encode())
        await activate_script(self.made.administration, COMMAND_LINE, ALICE, name)

    async def deliver(
        self, message: bytes = MESSAGE, trace_id: str = "t1", sender: str = "carol@example.net", to: str = ALICE
    ) -> RecipientResult:
        resolution = await self.made.directory.resolve(to)
        with Spool(1024 * 1024, self.made.folder) as spool:
            spool.append(message)
            (result,) = await self.local.deliver(
                sender, [LocalRecipient(to, resolution.destinations[0])], spool, trace_id
            )
        return result

    async def queued(self) -> list[tuple[str, str, bytes]]:
        """Sender, recipients and octets of what waits in the queue."""
        found = []
        for one in await self.queue.list_all():
            with self.queue.read(one) as message:
                octets = b"".join(message.chunks())
            found.append((one.envelope.sender, " ".join(to.address for to in one.envelope.recipients), octets))
        return found

    async def told(self, trace_id: str = "t1") -> list[str]:
        await self.made.trace.flush()
        return [entry.text for entry in await self.made.trace.find(trace_id)]

    async def subjects(self, folder: str) -> Sequence[bytes]:
        found = await self.made.messages(ALICE, folder)
        return [line for one in found for line in one.split(b"\r\n") if line.startswith(b"Subject:")]


@asynccontextmanager
async def office(folder: Path) -> AsyncIterator[Office]:
    async with installation(folder) as made:
        queue = OutboundQueue(made.documents, made.bus, made.directory, folder / "queue", b"s" * 32, made.clock)
        await queue.open()
        yield Office(made, queue)
