"""The queue's worker on both document engines, over real sockets and DNS."""

import asyncio
import email
from pathlib import Path

import pytest

from mailstead.foundation.spool import Spool
from mailstead.mail.envelope import Envelope, EnvelopeRecipient
from mailstead.mail.outbound.records import LOCAL
from mailstead.stores.documents.interface import StoreUnavailableError
from support.eventually import eventually
from support.post_office import MESSAGE, PostOffice, post_office
from support.scripted_smtp import EXTENSIONS, scripted_server

DAY = 86400.0


async def notices(office: PostOffice) -> list[str]:
    """What alice was told, as text."""
    return [message.decode() for message in await office.made.messages("alice@example.test")]


async def told(office: PostOffice, count: int) -> list[str]:
    async def are_there() -> bool:
        return len(await notices(office)) == count

    await eventually(are_there)
    return await notices(office)


async def test_what_is_delivered_is_gone_and_its_way_can_be_read(tmp_path: Path, documents_url: str) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port, documents_url) as office:
        office.start_worker()
        await office.send("dave@remote.test", "erin@remote.test", "carl@other.test")
        await office.emptied()
        assert sorted(sink.messages) == [
            ("alice@example.test", ["carl@other.test"], MESSAGE),
            ("alice@example.test", ["dave@remote.test", "erin@remote.test"], MESSAGE),
        ]
        assert "dave@remote.test: handed to mx.remote.test: 250 2.0.0 taken" in await office.trace()


async def test_some_are_taken_some_refused_some_wait_and_each_gets_it_once(tmp_path: Path, documents_url: str) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port, documents_url) as office:
        sink.scripts["RCPT"] = ["250 ok", "550 5.1.1 no erin", "451 4.2.1 later"]
        office.start_worker()
        await office.send("dave@remote.test", "erin@remote.test", "fred@remote.test")
        (notice,) = await told(office, 1)
        assert "Final-Recipient: rfc822; erin@remote.test\r\nAction: failed\r\nStatus: 5.1.1" in notice
        assert "dave" not in notice.partition("Return-Path")[2].partition("message/delivery-status")[2]
        waiting = await office.deferred()
        assert [one.address for one in waiting.recipients] == ["fred@remote.test"]
        assert waiting.last_error == "451 4.2.1 later"
        await office.pass_time(400)
        await office.emptied()
        assert sink.recipients() == ["dave@remote.test", "fred@remote.test"]
        assert len(await notices(office)) == 1


async def test_a_delay_is_told_once_and_the_end_after_five_days(tmp_path: Path, documents_url: str) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port, documents_url) as office:
        sink.scripts["MAIL"] = ["451 4.3.0 not now"] * 1000
        office.start_worker()
        await office.send("dave@remote.test")
        attempts, until = 1, office.clock.now() + 6 * DAY
        waiting = await office.deferred()
        while office.clock.now() < until:
            await office.pass_time(waiting.due_at - office.clock.now() + 1)

            async def settled(tried: int = attempts) -> bool:
                found = [one for one in await office.waiting() if one.destination != LOCAL]
                return not found or (found[0].state == "ready" and found[0].attempts > tried)

            await eventually(settled)
            left = [one for one in await office.waiting() if one.destination != LOCAL]
            if not left:
                break
            waiting, attempts = left[0], left[0].attempts
        delayed, failed = await told(office, 2)
        assert "Action: delayed" in delayed
        assert "Will-Retry-Until: " in delayed
        assert "Action: failed\r\nStatus: 4.4.7" in failed
        assert 20 < attempts < 60
        assert sink.messages == []
        await office.emptied()
        assert any("given up" in text for text in await office.trace())


async def test_nobody_is_told_of_a_notice(tmp_path: Path, documents_url: str) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port, documents_url) as office:
        sink.scripts["RCPT"] = ["550 5.1.1 no dave"]
        office.start_worker()
        await office.send("dave@remote.test", sender="")
        await office.emptied()
        assert await notices(office) == []


