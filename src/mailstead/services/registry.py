"""All services, in the order they start in.

A service's module is imported when it starts: whoever asks for names only, and a process that runs one service, is spared
the others' libraries.
"""

from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from mailstead.services.definition import Running, Wiring

Start = Callable[["Wiring"], Awaitable["Running"]]


class Service(msgspec.Struct, frozen=True):
    """A name, what it is for, how it is started, and whether several processes may answer its clients."""

    name: str
    purpose: str
    start: Start
    is_shared: bool = False


def lazily(module: str) -> Start:
    """The `start` of a module of this package."""

    async def start(wiring: "Wiring") -> "Running":
        started: Running = await import_module(f"mailstead.services.{module}").start(wiring)
        return started

    return start


SERVICES: tuple[Service, ...] = (
    Service("storage", "owner of the mailbox files: LMTP", lazily("storage")),
    Service("smtp", "submission and the outbound queue", lazily("smtp")),
    Service("mx", "mail from other hosts", lazily("mx"), True),
    Service("imap", "IMAP", lazily("imap"), True),
    Service("pop3", "POP3", lazily("pop3"), True),
    Service("managesieve", "ManageSieve: filter scripts", lazily("managesieve")),
    Service("api", "REST API", lazily("api"), True),
    Service("web", "account, administration and webmail", lazily("web")),
    Service("caldav", "calendars", lazily("caldav")),
    Service("carddav", "contacts", lazily("carddav")),
    Service("scheduler", "regular care: certificates, mailboxes, queue", lazily("scheduler.service")),
    Service("metrics", "metrics and health", lazily("metrics")),
)


def services_named(names: Sequence[str]) -> tuple[Service, ...]:
    """The services of these names, all for none, in starting order."""
    return tuple(service for service in SERVICES if not names or service.name in names)
