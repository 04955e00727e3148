"""A server that waits for its first configuration is made a replica set; others are left as they are."""

import asyncio
from pathlib import Path

import pytest

from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.stores.documents.interface import CollectionSpec, StoreUnavailableError
from mailstead.stores.documents.open import open_documents
from support.mongod import mongod

PATIENT = DocumentsSettings(expire_interval=0, connect_timeout=60)
BRIEF = DocumentsSettings(expire_interval=0, connect_timeout=2)


async def test_by_several_processes_at_once(tmp_path: Path) -> None:
    with mongod(initiated=False) as url:
        stores = [open_documents(url, tmp_path, PATIENT) for _ in range(3)]
        await asyncio.gather(*(store.open() for store in stores))
        for number, store in enumerate(stores):
            collection = await store.collection(CollectionSpec("things"))
            await collection.insert({"id": str(number)})
            await store.close()


async def test_not_where_the_url_names_no_set(tmp_path: Path) -> None:
    with mongod(initiated=False) as url:
        store = open_documents(url.replace("?replicaSet=rs0", ""), tmp_path, BRIEF)
        with pytest.raises(StoreUnavailableError):
            await store.open()
        await store.close()
        named = open_documents(url, tmp_path, PATIENT)
        await named.open()  # which shows that it was left alone
        await named.close()
