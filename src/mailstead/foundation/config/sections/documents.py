"""Options of the document store."""

from typing import Annotated

import msgspec

from mailstead.foundation.config.option import duration, number, size


class DocumentsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The document store."""

    size_limit: Annotated[int, size("Largest document, packed", least=64 * 1024)] = 1024**2
    cache_size: Annotated[int, size("Page cache of each connection to DATA/documents.db")] = 4 * 1024**2
    busy_timeout: Annotated[float, duration("How long a writer waits for those of other processes")] = 10.0
    batch_limit: Annotated[int, number("Writes that share one commit", least=1)] = 128
    expire_interval: Annotated[float, duration("Pause between removals of ended documents; 0: never")] = 60.0
    connect_timeout: Annotated[float, duration("How long to look for a MongoDB server", least=0.1)] = 5.0
    operation_timeout: Annotated[float, duration("How long a MongoDB operation may take", least=0.1)] = 20.0
    pool_size: Annotated[int, number("Connections to MongoDB per process", least=1)] = 20
