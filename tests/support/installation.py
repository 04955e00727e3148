"""The stores of an installation in this process: example.test with alice and bob, on files of the test's own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from mailstead.administration.actor import COMMAND_LINE, Administration
from mailstead.administration.aliases import add_alias, set_alias
from mailstead.administration.rotation import follow_rotations
from mailstead.foundation.clock import Clock, SystemClock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.metrics import Metrics
from mailstead.foundation.spool import Spool
from mailstead.mail.screening.junk.teacher import Teacher
from mailstead.mail.screening.screening import Junk
from mailstead.services.stores import Announcer
from mailstead.stores.bus.interface import Bus
from mailstead.stores.bus.open import open_bus
from mailstead.stores.directory.authentication import Authenticator
from mailstead.stores.directory.directory import Directory
from mailstead.stores.directory.records import Domain
from mailstead.stores.documents.interface import Documents
from mailstead.stores.documents.open import open_documents
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.mailboxes import Mailboxes
from mailstead.stores.trace.trace import Trace

DOMAIN = "example.test"
HOSTNAME = "mail.example.test"


class Installation:
    """What services are made from; `passwords` by address."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        documents: Documents,
        bus: Bus,
        directory: Directory,
        authenticator: Authenticator,
        mailboxes: Mailboxes,
        trace: Trace,
        clock: Clock,
        junk: Junk,
        teacher: Teacher,
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.documents = documents
        self.bus = bus
        self.directory = directory
        self.authenticator = authenticator
        self.mailboxes = mailboxes
        self.trace = trace
        self.clock = clock
        self.junk = junk
        self.teacher = teacher
        self.metrics = Metrics()
        self.passwords: dict[str, str] = {}
        self.recorded: list[tuple[str, str, dict[str, object]]] = []  # changes that a protocol noted

    @property
    def administration(self) -> Administration:
        return Administration(
            self.documents,
            self.directory,
            self.authenticator,
            self.settings,
            self.clock,
            self.mailboxes,
            self.bus,
        )

    async def add_account(self, address: str, *, quota: int | None = None, forward_to: tuple[str, ...] = ()) -> None:
        alias, password = await add_alias(
            self.administration, COMMAND_LINE, address, user_id=f"user-{address}", quota=quota, forward_to=forward_to
        )
        self.passwords[alias.address] = password

    async def disable(self, address: str, code: int) -> None:
        changes = {"enabled": False, "disabled_code": code}
        await set_alias(self.administration, COMMAND_LINE, address, changes)

    async def set_quota(self, address: str, octets: int) -> None:
        await set_alias(self.administration, COMMAND_LINE, address, {"quota": octets})

    async def mailbox(self, address: str) -> Mailbox:
        alias = await self.directory.alias(address)
        assert alias is not None
        key = await self.directory.mailbox_key(alias.mailbox_id)
        assert key is not None
        return await self.mailboxes.open(alias.mailbox_id, key)

    async def deliver(self, address: str, message: bytes) -> None:
        alias = await self.directory.alias(address)
        assert alias is not None
        key = await self.directory.mailbox_key(alias.mailbox_id)
        with Spool(1024 * 1024, self.folder) as spool:
            spool.append(message)
            await self.mailboxes.deliver(alias.mailbox_id, key, alias.public_key, spool)

    async def messages(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """The octets of every message of a folder, in order."""
        mailbox = await self.mailbox(address)
        found = []
        for rows in mailbox.rows(mailbox.folder(folder).id, [(1, 2**32 - 1)], ("uid", "message_id")):
            found += [mailbox.content(message_id).read() for _, message_id in rows]
        return found


@asynccontextmanager
async def installation(
    folder: Path,
    settings: Settings | None = None,
    clock: Clock | None = None,
    documents_url: str = "sqlite:",
    bus_url: str = "memory:",
    *,
    domain: str = DOMAIN,
    names: tuple[str, ...] = ("alice", "bob"),
) -> AsyncIterator[Installation]:
    """An installation in `folder`; one that is there already is opened again, the passwords are not known then."""
    settings = settings or Settings()
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        documents = open_documents(documents_url, folder)
        await documents.open()
        stack.push_async_callback(documents.close)
        bus = open_bus(bus_url, folder)
        await bus.open()
        stack.push_async_callback(bus.close)
        trace = Trace(documents, settings.trace)
        await trace.open()
        stack.push_async_callback(trace.close)
        directory = Directory(documents, bus, settings, bytes(32), clock)
        await directory.open()
        stack.push_async_callback(directory.close)
        authenticator = Authenticator(directory, bus, settings, clock)
        stack.callback(authenticator.close)
        announcer = Announcer(bus)
        stack.push_async_callback(announcer.finish)
        junk = Junk(folder, bytes(32), settings)
        stack.push_async_callback(junk.close)
        teacher = Teacher(directory, settings, junk.features, junk.learning)
        mailboxes = Mailboxes(
            folder / "mailboxes",
            settings,
            clock=clock,
            on_commit=announcer.committed,
            on_lessons=teacher.called,
        )
        stack.push_async_callback(mailboxes.close)
        teacher.follow(mailboxes)
        stack.push_async_callback(teacher.close)
        made = Installation(
            folder, settings, documents, bus, directory, authenticator, mailboxes, trace, clock, junk, teacher
        )
        rotations = await follow_rotations(bus, mailboxes)
        stack.callback(rotations.close)
        if await directory.get(Domain, domain) is None:
            await directory.add(Domain(id=domain, owner_id="owner", version=1))
            for name in names:
                await made.add_account(f"{name}@{domain}")
        yield made
