"""The documents of a backup in one file: pieces of MessagePack, each after its length in four octets."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from mailstead.foundation.errors import PermanentError
from mailstead.stores.documents.interface import Document

T = TypeVar("T")
FORM = 1
_LENGTH = 4
_pack = msgspec.msgpack.Encoder().encode


class DocumentsFileError(PermanentError):
    """The file is not whole, or of a newer form."""

    public_text = "The backup's documents cannot be read"


class DocumentsWriter:
    """Writes what `Documents.dump` gives."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.count = 0
        self._put(FORM)

    def take(self, name: str, documents: Sequence[Document]) -> None:
        """Some documents of one collection."""
        self._put((name, documents))
        self.count += len(documents)

    def finish(self) -> None:
        """Say that nothing is missing."""
        self._put(("", [{"count": self.count}]))

    def _put(self, value: object) -> None:
        packed = _pack(value)
        self._file.write(len(packed).to_bytes(_LENGTH, "big"))
        self._file.write(packed)


def read_documents(path: Path) -> Iterator[tuple[str, list[Document]]]:
    """Names of collections and some of their documents. Raises DocumentsFileError when it is not whole, OSError."""
    count = 0
    with path.open("rb") as file:
        if _next(file, int, path) != FORM:
            raise DocumentsFileError(detail=f"{path} is of another form")
        while True:
            name, documents = _next(file, tuple[str, list[Document]], path)
            if not name:
                if documents != [{"count": count}] or file.read(1):
                    raise DocumentsFileError(detail=f"{path} is not whole")
                return
            count += len(documents)
            yield name, documents


def _next(file: BinaryIO, kind: type[T], path: Path) -> T:
    length = file.read(_LENGTH)
    packed = file.read(int.from_bytes(length, "big"))
    try:
        if len(length) < _LENGTH:
            raise DocumentsFileError(detail=f"{path} ends too soon")
        return msgspec.msgpack.decode(packed, type=kind)
    except msgspec.MsgspecError as error:
        raise DocumentsFileError(detail=f"{path}: {error}") from error
