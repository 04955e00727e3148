"""All cases, in the order they are run and printed."""

from benchmarks.case import Case
from benchmarks.cases import (
    api,
    calendars,
    disk,
    fairness,
    growth,
    imap,
    inbound,
    junk,
    memory,
    pop3,
    queue,
    smtp,
    start,
    web,
)

CASES: tuple[Case, ...] = (
    Case("imap", "IMAP commands on a large mailbox beside Dovecot", imap.run),
    Case("pop3", "fetching a whole mailbox beside Dovecot", pop3.run),
    Case("smtp", "mail in beside Postfix with Dovecot's LMTP", smtp.run),
    Case("inbound", "mail in through every check, in one process and in two", inbound.run),
    Case("soak", "memory over a long run of mail in through every check", inbound.run_long),
    Case("queue", "the outbound queue beside Postfix, memory with a backlog", queue.run),
    Case("fairness", "a full queue with one of its domains dead beside the same with all alive", fairness.run),
    Case("memory", "memory idle and per idle IMAP connection beside Dovecot", memory.run),
    Case("start", "start to ready", start.run),
    Case("growth", "cost against the size of the mailbox beside Dovecot", growth.run),
    Case("web", "the webmail's inbox of a large mailbox", web.run),
    Case("api", "the REST API beside the bare framework", api.run),
    Case("calendars", "CalDAV beside Radicale and Xandikos", calendars.run),
    Case("junk", "how well junk is told from good mail beside SpamAssassin", junk.run),
    Case("disk", "disk used beside Maildir", disk.run),
)
