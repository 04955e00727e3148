"""Messages in order, and what threads are made of."""

from pathlib import Path

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.stores.mailbox.records import NewMessage
from mailstead.stores.mailbox.search.order import SortKey
from support.mailbox_store import open_mailboxes

KEY = DataKey(bytes(range(32)))
MESSAGES = [
    b'From: "Zoe" <a@x.test>\r\nTo: q@x.test\r\nSubject: Re: lunch\r\nDate: Mon, 2 Feb 2026 10:00:00 +0000\r\n'
    b"Message-ID: <1@x>\r\n\r\none\r\n",
    b"From: c@x.test\r\nTo: =?utf-8?q?=C3=84nne?= <z@x.test>, b@x.test\r\nCc: k@x.test\r\nSubject: breakfast\r\n"
    b"Date: Mon, 2 Feb 2026 11:00:00 +0900\r\nMessage-ID: <2@x>\r\nReferences: <0@x>\r\n <1@x>\r\n\r\nlonger text\r\n",
    b"From: b@x.test\r\nSubject: [list] lunch\r\nMessage-ID: <3@x>\r\nIn-Reply-To: <2@x> <9@x>\r\n\r\nx\r\n",
]


async def test_every_key(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        inbox = mailbox.folder("INBOX").id
        mailbox.append(inbox, [NewMessage(raw, internal_date=9 - place) for place, raw in enumerate(MESSAGES)])

        def order(*keys: SortKey) -> list[int]:
            return mailbox.in_order(inbox, [1, 2, 3], keys)

        assert order(SortKey("ARRIVAL")) == [3, 2, 1]
        assert order(SortKey("ARRIVAL", True)) == [1, 2, 3]
        assert order(SortKey("DATE")) == [3, 2, 1]
        assert order(SortKey("FROM")) == [1, 3, 2]
        assert order(SortKey("TO")) == [3, 1, 2]
        assert order(SortKey("CC"), SortKey("FROM", True)) == [3, 1, 2]
        assert order(SortKey("SUBJECT")) == [2, 1, 3]
        assert order(SortKey("SUBJECT", True), SortKey("ARRIVAL")) == [3, 1, 2]
        assert order(SortKey("SIZE")) == [3, 1, 2]
        assert order(SortKey("DISPLAYFROM")) == [3, 2, 1]
        assert order(SortKey("DISPLAYTO")) == [3, 1, 2]
        assert mailbox.in_order(inbox, [2, 3], [SortKey("FROM")]) == [3, 2]
        assert mailbox.in_order(inbox, [], [SortKey("FROM")]) == []


async def test_ancestry_is_kept_and_read_from_headers_where_it_was_not(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        inbox = mailbox.folder("INBOX").id
        mailbox.append(inbox, [NewMessage(raw) for raw in MESSAGES])
        expected = [(1, "1@x", ()), (2, "2@x", ("0@x", "1@x")), (3, "3@x", ("2@x",))]

        def found() -> list[tuple[int, str, tuple[str, ...]]]:
            return [(one.uid, one.identifier, one.ancestors) for one in mailbox.threaded(inbox, [1, 2, 3])]

        assert found() == expected
        with mailbox._handle.write() as connection:
            connection.execute("DELETE FROM ancestry WHERE message_id > 1")
        assert found() == expected
        with mailbox._handle.read() as connection:
            assert connection.execute("SELECT count(*) FROM ancestry").fetchall() == [(3,)]
        assert [one.base for one in mailbox.threaded(inbox, [1, 3])] == ["lunch", "lunch"]
