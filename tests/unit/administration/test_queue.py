"""The queue as people change it: rights, what is said, and the record of it."""

from pathlib import Path

import pytest

from mailstead.administration.actor import AUDIT, COMMAND_LINE, Actor
from mailstead.administration.queue import (
    Changed,
    drop_queued,
    hold_queued,
    list_queue,
    release_queued,
    retry_queued,
    show_queued,
)
from mailstead.foundation.errors import NotFoundError, PermissionDeniedError
from support.post_office import post_office

USER = Actor("alice@example.test", "user", user_id="alice")
ACTIONS = (hold_queued, retry_queued, release_queued, drop_queued)


async def test_each_action_says_what_it_did_and_is_recorded(tmp_path: Path) -> None:
    async with post_office(tmp_path, 1) as office:
        administration, queue = office.made.administration, office.queue
        queue_id = await office.send("a@remote.test", "b@other.test")
        office.clock.advance(1)
        other = await office.send("c@remote.test")
        assert [one.queue_id for one in await list_queue(COMMAND_LINE, queue, limit=10)] == [queue_id, queue_id, other]
        first, _ = await show_queued(COMMAND_LINE, queue, queue_id)
        alone = await hold_queued(administration, COMMAND_LINE, queue, first.id)
        assert alone == Changed(first.id, done=1)
        assert await hold_queued(administration, COMMAND_LINE, queue, queue_id) == Changed(
            queue_id, done=1, unchanged=1
        )
        assert await retry_queued(administration, COMMAND_LINE, queue, queue_id) == Changed(queue_id, unchanged=2)
        assert await release_queued(administration, COMMAND_LINE, queue, queue_id) == Changed(queue_id, done=2)
        assert await drop_queued(administration, COMMAND_LINE, queue, queue_id) == Changed(queue_id, done=2)
        assert [path.stem for path in queue.files.folder.glob("*.eml")] == [other]
        with pytest.raises(NotFoundError):
            await drop_queued(administration, COMMAND_LINE, queue, queue_id)
        audit = await office.made.documents.collection(AUDIT)
        entries = await audit.find({"target": queue_id}, order=[("at", 1)])
        assert {(entry["actor"], entry["action"]) for entry in entries} == {
            ("command line", f"queue.{what}") for what in ("hold", "retry", "release", "drop")
        }


async def test_it_is_for_admins_alone(tmp_path: Path) -> None:
    async with post_office(tmp_path, 1) as office:
        queue_id = await office.send("a@remote.test")
        for action in ACTIONS:
            with pytest.raises(PermissionDeniedError):
                await action(office.made.administration, USER, office.queue, queue_id)
        with pytest.raises(PermissionDeniedError):
            await show_queued(USER, office.queue, queue_id)
        with pytest.raises(PermissionDeniedError):
            await list_queue(USER, office.queue, limit=1)
        assert (await office.one()).state == "ready"
