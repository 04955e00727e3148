"""The first start: a demo domain with three accounts, or a domain of one's own, and a welcome through our own MX."""

import os
from pathlib import Path

import msgspec

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.domains import add_domain
from mailstead.administration.users import add_user
from mailstead.formats.message.compose import text_message
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.net.client import connect
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.transport.client import Client, Timeouts
from mailstead.services.runtime import Serving
from mailstead.stores.directory.names import domain_name, split_address
from mailstead.stores.directory.records import Domain

DEMO_DOMAIN = "example.test"
_TIMEOUT = 30.0

WELCOME = """Welcome to Mailstead.

This message came through your own mail exchanger, lies encrypted in your own mailbox, and is read with your own
password. Point a mail program at this host, or look around with the mailstead command:

  mailstead status        what runs, and on which ports
  mailstead dns records   what to publish for your domain
  mailstead trace ADDRESS where a message went
"""


class Credentials(msgspec.Struct, frozen=True):
    """An address and its password, shown once."""

    address: str
    password: str


class Made(msgspec.Struct, frozen=True):
    """What the first start made: the content of demo.json."""

    domain: str
    admin: Credentials
    accounts: tuple[Credentials, ...]


async def set_up(serving: Serving, *, domain: str, admin: str, others: tuple[str, ...], demo: bool) -> Made | None:
    """Make the domain with its accounts and send each a welcome; None when there is a domain already.

    Raises InvalidAddressError, and MailsteadError when the welcome is not taken.
    """
    stores = serving.wiring.stores
    if await stores.directory.find(Domain):
        return None
    domain = domain_name(domain)
    administration = stores.administration
    admin = "@".join(split_address(admin))
    made = await add_domain(administration, COMMAND_LINE, domain)
    accounts = []
    for address in (admin, *others):
        user, password = await add_user(administration, COMMAND_LINE, address, password=None, is_admin=address == admin)
        accounts.append(Credentials(address, password))
        if address == admin:
            made = await stores.directory.replace(msgspec.structs.replace(made, owner_id=user.id))
    result = Made(domain, accounts[0], tuple(accounts[1:]))
    if demo:
        _write(stores.data / "demo.json", result)
    for account in accounts:
        if account.address.endswith(f"@{domain}"):
            await _welcome(serving, account.address, domain)
    return result


def _write(path: Path, made: Made) -> None:
    temporary = path.with_name(f".{path.name}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


async def _welcome(serving: Serving, address: str, domain: str) -> None:
    endpoint = serving.endpoints.get("mx")
    if endpoint is None:
        return
    sender = f"postmaster@{domain}"
    message = text_message(
        sender=f"Mailstead <{sender}>",
        recipient=address,
        subject="Welcome to Mailstead",
        text=WELCOME,
        message_id=f"{new_ulid()}@{serving.wiring.hostname}",
        now=serving.wiring.stores.clock.now(),
    )
    connection = await connect(endpoint.host, endpoint.port, timeout=_TIMEOUT)
    client = Client(connection, Timeouts(_TIMEOUT, _TIMEOUT))
    try:
        await client.greeting()
        await client.hello(serving.wiring.hostname)
        envelope = Envelope(sender=sender, recipients=(EnvelopeRecipient(address),))
        await client.send(envelope, (message,), len(message))
    finally:
        await client.quit()
