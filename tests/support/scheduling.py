"""People at example.test with calendars over DAV, and people elsewhere who have mail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import cast

from mailstead.foundation.clock import Clock
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.spool import Spool
from mailstead.interfaces.dav.application import DavApplication
from mailstead.mail.envelope import Envelope
from mailstead.mail.outbound.agent import SubmissionAgent
from mailstead.mail.routing.delivery import DirectDelivery, LocalRecipient
from mailstead.mail.routing.router import Router
from mailstead.mail.scheduling.arrival import Invitations
from mailstead.mail.scheduling.calendar_user import find_attendee, partstat
from mailstead.mail.scheduling.delivery import SchedulingDelivery
from mailstead.mail.scheduling.imip import compose_imip
from mailstead.mail.scheduling.implicit import ImplicitScheduling
from mailstead.mail.scheduling.message import ItipMessage
from mailstead.mail.scheduling.series import Series, read_series
from mailstead.protocols.dav.access import Access
from mailstead.protocols.dav.exchange import DavServices
from mailstead.protocols.dav.registry import registry
from mailstead.protocols.dav.scheduling.hooks import SchedulingHooks
from mailstead.protocols.dav.server import DavServer
from mailstead.stores.trace.trace import Trace, TraceEntry
from support.dav import DavClient, Reply
from support.events import BOUNDS
from support.installation import DOMAIN, HOSTNAME, Installation, installation

ALICE, BOB, CAROL = "alice@example.test", "bob@example.test", "carol@example.test"
FAY = "fay@far.test"


class Post:
    """The outbound queue: what is sent elsewhere."""

    def __init__(self) -> None:
        self.sent: list[tuple[tuple[str, ...], bytes]] = []

    async def enqueue(self, envelope: Envelope, message: Spool, trace_id: str, *, once: str = "") -> str:
        self.sent.append((tuple(one.address for one in envelope.recipients), message.read()))
        return once or trace_id

    def take(self) -> EmailMessage:
        """The one mail that was sent since the last look."""
        assert len(self.sent) == 1, [one[0] for one in self.sent]
        ((_, message),) = self.sent
        self.sent.clear()
        found = message_from_bytes(message, policy=default)
        assert isinstance(found, EmailMessage)
        return found


def calendar_in(mail: EmailMessage) -> bytes:
    """The text/calendar part of a mail."""
    (part,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


class People:
    """The server and its accounts."""

    def __init__(
        self,
        made: Installation,
        application: DavApplication,
        post: Post,
        local: DirectDelivery,
        delivery: SchedulingDelivery,
        scheduling: ImplicitScheduling,
    ) -> None:
        self.made = made
        self.scheduling = scheduling
        self.post = post
        self.delivery = delivery
        self.application = application
        self._local = local
        self.notes: list[str] = []  # what the trace says of invitations

    def client(self, address: str) -> DavClient:
        return DavClient(self.application, address, self.made.passwords[address])

    async def put(self, who: str, data: bytes, name: str = "one", **fields: str) -> int:
        """Store an event in the default calendar; the status."""
        client = self.client(who)
        reply = await client(
            "PUT", f"{client.calendars}default/{name}.ics", data, content_type="text/calendar", **fields
        )
        return reply.status

    async def delete(self, who: str, **fields: str) -> int:
        client = self.client(who)
        path = await self.path(who)
        return (await client("DELETE", path, **fields)).status

    async def path(self, who: str, uid: str = "one") -> str:
        mailbox = await self.made.mailbox(who)
        ((collection, row),) = mailbox.dav.by_uid("calendar", uid)
        return f"/dav/{who}/calendars/{collection.name}/{row.name}"

    async def copy(self, who: str, uid: str = "one") -> bytes | None:
        """Somebody's copy of the event."""
        mailbox = await self.made.mailbox(who)
        found = mailbox.dav.by_uid("calendar", uid)
        return mailbox.dav.read([found[0][1].id])[found[0][1].id] if found else None

    async def series(self, who: str) -> Series:
        data = await self.copy(who)
        assert data is not None
        return read_series(data, BOUNDS)

    async def change(self, who: str, *pairs: tuple[str, str], **fields: str) -> int:
        """Somebody edits the copy there is, text for text."""
        data = await self.copy(who)
        assert data is not None
        text = data.replace(b"\r\n ", b"").decode()
        for old, new in pairs:
            assert old in text, (old, text)
            text = text.replace(old, new)
        client = self.client(who)
        return (await client("PUT", await self.path(who), text, content_type="text/calendar", **fields)).status

    async def answer(self, who: str, answer: str, **fields: str) -> int:
        """Somebody answers for the whole event, by CalDAV."""
        line, current = await self.own_line(who)
        return await self.change(who, (line, line.replace(f"PARTSTAT={current}", f"PARTSTAT={answer}")), **fields)

    async def own_line(self, who: str) -> tuple[str, str]:
        """Somebody's first ATTENDEE line in the own copy, and the answer in it."""
        data = await self.copy(who)
        assert data is not None
        lines = data.replace(b"\r\n ", b"").decode().split("\r\n")
        line = next(one for one in lines if one.startswith("ATTENDEE") and one.endswith(f"mailto:{who}"))
        return line, line.partition("PARTSTAT=")[2].partition(";")[0].partition(":")[0]

    async def propose(self, who: str, data: bytes) -> Reply:
        """Somebody posts a message to the own outbox."""
        return await self.client(who)("POST", f"/dav/{who}/outbox/", data, content_type="text/calendar")

    async def answer_in(self, whose: str, who: str, key: int | None = None) -> str:
        """The answer of somebody as it stands in a copy, with the state of delivery."""
        component = (await self.series(whose)).get(key)
        assert component is not None
        line = find_attendee(component, (who,))
        assert line is not None
        return partstat(line)

    async def status_in(self, whose: str, who: str) -> str | None:
        line = find_attendee((await self.series(whose)).first, (who,))
        return None if line is None else line.parameter("SCHEDULE-STATUS")

    async def inbox(self, who: str) -> list[str]:
        """The methods of the messages in the scheduling inbox, oldest first."""
        mailbox = await self.made.mailbox(who)
        collections = [one for one in mailbox.dav.collections("inbox") if one.kind == "inbox"]
        if not collections:
            return []
        rows = mailbox.dav.objects(collections[0].id)
        found = mailbox.dav.read([row.id for row in rows])
        return [found[row.id].partition(b"METHOD:")[2].split(b"\r\n")[0].decode() for row in rows]

    async def mail_from(
        self, sender: str, recipient: str, method: str, data: bytes, *, dmarc: str = "pass", folder: str = ""
    ) -> list[str]:
        """A scheduling message comes by mail through the mail exchanger; what the trace says of it."""
        message = ItipMessage(method, sender, recipient, "one", data)  # type: ignore[arg-type] # of the tests' own
        mail = compose_imip(message, read_series(data, BOUNDS), "m@far.test", self.made.clock.now())
        domain = sender.partition("@")[2]
        head = (
            f"Authentication-Results: {HOSTNAME}; dmarc={dmarc} header.from={domain}\r\n"
            f"Received: from far (192.0.2.1) by {HOSTNAME} with ESMTPS id 1; Mon, 7 Sep 2026 09:00:00 +0000\r\n"
        )
        junk = "X-Mailstead-Verdict: junk\r\n" if folder == "Junk" else ""
        before = len(self.notes)
        await self.deliver(sender, recipient, (head + junk).encode() + mail)
        return self.notes[before:]

    async def deliver(self, sender: str, recipient: str, mail: bytes) -> None:
        resolution = await self.made.directory.resolve(recipient)
        with Spool(1024 * 1024, self.made.folder) as spool:
            spool.append(mail)
            (result,) = await self._local.deliver(
                sender, [LocalRecipient(recipient, resolution.destinations[0])], spool, f"t{len(self.notes)}{len(mail)}"
            )
        assert result.outcome == "delivered"


