"""All services, in the order they start in."""

from collections.abc import Sequence

from mailstead.services import api, imap, managesieve, metrics, mx, pop3, smtp, storage, web
from mailstead.services.definition import Service
from mailstead.services.scheduler import service as scheduler

SERVICES: tuple[Service, ...] = (
    Service("storage", "owner of the mailbox files: LMTP", storage.start),
    Service("smtp", "submission and the outbound queue", smtp.start),
    Service("mx", "mail from other hosts", mx.start),
    Service("imap", "IMAP", imap.start),
    Service("pop3", "POP3", pop3.start),
    Service("managesieve", "ManageSieve: filter scripts", managesieve.start),
    Service("api", "REST API", api.start),
    Service("web", "account, administration and webmail", web.start),
    Service("scheduler", "regular care: certificates, mailboxes, queue", scheduler.start),
    Service("metrics", "metrics and health", metrics.start),
)


def services_named(names: Sequence[str]) -> tuple[Service, ...]:
    """The services of these names, all for none, in starting order."""
    return tuple(service for service in SERVICES if not names or service.name in names)
