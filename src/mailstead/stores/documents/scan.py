"""Going through many documents without holding them all."""

from collections.abc import AsyncIterator

from mailstead.stores.documents.interface import Collection, Document, Order, Where


async def scan(collection: Collection, where: Where, *, order: Order = (), page: int = 200) -> AsyncIterator[Document]:
    """Every matching document by `order`, read `page` at a time; sees changes made while it goes."""
    last: Document | None = None
    while True:
        found = await collection.find(where, order=order, limit=page, after=last)
        for document in found:
            yield document
        if len(found) < page:
            return
        last = found[-1]