@pytest.mark.parametrize("knows_dsn", [True, False])
async def test_success_is_told_by_whoever_is_last_to_know(tmp_path: Path, knows_dsn: bool) -> None:
    extensions = tuple(one for one in EXTENSIONS if knows_dsn or one != "DSN")
    async with scripted_server(extensions=extensions) as sink, post_office(tmp_path, sink.port) as office:
        office.start_worker()
        recipient = EnvelopeRecipient("dave@remote.test", frozenset({"SUCCESS", "FAILURE"}), "rfc822;d+2Bx@remote.test")
        await office.enqueue(
            Envelope(sender="alice@example.test", recipients=(recipient,), ret="HDRS", envelope_id="a b")
        )
        await office.emptied()
        if knows_dsn:
            assert "MAIL FROM:<alice@example.test> SIZE=57 BODY=8BITMIME RET=HDRS ENVID=a+20b" in sink.lines
            assert "RCPT TO:<dave@remote.test> NOTIFY=FAILURE,SUCCESS ORCPT=rfc822;d+2Bx@remote.test" in sink.lines
            assert await notices(office) == []
        else:
            (notice,) = await told(office, 1)
            assert "Action: relayed" in notice
            assert "Original-Envelope-Id: a b" in notice
            assert "Original-Recipient: rfc822;d+2Bx@remote.test" in notice
            parts = email.message_from_string(notice).get_payload()
            assert [part.get_content_type() for part in parts] == [  # type: ignore[union-attr]
                "text/plain",
                "message/delivery-status",
                "text/rfc822-headers",
            ]


async def test_one_connection_carries_many_messages(tmp_path: Path) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port, per_destination=1) as office:
        for number in range(5):
            await office.send(f"user{number}@remote.test")
        office.start_worker()
        await office.emptied()
        assert (sink.connections, sink.verbs["EHLO"], sink.verbs["RSET"]) == (1, 1, 4)
        sink.hang_up()
        await office.send("later@remote.test")
        await office.emptied()
        assert (sink.connections, len(sink.messages)) == (2, 6)
        await office.stop()
        await eventually(lambda: sink.verbs["QUIT"] == 1)


async def test_a_connection_is_worn_after_some_messages(tmp_path: Path) -> None:
    async with (
        scripted_server() as sink,
        post_office(tmp_path, sink.port, per_destination=1, connection_messages=2) as office,
    ):
        for number in range(5):
            await office.send(f"user{number}@remote.test")
        office.start_worker()
        await office.emptied()
        assert (sink.connections, len(sink.messages)) == (3, 5)


async def test_a_destination_that_is_stuck_stops_nobody_else(tmp_path: Path, documents_url: str) -> None:
    async with scripted_server() as stuck, scripted_server() as free:
        zone = {"stuck.test": {"A": "127.0.0.1"}}
        stuck.hold_at = "DOT"
        async with post_office(tmp_path, stuck.port, documents_url, zone=zone, per_destination=3) as office:
            office.authority.put("free.test", "A", "127.0.0.1")
            for number in range(230):  # more than one look takes in
                await office.send(f"user{number}@stuck.test")
            office.start_worker()
            await eventually(lambda: stuck.waiting == 3)
            await office.send("dave@[127.0.0.1]")
            await eventually(lambda: stuck.waiting == 4)
            assert stuck.most_at_once == 4
            assert free.connections == 0
            stuck.gate.set()
            await office.emptied()
            assert len(set(stuck.recipients())) == len(stuck.recipients()) == 231
            assert stuck.most_at_once == 4


async def test_a_host_that_does_not_answer_is_not_tried_for_each_message(tmp_path: Path, documents_url: str) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port, documents_url, per_destination=1) as office:
        sink.scripts["CONNECT"] = [""] * 1000
        for number in range(20):
            await office.send(f"user{number}@remote.test")
        office.start_worker()

        async def all_wait() -> bool:
            return all(one.state == "ready" and one.attempts == 1 for one in await office.waiting())

        await eventually(all_wait)
        assert sink.connections == 1
        reasons = [one.last_error for one in await office.waiting()]
        assert sum("not tried" in reason for reason in reasons) == 19
        sink.scripts.clear()
        first = (await office.waiting())[0]
        assert await office.queue.retry(first) == "done"  # a person's word counts more
        await eventually(lambda: len(sink.messages) == 1)
        await office.pass_time(400)
        await office.emptied()
        assert len(sink.messages) == 20


