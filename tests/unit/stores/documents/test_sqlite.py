"""What is SQLite's own: the file, its schema, the shared transaction, the loop that is never held up."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.foundation.errors import InvalidError
from mailstead.stores.documents.interface import CollectionSpec, DuplicateError, Index, StoreUnavailableError
from mailstead.stores.documents.open import FILE_NAME, open_documents
from mailstead.stores.documents.sqlite.engine import SqliteDocuments
from mailstead.stores.documents.sqlite.schema import MIGRATIONS

SETTINGS = DocumentsSettings(expire_interval=0, busy_timeout=0.2)
SPEC = CollectionSpec("things", (Index(("n",)), Index(("tags",), many=True)))


async def make_store(data: Path) -> SqliteDocuments:
    documents = open_documents("sqlite:", data, SETTINGS)
    assert isinstance(documents, SqliteDocuments)
    await documents.open()
    return documents


@pytest.fixture
async def documents(tmp_path: Path) -> AsyncIterator[SqliteDocuments]:
    documents = await make_store(tmp_path / "data")
    yield documents
    await documents.close()


async def test_only_the_owner_may_read(documents: SqliteDocuments, tmp_path: Path) -> None:
    things = await documents.collection(SPEC)
    await things.insert({"id": "a"})
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    files = list((tmp_path / "data").glob(FILE_NAME + "*"))
    assert len(files) == 3
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


async def test_commits_reach_the_disk(documents: SqliteDocuments, tmp_path: Path) -> None:
    writer = documents._writer._connection
    assert writer.execute("PRAGMA synchronous").get == 2
    assert writer.execute("PRAGMA journal_mode").get == "wal"


async def test_a_newer_file_is_left_alone(tmp_path: Path) -> None:
    await (await make_store(tmp_path)).close()
    connection = apsw.Connection(str(tmp_path / FILE_NAME))
    connection.execute(f"PRAGMA user_version={len(MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(StoreUnavailableError, match="newer"):
        await make_store(tmp_path)


async def test_what_is_no_database(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database " * 1000)
    with pytest.raises(StoreUnavailableError):
        await make_store(tmp_path)


async def test_one_version_keeps_what_another_indexed(tmp_path: Path) -> None:
    old = await make_store(tmp_path)
    old_things = await old.collection(SPEC)
    await old_things.insert({"id": "before", "name": "x", "marks": ["m"]})
    new = await make_store(tmp_path)
    indexes = (*SPEC.indexes, Index(("name",), unique=True), Index(("marks", "n"), many=True))
    new_things = await new.collection(CollectionSpec("things", indexes))
    await old_things.insert({"id": "after", "name": "y", "marks": ["m"], "n": 5})
    await old_things.update("before", {"n": 7})
    with pytest.raises(DuplicateError):
        await old_things.insert({"id": "third", "name": "y"})
    found = await new_things.find({"marks": "m"}, order=[("n", -1)])
    assert [document["id"] for document in found] == ["before", "after"]
    await new.close()
    await old.close()


async def test_writes_at_the_same_time_share_a_transaction(documents: SqliteDocuments) -> None:
    things = await documents.collection(SPEC)
    commits = 0

    def count() -> bool:
        nonlocal commits
        commits += 1
        return False

    documents._writer._connection.set_commit_hook(count)
    await asyncio.gather(*(things.insert({"id": str(number)}) for number in range(100)))
    assert await things.count({}) == 100
    assert commits < 20


async def test_a_cancelled_write_is_not_begun(documents: SqliteDocuments) -> None:
    things = await documents.collection(SPEC)
    first = asyncio.create_task(things.insert({"id": "a"}))
    second = asyncio.create_task(things.insert({"id": "b"}))
    await asyncio.sleep(0)
    second.cancel()
    await first
    with pytest.raises(asyncio.CancelledError):
        await second
    await things.insert({"id": "c"})
    assert [document["id"] for document in await things.find({})] == ["a", "c"]


async def test_long_searches_leave_the_loop_alone(documents: SqliteDocuments) -> None:
    things = await documents.collection(SPEC)
    await things.insert_many([{"id": f"{number:05}", "n": 1, "plain": number} for number in range(8000)])
    # No index helps: each of these has to look at all documents, in a thread then.
    assert [found["id"] for found in await things.find({"plain": 7999}, limit=1)] == ["07999"]
    assert await things.count({"plain": {"$gte": 4000}}) == 4000
    claimed = await things.claim({"plain": 7998}, {"n": 2})
    assert claimed is not None
    assert (await things.find_one({"n": 2}) or {})["id"] == "07998"


async def test_waits_for_another_process_and_gives_up(documents: SqliteDocuments, tmp_path: Path) -> None:
    things = await documents.collection(SPEC)
    other = apsw.Connection(str(tmp_path / "data" / FILE_NAME))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailableError):
        await asyncio.gather(things.insert({"id": "a"}), things.insert({"id": "b"}))
    waiting = asyncio.create_task(things.insert({"id": "c"}))
    await asyncio.sleep(0)
    other.execute("COMMIT")
    await waiting
    other.close()
    assert await things.count({"id": "c"}) == 1


async def test_documents_have_a_limit(tmp_path: Path) -> None:
    documents = open_documents("sqlite:", tmp_path, DocumentsSettings(expire_interval=0, size_limit=65536))
    await documents.open()
    things = await documents.collection(SPEC)
    await things.insert({"id": "a", "x": "y" * 65000})
    with pytest.raises(InvalidError):
        await things.insert({"id": "b", "x": "y" * 65536})
    with pytest.raises(InvalidError):
        await things.update("a", {"z": "y" * 1000})
    assert (await things.get("a") or {})["version"] == 1
    await documents.close()


@pytest.mark.parametrize("url", ["", "mysql://x", "mongodb://", "mongodb://[x"])
def test_refuses_other_urls(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidError):
        open_documents(url, tmp_path)
