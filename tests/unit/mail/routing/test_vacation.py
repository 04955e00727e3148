"""Replies of aliases whose owner is away."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.aliases import add_alias, set_alias
from mailstead.foundation.clock import ManualClock
from mailstead.foundation.errors import InvalidError
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.queue import OutboundQueue
from mailstead.mail.routing.delivery import DirectDelivery
from mailstead.mail.routing.filter import Filter
from mailstead.mail.routing.router import Router
from mailstead.mail.routing.vacation import AliasResponder, Responder
from mailstead.stores.directory.records import VacationResponder
from mailstead.stores.scripts.memory import Memory
from mailstead.stores.scripts.scripts import Scripts
from support.forwarding import passing
from support.installation import HOSTNAME, Installation, installation

DAY = 86400.0
START = time.time()
AWAY = VacationResponder(enabled=True, message="Back on Monday.", subject="Away")
RECEIVED = b"Received: from x (y)\r\n\tby mail.example.test with ESMTP id 1;\r\n\tThu, 1 Jan 2026 00:00:00 +0000\r\n"


class Post:
    def __init__(self, made: Installation, queue: OutboundQueue, router: Router, clock: ManualClock) -> None:
        self.made = made
        self.queue = queue
        self.router = router
        self.clock = clock
        self.count = 0

    async def away(self, address: str, vacation: VacationResponder = AWAY) -> None:
        await set_alias(self.made.administration, COMMAND_LINE, address, {"vacation": vacation})

    async def comes(self, *, to: str = "alice@example.test", sender: str = "carol@remote.test", more: str = "") -> int:
        """How many replies came of a message."""
        self.count += 1
        self.clock.advance(1)  # what is queued is told apart by its time
        fields = f"{more}From: {sender}\r\nTo: {to}\r\nSubject: Lunch?\r\nMessage-ID: <{self.count}@remote.test>\r\n"
        before = len(await self.replies())
        with Spool(100_000, self.made.folder) as message:
            message.append(fields.encode() + b"\r\nbody\r\n")
            if not more.startswith("Authentication-Results"):
                message.prepend(RECEIVED)
            recipients = (EnvelopeRecipient(to),)
            await self.router.accept(Envelope(sender=sender, recipients=recipients), message, f"t{self.count}")
        return len(await self.replies()) - before

    async def replies(self) -> list[tuple[str, str, bytes]]:
        found = []
        for one in await self.queue.list_all():
            with self.queue.read(one) as message:
                octets = b"".join(message.chunks())
            if b"Auto-Submitted: auto-replied (vacation)" in octets:
                found.append((one.envelope.sender, one.envelope.recipients[0].address, octets))
        return found

    async def told(self) -> list[str]:
        await self.made.trace.flush()
        return [entry.text for entry in await self.made.trace.find(f"t{self.count}")]


@asynccontextmanager
async def post(folder: Path) -> AsyncIterator[Post]:
    clock = ManualClock(START)
    async with installation(folder, clock=clock) as made:
        queue = OutboundQueue(made.documents, made.bus, made.directory, folder / "queue", bytes(32), clock)
        await queue.open()
        ways = passing(made)
        memory = Memory(made.documents, clock)
        scripts = Scripts(made.documents, made.directory, made.settings.sieve, clock)
        filtering = Filter(scripts, memory, made.mailboxes, queue, made.settings, clock, HOSTNAME, ways.forwarding)
        local = DirectDelivery(made.directory, made.mailboxes, made.trace, made.settings, clock, filtering)
        responder = AliasResponder(Responder(memory, clock, HOSTNAME, HOSTNAME), queue, clock, folder)
        router = Router(
            made.directory,
            local,
            queue,
            made.trace,
            clock,
            "mx",
            planner=ways.planner,
            forwarding=ways.forwarding,
            responder=responder,
        )
        await add_alias(
            made.administration,
            COMMAND_LINE,
            "team@example.test",
            user_id="owner",
            forward_to=("far@remote.test",),
            with_mailbox=False,
        )
        yield Post(made, queue, router, clock)
        ways.signing.close()
        queue.close()


@pytest.mark.parametrize("address", ["alice@example.test", "team@example.test"])
async def test_each_sender_is_answered_once_in_the_given_days(tmp_path: Path, address: str) -> None:
    async with post(tmp_path) as at:
        assert await at.comes(to=address) == 0
        await at.away(address)
        assert await at.comes(to=address) == 1
        [(sender, recipient, octets)] = await at.replies()
        assert (sender, recipient) == ("", "carol@remote.test")
        for line in (
            f"From: {address}\r\n".encode(),
            b"To: carol@remote.test\r\n",
            b"Subject: Away\r\n",
            b"In-Reply-To: <2@remote.test>\r\n",
            b"Auto-Submitted: auto-replied (vacation)\r\n",
            b"\r\nBack on Monday.\r\n",
        ):
            assert line in octets
        assert await at.comes(to=address) == 0
        assert await at.comes(to=address, sender="Carol@Remote.test") == 0
        assert await at.comes(to=address, sender="dave@remote.test") == 1
        at.clock.advance(4 * DAY + 1)
        assert await at.comes(to=address) == 1
        await at.away(address, VacationResponder(enabled=True, message="Back on Friday."))
        assert await at.comes(to=address) == 1, "another text is another reply"
        assert b"Subject: Auto: Lunch?\r\n" in (await at.replies())[-1][2]


async def test_it_answers_between_its_dates_only(tmp_path: Path) -> None:
    async with post(tmp_path) as at:
        await at.away(
            "alice@example.test", VacationResponder(enabled=True, message="x", start=START + DAY, end=START + 2 * DAY)
        )
        assert await at.comes() == 0
        at.clock.advance(DAY)
        assert await at.comes() == 1
        at.clock.advance(DAY)
        assert await at.comes(sender="dave@remote.test") == 0
        await at.away("alice@example.test", VacationResponder(enabled=False, message="x"))
        assert await at.comes(sender="erin@remote.test") == 0


@pytest.mark.parametrize(
    ("sender", "more", "words"),
    [
        ("", "", "the message is a notice"),
        ("alice@example.test", "", "sent by its recipient"),
        ("no-reply@remote.test", "", "not a person's address"),
        ("carol@remote.test", "Auto-Submitted: auto-generated\r\n", "Auto-Submitted"),
        ("carol@remote.test", "List-Id: <x.remote.test>\r\n", "mailing list"),
        ("carol@remote.test", "Precedence: bulk\r\n", "Precedence"),
        ("carol@remote.test", "X-Auto-Response-Suppress: OOF\r\n", "no automatic replies"),
    ],
)
async def test_who_is_not_answered(tmp_path: Path, sender: str, more: str, words: str) -> None:
    async with post(tmp_path) as at:
        for address in ("alice@example.test", "team@example.test"):
            await at.away(address)
            assert await at.comes(to=address, sender=sender, more=more) == 0
            if sender != "alice@example.test" or address == sender:
                assert any(words in text for text in await at.told()), await at.told()
            if sender == "alice@example.test":
                return


async def test_a_sender_who_may_be_forged_is_not_answered(tmp_path: Path) -> None:
    forged = f"Authentication-Results: {HOSTNAME}; spf=fail smtp.mailfrom=carol@remote.test\r\n" + RECEIVED.decode()
    async with post(tmp_path) as at:
        for address in ("alice@example.test", "team@example.test"):
            await at.away(address)
            assert await at.comes(to=address, more=forged) == 0


@pytest.mark.parametrize(
    "vacation",
    [
        VacationResponder(enabled=True), VacationResponder(enabled=True, message="x", days=0),
        VacationResponder(message="x" * 10_001), VacationResponder(subject="a\r\nBcc: b"),
        VacationResponder(message="x", start=2.0, end=1.0), VacationResponder(message="x", days=91),
    ],
)  # fmt: skip
async def test_settings_that_are_none(tmp_path: Path, vacation: VacationResponder) -> None:
    async with post(tmp_path) as at:
        with pytest.raises(InvalidError):
            await at.away("alice@example.test", vacation)