async def test_a_stop_gives_back_what_it_cuts_short(tmp_path: Path, documents_url: str) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port, documents_url) as office:
        sink.hold_at = "DATA"
        office.start_worker()
        await office.send("dave@remote.test")
        await eventually(lambda: sink.waiting == 1)
        await office.stop(timeout=0.01)
        given_back = await office.one()
        assert (given_back.state, given_back.attempts, given_back.worker) == ("ready", 0, "")
        sink.hold_at = ""
        office.start_worker()
        await office.emptied()
        assert sink.recipients() == ["dave@remote.test"]


async def test_a_lease_lasts_as_long_as_its_attempt(tmp_path: Path, documents_url: str) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port, documents_url, lease=0.3) as office:
        sink.hold_at = "DOT"
        office.start_worker()
        await office.send("dave@remote.test")
        await eventually(lambda: sink.waiting == 1)
        for _ in range(5):
            office.clock.advance(0.25)

            async def is_extended() -> bool:
                return (await office.one()).lease_until > office.clock.now() + 0.2

            await eventually(is_extended)
        sink.gate.set()
        await office.emptied()
        assert sink.recipients() == ["dave@remote.test"]


async def test_work_of_the_dead_goes_to_the_next(tmp_path: Path, documents_url: str) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port, documents_url) as office:
        sink.hold_at = "DATA"
        office.start_worker()
        await office.send("dave@remote.test")
        await eventually(lambda: sink.waiting == 1)
        await office.kill_worker()
        assert (await office.one()).state == "claimed"
        sink.hold_at = ""
        office.start_worker()
        await office.emptied()
        assert sink.recipients() == ["dave@remote.test"]


async def test_people_hold_release_and_drop_while_a_worker_tries(tmp_path: Path, documents_url: str) -> None:
    async with (
        scripted_server(extensions=("8BITMIME",)) as sink,
        post_office(tmp_path, sink.port, documents_url, lease=0.3) as office,
    ):
        queue = office.queue
        sink.hold_at = "MAIL"
        sink.scripts["MAIL"] = ["451 4.0.0 later"]
        office.start_worker()
        await office.send("dave@remote.test")
        await eventually(lambda: sink.waiting == 1)
        claimed = await office.one()
        assert await queue.retry(claimed) == "busy"
        assert await queue.hold(claimed) == "busy"
        sink.gate.set()

        async def is_held() -> bool:
            return (await office.one()).state == "held"

        await eventually(is_held)
        held = await office.one()
        assert await queue.hold(held) == "unchanged"
        assert await queue.retry(held) == "unchanged"
        sink.gate.clear()
        assert await queue.release(held) == "done"
        await eventually(lambda: sink.waiting == 2)
        assert await queue.drop(held) == "busy"
        await eventually(lambda: sink.open_now == 0)  # the attempt is ended, not finished
        assert await queue.drop(held) == "unchanged"
        sink.hold_at = ""
        await office.send("erin@remote.test")
        await office.emptied()
        assert sink.recipients() == ["erin@remote.test"]


async def test_a_store_that_is_away_neither_ends_the_worker_nor_repeats_a_delivery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port) as office:
        failures = {"claim": 2, "delete": 2}
        monkeypatch.setattr("mailstead.mail.outbound.worker._STORE_PAUSE", 0.01)
        for name in list(failures):
            real = getattr(office.queue.consignments, name)

            async def unreliable(*given: object, name: str = name, real: object = real, **more: object) -> object:
                if failures[name]:
                    failures[name] -= 1
                    raise StoreUnavailableError
                return await real(*given, **more)  # type: ignore[operator]

            monkeypatch.setattr(office.queue.consignments, name, unreliable)
        await office.send("dave@remote.test")
        office.start_worker()
        await office.emptied()
        assert failures == {"claim": 0, "delete": 0}
        assert sink.recipients() == ["dave@remote.test"]


async def test_a_message_without_its_file_is_held_not_dropped(tmp_path: Path) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port) as office:
        queue_id = await office.send("dave@remote.test")
        path = office.queue.files.path(queue_id)
        path.rename(path.with_suffix(".away"))
        office.start_worker()

        async def is_held() -> bool:
            return (await office.one()).state == "held"

        await eventually(is_held)
        path.with_suffix(".away").rename(path)
        assert await office.queue.release(await office.one()) == "done"
        await office.emptied()
        assert sink.recipients() == ["dave@remote.test"]


