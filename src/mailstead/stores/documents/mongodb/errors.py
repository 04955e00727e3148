"""What pymongo raises, in the contract's words."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo.errors import BulkWriteError, DocumentTooLarge, DuplicateKeyError, OperationFailure, PyMongoError

from mailstead.foundation.errors import InvalidError
from mailstead.stores.documents.interface import CollectionSpec, DuplicateError, StoreUnavailableError

_DUPLICATE_KEY = 11000
_REST = re.compile(r" \(configured timeouts|, Timeout: |, full error: ")
_TOO_LARGE = (10334, 17419, 17420)


@contextmanager
def database_errors(spec: CollectionSpec | None = None) -> Iterator[None]:
    """Turns pymongo's errors into DuplicateError (of `spec`'s collection) and StoreUnavailableError."""
    try:
        yield
    except DuplicateKeyError as error:
        raise _duplicate(spec, error.details or {}) from error
    except BulkWriteError as error:
        failures = (error.details or {}).get("writeErrors") or [{}]
        if failures[0].get("code") == _DUPLICATE_KEY:
            raise _duplicate(spec, failures[0]) from error
        raise StoreUnavailableError(detail=_words(error)) from error
    except DocumentTooLarge as error:
        raise InvalidError(detail="a document larger than MongoDB takes") from error
    except PyMongoError as error:
        if isinstance(error, OperationFailure) and error.code in _TOO_LARGE:
            raise InvalidError(detail="a document larger than MongoDB takes") from error
        raise StoreUnavailableError(detail=_words(error)) from error


def _words(error: PyMongoError) -> str:
    """The first part of what pymongo says; timeouts and the whole topology come after it."""
    text = _REST.split(str(error), maxsplit=1)[0].strip(" ,")
    return f"MongoDB: {text or type(error).__name__}"


def _duplicate(spec: CollectionSpec | None, details: Any) -> DuplicateError:
    fields = tuple("id" if field == "_id" else field for field in details.get("keyPattern", {}))
    return DuplicateError("" if spec is None else spec.name, fields)
