"""A window of conversations, over every offset, beside the plain truth."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstead.formats.message.envelope_shown import Person
from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.identifiers import new_ulid
from mailstead.interfaces.reading.conversations import Window, conversations, thread_places
from mailstead.interfaces.reading.deception import deception
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.mailbox.records import NewMessage
from support.mailbox_store import open_mailboxes


def message(number: int, thread: int) -> NewMessage:
    head = f"From: a@b.test\r\nSubject: thread {thread}\r\nMessage-ID: <{number}@b.test>\r\n"
    return NewMessage((head + f"References: <root{thread}@b.test>\r\n\r\ntext {number}\r\n").encode())


@settings(max_examples=12, deadline=None)
@given(threads=st.lists(st.integers(0, 5), min_size=1, max_size=40), limit=st.integers(1, 7))
def test_windows_name_each_thread_once(
    threads: list[int], limit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async def run() -> None:
        async with open_mailboxes(tmp_path_factory.mktemp("box")) as mailboxes:
            with DataKey.generate() as key:
                check(await mailboxes.open(new_ulid(), key), threads, limit)

    asyncio.run(run())


def check(mailbox: Mailbox, threads: list[int], limit: int) -> None:
    inbox = mailbox.folder("INBOX")
    mailbox.append(inbox.id, [message(number, thread) for number, thread in enumerate(threads)])
    newest = {thread: place for place, thread in enumerate(threads)}
    wanted = [place + 1 for place in sorted(newest.values(), reverse=True)]
    found: list[tuple[int, int]] = []
    before: Window | None = None
    offset = 0
    while True:
        window = conversations(mailbox, inbox.id, offset=offset, limit=limit)
        found += [(one.row.uid, one.messages) for one in window.rows]
        if before is None:
            assert window.newer is None
        else:
            assert window.newer is not None
            assert conversations(mailbox, inbox.id, offset=window.newer, limit=limit).rows == before.rows
        before = window
        if window.older is None:
            break
        offset = window.older
    assert [uid for uid, _ in found] == wanted
    assert [count for _, count in found] == [threads.count(threads[uid - 1]) for uid in wanted]
    for one in window.rows:
        places = thread_places(mailbox, inbox.id, one.row.thread_id, ())
        assert len(places) == threads.count(threads[one.row.uid - 1])
        assert thread_places(mailbox, inbox.id, one.row.thread_id, (inbox.id,)) == []


@pytest.mark.parametrize(
    ("name", "address", "found"),
    [
        ("Anna", "anna@example.org", ""),
        ("anna@example.org", "anna@example.org", ""),
        ("anna@example.org", "eve@evil.test", "name"),
        ("Bank", "info@xn--80ak6aa92e.com", "script"),
        ("Почта", "info@xn--80a1acny.xn--p1ai", ""),
        ("Mixed", "info@xn--pple-43d.com", "script"),
        ("Broken", "info@xn--\x00.com", ""),
        ("", "", ""),
    ],
)
def test_deceptive_senders_are_found(name: str, address: str, found: str) -> None:
    assert deception(Person(name, address)) == found