async def test_mail_of_another_queue_folder_is_left_to_its_workers(tmp_path: Path, documents_url: str) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port, documents_url) as office:
        queue_id = await office.send("dave@remote.test")
        await office.queue.consignments.claim({"queue_id": queue_id}, {"home": "another"})
        office.start_worker()
        await office.send("erin@remote.test")
        await eventually(lambda: len(sink.messages) == 1)
        await office.stop()
        assert (await office.one()).home == "another"
        assert sink.recipients() == ["erin@remote.test"]


async def test_files_that_nobody_names_are_swept_when_they_are_old(tmp_path: Path) -> None:
    async with post_office(tmp_path, 1) as office:
        queue_id = await office.send("dave@remote.test")
        folder = office.queue.files.folder
        names = {"01old.eml", ".01unfinished", "01young.eml"}
        for name in names:
            (folder / name).write_bytes(b"x")
        import os

        for path in (*folder.glob("01old*"), folder / ".01unfinished", office.queue.files.path(queue_id)):
            os.utime(path, (1, 1))
        assert await office.queue.sweep() == 2
        assert {path.name for path in folder.iterdir()} == {"id", "01young.eml", f"{queue_id}.eml"}


CRASHES = [
    ("change_claimed", "after"),
    ("enqueue_owed", "before"),
    ("enqueue_owed", "after"),
    ("finish", "before"),
    ("remove", "before"),
    ("remove", "after"),
    ("_put_back", "after"),
    ("adopt", "before"),
]


@pytest.mark.parametrize(("point", "when"), CRASHES)
async def test_a_crash_while_an_outcome_is_written_down_repeats_nothing(
    tmp_path: Path, documents_url: str, point: str, when: str
) -> None:
    """dave gets it, erin is refused (and alice told), fred waits; then the worker is killed at `point`."""
    async with scripted_server() as sink, post_office(tmp_path, sink.port, documents_url) as office:
        crashed = asyncio.Event()
        real = getattr(office.queue, point)

        async def crash(*given: object, **more: object) -> object:
            if when == "after":
                await real(*given, **more)
            crashed.set()
            await asyncio.Event().wait()
            raise AssertionError("killed before")

        fred = [] if point == "remove" else ["451 4.2.1 later"]
        sink.scripts["RCPT"] = ["250 ok", "550 5.1.1 no erin", *fred]
        setattr(office.queue, point, crash)
        office.start_worker()
        addresses = ["dave@remote.test", "erin@remote.test", "fred@remote.test"]
        await office.send(*addresses[: 2 + len(fred)])
        async with asyncio.timeout(20):
            await crashed.wait()
        await office.kill_worker()
        setattr(office.queue, point, real)
        office.start_worker()
        (notice,) = await told(office, 1)
        assert "erin@remote.test\r\nAction: failed" in notice
        if fred:
            await office.deferred()
            await office.pass_time(400)
        await office.emptied()
        assert sink.recipients() == ["dave@remote.test", "fred@remote.test"][: 1 + len(fred)]
        assert len(await notices(office)) == 1


async def test_aliases_that_lead_to_each_other_end_and_a_mailbox_gets_it_once(tmp_path: Path) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port) as office:
        made = office.made
        await made.add_account("ring1@example.test", forward_to=("ring2@example.test", "far@remote.test"))
        await made.add_account("ring2@example.test", forward_to=("ring1@example.test", "bob@example.test"))
        office.start_worker()
        await office.send("ring1@example.test", "bob@example.test")
        await office.emptied()
        for who in ("ring1", "ring2", "bob"):
            assert len(await made.messages(f"{who}@example.test")) == 1
        assert sink.recipients() == ["far@remote.test"]


async def test_what_is_to_be_queued_once_is_queued_once(tmp_path: Path, documents_url: str) -> None:
    async with scripted_server() as sink, post_office(tmp_path, sink.port, documents_url) as office:
        office.start_worker()
        envelope = Envelope(sender="alice@example.test", recipients=(EnvelopeRecipient("dave@remote.test"),))
        for expected in (True, False):
            with Spool(1000, tmp_path) as spool:
                spool.append(MESSAGE)
                assert bool(await office.queue.enqueue(envelope, spool, "trace1", once="reply to m1")) is expected
            await office.emptied()
        assert sink.recipients() == ["dave@remote.test"]
        assert await office.waiting() == []
