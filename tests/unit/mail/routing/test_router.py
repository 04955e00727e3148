from pathlib import Path

from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.routing.delivery import DirectDelivery
from mailstead.mail.routing.router import Router
from support.installation import installation


class Kept:
    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def enqueue(self, envelope: Envelope, message: Spool, trace_id: str, *, once: str = "") -> str:
        self.envelopes.append(envelope)
        return "q1"


async def test_who_cannot_be_served_beside_others_waits_in_the_queue_and_nothing_is_silent(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        await made.add_account("full@example.test", quota=10)
        await made.add_account("forward@example.test", forward_to=("far@remote.test", "bob@example.test"))
        kept = Kept()
        local = DirectDelivery(made.directory, made.mailboxes, made.trace, made.settings, made.clock)
        router = Router(made.directory, local, kept, made.trace, made.clock, "mx")

        async def accept(*addresses: str) -> list[str]:
            kept.envelopes.clear()
            with Spool(10_000, tmp_path) as message:
                message.append(b"Subject: x\r\n\r\nx\r\n")
                recipients = tuple(EnvelopeRecipient(address) for address in addresses)
                envelope = Envelope(sender="a@b.test", recipients=recipients)
                return [result.outcome for result in await router.accept(envelope, message, "t1")]

        assert await accept("alice@example.test") == ["delivered"]
        assert kept.envelopes == []
        assert await accept("full@example.test") == ["deferred"]
        assert kept.envelopes == []
        assert await accept("alice@example.test", "full@example.test", "nobody@example.test") == [
            "delivered",
            "queued",
            "queued",
        ]
        (envelope,) = kept.envelopes
        assert [one.address for one in envelope.recipients] == ["full@example.test", "nobody@example.test"]
        assert await accept("forward@example.test") == ["delivered"]
        assert [one.address for one in kept.envelopes[0].recipients] == ["far@remote.test"]
        assert len(await made.messages("bob@example.test")) == 1


async def test_a_mailbox_that_has_to_wait_beside_a_forward_is_not_forgotten(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        await made.add_account("both@example.test", quota=10, forward_to=("far@remote.test", "gone@example.test"))
        kept = Kept()
        local = DirectDelivery(made.directory, made.mailboxes, made.trace, made.settings, made.clock)
        router = Router(made.directory, local, kept, made.trace, made.clock, "mx")
        with Spool(10_000, tmp_path) as message:
            message.append(b"Subject: x\r\n\r\nx\r\n")
            envelope = Envelope(sender="a@b.test", recipients=(EnvelopeRecipient("both@example.test"),))
            assert [one.outcome for one in await router.accept(envelope, message, "t1")] == ["queued"]
        alias = await made.directory.alias("both@example.test")
        assert alias is not None
        (queued,) = kept.envelopes
        assert {(one.address, one.mailbox_id) for one in queued.recipients} == {
            ("far@remote.test", ""),
            ("both@example.test", alias.mailbox_id),  # this mailbox, not the forwards once more
            ("gone@example.test", ""),  # its sender is told
        }
