"""Calendars and address books of a mailbox."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailstead.foundation.crypto.data_key import DataKey
from mailstead.foundation.errors import OverQuotaError
from mailstead.stores.mailbox.dav.records import (
    CollectionExistsError,
    InvalidTokenError,
    NewObject,
    NoSuchCollectionError,
    NoSuchObjectError,
    PreconditionFailedError,
    UidConflictError,
)
from mailstead.stores.mailbox.dav.store import DavStore
from mailstead.stores.mailbox.records import NewMessage
from support.mailbox_store import open_mailboxes

KEY = DataKey(bytes(range(32)))
DATA = b"BEGIN:VCALENDAR\r\n\x00odd\xff\nEND:VCALENDAR"


def new(
    name: str, data: bytes = DATA, uid: str = "", starts_at: int | None = None, ends_at: int | None = None
) -> NewObject:
    return NewObject(name, uid or name, "VEVENT", data, starts_at, ends_at)


def names(store: DavStore, collection: int, since: int | None = None, until: int | None = None) -> list[str]:
    return [row.name for row in store.objects(collection, since, until)]


async def test_defaults_are_made_once_and_stay_deleted(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        store = (await mailboxes.open("m1", KEY)).dav
        made = [(one.name, one.components) for one in store.collections("calendar")]
        assert made == [("default", ("VEVENT",)), ("tasks", ("VTODO",))]
        assert [one.name for one in store.collections("addressbook")] == ["default"]
        store.delete_collection(store.collection("calendar", "tasks").id)
        assert [one.name for one in store.collections("calendar")] == ["default"]
        with pytest.raises(NoSuchCollectionError):
            store.collection("calendar", "tasks")


async def test_objects_come_back_byte_for_byte_after_the_file_was_closed(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        store = (await mailboxes.open("m1", KEY)).dav
        home = store.create("calendar", "home", ("VEVENT",), {"{x}color": b"red"})
        row, is_new = store.put(home.id, new("a.ics"), 5)
        assert is_new
        with pytest.raises(CollectionExistsError):
            store.create("calendar", "home", ())
        store.create("addressbook", "home", ())
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        store = mailbox.dav
        assert store.find(home.id, "a.ics") == row
        assert store.read([row.id, 999]) == {row.id: DATA}
        assert store.properties(home.id) == {"{x}color": b"red"}
        store.set_properties(home.id, {"{x}color": None, "{x}order": b"1"})
        assert store.properties(home.id) == {"{x}order": b"1"}
        assert mailbox.check() == []


async def test_preconditions_and_uids(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        store = (await mailboxes.open("m1", KEY)).dav
        home = store.create("calendar", "home", ()).id
        first, _ = store.put(home, new("a"), 1, if_none_match=True)
        with pytest.raises(PreconditionFailedError):
            store.put(home, new("a", b"2"), 1, if_none_match=True)
        with pytest.raises(PreconditionFailedError):
            store.put(home, new("a", b"2"), 1, if_match='"other"')
        with pytest.raises(PreconditionFailedError):
            store.put(home, new("b", b"2"), 1, if_match="*")
        with pytest.raises(UidConflictError) as conflict:
            store.put(home, new("b", uid="a"), 1)
        assert conflict.value.name == "a"
        token = store.collection("calendar", "home").token
        assert store.put(home, new("a"), 9) == (first, False)
        assert store.collection("calendar", "home").token == token
        second, is_new = store.put(home, new("a", b"2"), 1, if_match=first.etag)
        assert (is_new, second.etag != first.etag) == (False, True)
        with pytest.raises(PreconditionFailedError):
            store.delete(home, "a", 1, if_match=first.etag)
        store.delete(home, "a", 1, if_match=second.etag)
        with pytest.raises(NoSuchObjectError):
            store.delete(home, "a", 1)
        with pytest.raises(NoSuchCollectionError):
            store.put(home + 99, new("a"), 1)


async def test_time_ranges_find_what_may_take_place(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        store = (await mailboxes.open("m1", KEY)).dav
        home = store.create("calendar", "home", ()).id
        for name, start, end in (("once", 10, 20), ("endless", 15, None), ("timeless", None, None)):
            store.put(home, new(name, starts_at=start, ends_at=end), 1)
        assert names(store, home) == ["endless", "once", "timeless"]
        assert names(store, home, 21, 30) == ["endless", "timeless"]
        assert names(store, home, 0, 12) == ["once", "timeless"]
        assert names(store, home, 0, 5) == ["timeless"]


async def test_quota_counts_objects_with_messages(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        store = mailbox.dav
        home = store.create("calendar", "home", ()).id
        store.put(home, new("a", b"x" * 600), 1, quota=1000)
        with pytest.raises(OverQuotaError):
            store.put(home, new("b", b"x" * 500), 1, quota=1000)
        assert names(store, home) == ["a"]
        inbox = mailbox.folder("INBOX").id
        with pytest.raises(OverQuotaError):
            mailbox.append(inbox, [NewMessage(b"y" * 500)], 1000)
        assert mailbox.usage().size == 600
        store.put(home, new("a", b"x" * 100), 1, quota=1000)
        mailbox.append(inbox, [NewMessage(b"y" * 500)], 1000)
        assert mailbox.usage().size == 600
        store.delete_collection(home)
        assert mailbox.usage().size == 500
        assert mailbox.check() == []


async def test_tokens_that_cannot_be_answered(tmp_path: Path) -> None:
    async with open_mailboxes(tmp_path) as mailboxes:
        mailbox = await mailboxes.open("m1", KEY)
        store = mailbox.dav
        old = store.create("calendar", "home", ())
        store.delete_collection(old.id)
        home = store.create("calendar", "home", ())
        for token in (old.token, home.token + 1):
            with pytest.raises(InvalidTokenError):
                store.changes(home.id, token)
        store.put(home.id, new("a"), 1)
        store.put(home.id, new("b", uid="b"), 1)
        seen = store.changes(home.id, None).token
        store.delete(home.id, "a", now=100)
        kept = store.changes(home.id, seen)
        assert (kept.deleted, kept.changed) == (["a"], [])
        mailbox.expire(100 + 400 * 86400)
        with pytest.raises(InvalidTokenError):
            store.changes(home.id, seen)
        assert store.changes(home.id, kept.token).deleted == []
        assert mailbox.check() == []


class Client:
    """What a client knows: it syncs page by page."""

    def __init__(self, store: DavStore, collection: int) -> None:
        self.store, self.collection = store, collection
        self.token: int | None = None
        self.known: dict[str, str] = {}

    def sync(self, most: int | None) -> bool:
        """One request; whether there is more."""
        found = self.store.changes(self.collection, self.token, most)
        assert most is None or len(found.changed) + len(found.deleted) <= most
        for row in found.changed:
            self.known[row.name] = row.etag
        for name in found.deleted:
            self.known.pop(name, None)
        self.token = found.token
        return found.is_more


_OPERATIONS = st.lists(
    st.tuples(st.just("put"), st.integers(0, 5), st.integers(0, 3))
    | st.tuples(st.just("delete"), st.integers(0, 5), st.just(0))
    | st.tuples(st.just("sync"), st.integers(0, 1), st.integers(1, 4)),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(_OPERATIONS)
def test_two_clients_equal_the_server_after_any_changes(operations: list[tuple[str, int, int]]) -> None:
    async def play(folder: Path) -> None:
        async with open_mailboxes(folder) as mailboxes:
            mailbox = await mailboxes.open("m1", KEY)
            store = mailbox.dav
            home = store.create("calendar", "home", ()).id
            clients = (Client(store, home), Client(store, home))
            model: dict[str, bytes] = {}
            for what, which, value in operations:
                name = f"{which}.ics"
                if what == "put":
                    store.put(home, new(name, b"%d" % value), 1)
                    model[name] = b"%d" % value
                elif what == "sync":
                    clients[which].sync(value)
                elif name in model:
                    store.delete(home, name, 1)
                    del model[name]
            rows = store.objects(home)
            octets = store.read([row.id for row in rows])
            assert {row.name: octets[row.id] for row in rows} == model
            for client, most in zip(clients, (1, None), strict=True):
                while client.sync(most):
                    pass
                assert client.known == {row.name: row.etag for row in rows}
            assert mailbox.check() == []

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder)))
