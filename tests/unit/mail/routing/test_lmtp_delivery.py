from pathlib import Path

from mailstead.foundation.identifiers import new_ulid
from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.routing.delivery import LocalRecipient
from mailstead.mail.routing.lmtp_delivery import LmtpDelivery, LmtpTarget
from mailstead.mail.routing.router import Router
from mailstead.stores.directory.records import Destination
from support.installation import Installation, installation
from support.smtp_dialogue import smtp, smtp_server


async def recipient(made: Installation, address: str) -> LocalRecipient:
    alias = await made.directory.alias(address)
    mailbox_id = alias.mailbox_id if alias is not None else ""
    return LocalRecipient(address, Destination("mailbox", address, mailbox_id))


async def test_a_message_sent_again_after_a_lost_reply_is_there_once(tmp_path: Path) -> None:
    async with installation(tmp_path) as made, smtp(made) as opened, smtp_server(opened, "lmtp", "none") as (port, _):
        local = LmtpDelivery(LmtpTarget("127.0.0.1", port), "mx.example.test")
        targets = [await recipient(made, f"{name}@example.test") for name in ("alice", "bob")]
        way, other = new_ulid(), new_ulid()
        for trace_id, text in ((way, b"one"), (way, b"one"), (way, b"two"), (other, b"one"), ("", b"one")):
            with Spool(1000, tmp_path) as spool:
                spool.append(b"Subject: x\r\n\r\n" + text + b"\r\n")
                results = await local.deliver("a@b.test", targets, spool, trace_id)
            assert [result.outcome for result in results] == ["delivered"] * 2
        for name in ("alice", "bob"):
            bodies = [raw[-5:] for raw in await made.messages(f"{name}@example.test")]
            # another text under the same id is another message, and so is one without an id
            assert bodies == [b"one\r\n", b"two\r\n", b"one\r\n", b"one\r\n"]


async def test_a_storage_service_that_is_away_defers_everybody(tmp_path: Path) -> None:
    async with installation(tmp_path) as made:
        local = LmtpDelivery(LmtpTarget(f"unix:{tmp_path}/nobody.sock", 0), "mx.example.test")
        targets = [await recipient(made, f"{name}@example.test") for name in ("alice", "bob")]
        with Spool(1000, tmp_path) as spool:
            spool.append(b"Subject: x\r\n\r\nx\r\n")
            results = await local.deliver("a@b.test", targets, spool, "t1")
        assert [(result.outcome, result.smtp_code) for result in results] == [("deferred", 451)] * 2


async def test_what_is_submitted_is_signed_before_anybody_gets_it(tmp_path: Path) -> None:
    """Else a mailbox that gets it from the queue in the end would take it for another message."""
    async with installation(tmp_path) as made, smtp(made) as opened:
        signed: list[bytes] = []

        async def sign(message: Spool) -> None:
            message.prepend(b"DKIM-Signature: x\r\n")
            signed.append(message.read())

        router = Router(
            made.directory, opened.services.local, opened.queue, made.trace, made.clock, "submission", prepare=sign
        )
        with Spool(1000, tmp_path) as spool:
            spool.append(b"Subject: x\r\n\r\nx\r\n")
            envelope = Envelope(
                sender="bob@example.test",
                recipients=(EnvelopeRecipient("alice@example.test"), EnvelopeRecipient("far@remote.test")),
            )
            await router.accept(envelope, spool, "t1")
        (kept,) = await opened.queue.list_all()
        with opened.queue.read(kept) as message:
            assert b"".join(message.chunks()) == signed[0]
        assert (await made.messages("alice@example.test"))[0].endswith(signed[0])
