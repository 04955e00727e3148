"""Mailstead as it is measured: `mailstead serve` with every default but plaintext logins, and stores filled beforehand."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

import uvloop

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.aliases import add_alias
from mailstead.administration.domains import add_domain
from mailstead.foundation.config.load import load_settings
from mailstead.services.stores import Stores, open_stores
from mailstead.stores.directory.records import Alias
from mailstead.stores.mailbox.folders import INBOX
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage
from support.mailstead_server import MailsteadServer

DOMAIN = "example.test"
_BATCH = 500
_DATE = 1_760_000_000
T = TypeVar("T")

# Logins in the clear, as the peers have them where TLS is off; the load comes over few connections
SETTINGS = {"MAILSTEAD_INSECURE_AUTH": "true", "MAILSTEAD_SMTP_TRANSACTIONS_LIMIT": "1000000"}


class Own:
    """One data folder, its accounts' passwords by address, and the server on it when started."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.server = MailsteadServer(folder / "data", SETTINGS | dict(settings or {}), arguments=())
        self.passwords: dict[str, str] = {}

    def with_stores(self, work: Callable[[Stores], Awaitable[T]]) -> T:
        """What `work` returns on the stores of this folder; not while the server runs."""

        async def run() -> T:
            async with open_stores(load_settings(self.server.environment)) as stores:
                return await work(stores)

        return uvloop.run(run())

    def add_accounts(self, names: Iterable[str]) -> None:
        """Make the domain, when it is not there, and a mailbox for each name."""

        async def work(stores: Stores) -> None:
            administration = stores.administration
            if not self.passwords:
                await add_domain(administration, COMMAND_LINE, DOMAIN)
            for name in names:
                address = f"{name}@{DOMAIN}"
                _, self.passwords[address] = await add_alias(administration, COMMAND_LINE, address, user_id=name)

        self.with_stores(work)

    def fill(self, name: str, messages: Iterable[bytes]) -> None:
        """Put messages into an account's INBOX and its full-text index, many in a transaction."""

        async def work(stores: Stores) -> None:
            mailbox = await open_mailbox(stores, name)
            folder = mailbox.folder(INBOX)
            supply = iter(messages)
            while batch := [NewMessage(raw, internal_date=_DATE) for raw in islice(supply, _BATCH)]:
                await stores.mailboxes.run(mailbox.append, folder.id, batch)
            while await stores.mailboxes.run(mailbox.index_pending):
                pass

        self.with_stores(work)

    def compact(self, name: str) -> None:
        """What the scheduler does for a mailbox by and by."""

        async def work(stores: Stores) -> None:
            mailbox = await open_mailbox(stores, name)
            while await stores.mailboxes.run(mailbox.compact):
                pass

        self.with_stores(work)

    def start(self) -> None:
        """Start the server; back when it is ready."""
        self.server.start()

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self.server.process is not None
        return self.server.process.pid

    def port(self, service: str) -> int:
        """Where a service listens."""
        return self.server.address(service)[1]


async def open_mailbox(stores: Stores, name: str) -> Mailbox:
    """The mailbox of an account."""
    aliases = await stores.directory.find(Alias, domain=DOMAIN, name=name)
    key = await stores.directory.mailbox_key(aliases[0].mailbox_id)
    assert key is not None
    with key:
        return await stores.mailboxes.open(aliases[0].mailbox_id, key)


@contextmanager
def own_server(folder: Path, accounts: Iterable[str], settings: Mapping[str, str] | None = None) -> Iterator[Own]:
    """A running server with accounts; stopped at the end."""
    own = Own(folder, settings)
    own.server.data.parent.mkdir(parents=True, exist_ok=True)
    own.add_accounts(accounts)
    own.start()
    try:
        yield own
    finally:
        if own.server.process is not None:
            own.server.stop()
