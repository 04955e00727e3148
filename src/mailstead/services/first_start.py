"""The first start: a demo domain with three accounts, or a domain of one's own, and a welcome through our own MX.

What is to be made is written down with its passwords before any of it is made (`first-start.json`), and that file goes
when all is done: a first start that was cut off is finished by the next one, with the same passwords.
"""

from pathlib import Path

import msgspec

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.aliases import add_alias
from mailstead.administration.domains import add_domain
from mailstead.administration.users import add_user, find_user
from mailstead.formats.message.compose import text_message
from mailstead.foundation.crypto.passwords import new_app_password
from mailstead.foundation.errors import PermanentError, TemporaryError
from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.net.client import connect
from mailstead.foundation.tls.authority import write_durable
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.transport.client import Client, Timeouts
from mailstead.services.runtime import Serving
from mailstead.stores.directory.names import domain_name, split_address
from mailstead.stores.directory.records import ACCOUNT_LABEL, Domain, User

DEMO_DOMAIN = "example.test"
_TIMEOUT = 30.0
_PLAN = "first-start.json"

WELCOME = """Welcome to Mailstead.

This message came through your own mail exchanger, lies encrypted in your own mailbox, and is read with your own
password. Point a mail program at this host, or look around with the mailstead command:

  mailstead status        what runs, and on which ports
  mailstead dns records   what to publish for your domain
  mailstead trace ADDRESS where a message went
"""


class OtherDomainError(PermanentError):
    """A domain was asked for at a start that is not the first."""


class WelcomeRefusedError(TemporaryError):
    """Our own mail exchanger does not take the welcome."""

    public_text = "The welcome message was not taken"


class Credentials(msgspec.Struct, frozen=True):
    """An address and its password, shown once."""

    address: str
    password: str


class Made(msgspec.Struct, frozen=True):
    """What the first start makes: the content of demo.json."""

    domain: str
    admin: Credentials
    accounts: tuple[Credentials, ...]


class Wanted(msgspec.Struct, frozen=True):
    """What is to be set up when there is no domain yet. `others` are accounts beside the administrator's."""

    domain: str
    admin: str
    others: tuple[str, ...] = ()
    is_demo: bool = False


def wanted_domain(domain: str, admin: str) -> Wanted:
    """A domain of one's own. Raises InvalidAddressError."""
    return Wanted(domain_name(domain), "@".join(split_address(admin)))


DEMO = Wanted(DEMO_DOMAIN, f"admin@{DEMO_DOMAIN}", (f"alice@{DEMO_DOMAIN}", f"bob@{DEMO_DOMAIN}"), True)


async def set_up(serving: Serving, wanted: Wanted) -> Made | None:
    """Make the domain with its accounts and send each a welcome; None when that was done at an earlier start.

    Raises OtherDomainError when there are domains, but not the one that was asked for by name, and MailsteadError when
    the welcome is not taken.
    """
    stores = serving.wiring.stores
    path = stores.data / _PLAN
    if path.exists():
        made = msgspec.json.decode(path.read_bytes(), type=Made)
    else:
        served = [domain.id for domain in await stores.directory.find(Domain)]
        if served:
            if not wanted.is_demo and wanted.domain not in served:
                raise OtherDomainError(
                    f"--domain is for the first start, and {', '.join(served[:3])} is served here already;"
                    f" another one: mailstead domain add {wanted.domain}"
                )
            return None
        made = _plan(wanted)
        _write(path, made)
    await _make(serving, made)
    if made.domain == DEMO_DOMAIN:
        _write(stores.data / "demo.json", made)
    path.unlink()
    return made


def _plan(wanted: Wanted) -> Made:
    accounts = [Credentials(address, new_app_password()) for address in (wanted.admin, *wanted.others)]
    return Made(wanted.domain, accounts[0], tuple(accounts[1:]))


async def _make(serving: Serving, made: Made) -> None:
    stores = serving.wiring.stores
    administration = stores.administration
    domain = await stores.directory.get(Domain, made.domain)
    if domain is None:
        domain = await add_domain(administration, COMMAND_LINE, made.domain)
    accounts = (made.admin, *made.accounts)
    for account in accounts:
        address, password = account.address, account.password
        found = await stores.directory.find(User, address=address)
        is_ours = address.endswith(f"@{made.domain}")
        if not found:
            is_admin = account == made.admin
            await add_user(administration, COMMAND_LINE, address, password=password, is_admin=is_admin)
        elif is_ours and await stores.directory.alias(address) is None:  # cut off between the two
            await add_alias(
                administration, COMMAND_LINE, address, user_id=found[0].id, password=password, label=ACCOUNT_LABEL
            )
    if not domain.owner_id:
        owner = await find_user(administration, made.admin.address)
        await stores.directory.replace(msgspec.structs.replace(domain, owner_id=owner.id))
    for account in accounts:
        if account.address.endswith(f"@{made.domain}"):
            await _welcome(serving, account.address, made.domain)


def _write(path: Path, made: Made) -> None:
    write_durable(path, msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n", mode=0o600)


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
    own = (connection.local.address, connection.local.port)
    serving.wiring.own.add(own)  # nobody has to prove to himself who he is
    try:
        await client.greeting()
        await client.hello(serving.wiring.hostname)
        envelope = Envelope(sender=sender, recipients=(EnvelopeRecipient(address),))
        (outcome,) = await client.send(envelope, (message,), len(message))
        if not outcome.reply.positive:
            raise WelcomeRefusedError(detail=f"{address}: {outcome.reply.code} {outcome.reply.text}")
    finally:
        await client.quit()
        serving.wiring.own.discard(own)
