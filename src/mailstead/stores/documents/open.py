"""From a URL to a document store."""

from pathlib import Path

from mailstead.foundation.clock import Clock, SystemClock
from mailstead.foundation.config.sections.documents import DocumentsSettings
from mailstead.foundation.errors import InvalidError
from mailstead.stores.documents.interface import Documents
from mailstead.stores.documents.sqlite.engine import SqliteDocuments

FILE_NAME = "documents.db"


def open_documents(
    url: str, data: Path, settings: DocumentsSettings | None = None, clock: Clock | None = None
) -> Documents:
    """The store of `url`, not opened yet: `sqlite:` is `data`/documents.db, `mongodb://HOST/DATABASE` a server's.

    Raises InvalidError for other URLs.
    """
    settings = settings or DocumentsSettings()
    clock = clock or SystemClock()
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        return SqliteDocuments(data / FILE_NAME, settings, clock)
    if scheme in ("mongodb", "mongodb+srv"):
        from mailstead.stores.documents.mongodb.engine import MongoDocuments  # noqa: PLC0415 5 MB that few need

        return MongoDocuments(url, settings, clock)
    raise InvalidError(detail=f"no document store is called {scheme!r}")