class _Trace:
    """Hears what is recorded."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes

    def record(self, entry: TraceEntry) -> None:
        if entry.event == "scheduled":
            self._notes.append(entry.text)


@asynccontextmanager
async def people(
    folder: Path,
    settings: Settings | None = None,
    clock: Clock | None = None,
    *,
    domain: str = DOMAIN,
    names: tuple[str, ...] = ("alice", "bob", "carol"),
) -> AsyncIterator[People]:
    """alice, bob and carol at example.test, or others elsewhere."""
    async with installation(folder, settings, clock, domain=domain, names=names) as made:
        notes: list[str] = []
        trace = cast(Trace, _Trace(notes))
        post = Post()

        def agent(way: DirectDelivery) -> SubmissionAgent:
            router = Router(made.directory, way, post, made.trace, made.clock, "caldav")
            return SubmissionAgent(made.directory, router, made.trace, made.settings, HOSTNAME, made.folder, made.clock)

        def carrying(way: DirectDelivery) -> SchedulingDelivery:
            return SchedulingDelivery(made.directory, made.mailboxes, made.settings, made.clock, HOSTNAME, agent(way))

        plain = DirectDelivery(made.directory, made.mailboxes, made.trace, made.settings, made.clock)
        invitations = Invitations(carrying(plain), made.settings, HOSTNAME)
        local = DirectDelivery(made.directory, made.mailboxes, trace, made.settings, made.clock, calendars=invitations)
        delivery = carrying(local)
        scheduling = ImplicitScheduling(delivery, made.directory, made.mailboxes, made.settings, made.clock)
        services = DavServices(
            made.mailboxes,
            made.directory,
            made.settings,
            made.clock,
            Access(),
            SchedulingHooks(scheduling),
            delivery,
        )
        application = DavApplication(DavServer(services, registry()), made.authenticator, made.settings, "caldav")
        found = People(made, application, post, local, delivery, scheduling)
        found.notes = notes
        yield found
