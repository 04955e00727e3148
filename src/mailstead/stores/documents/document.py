"""Checks of whole documents, changes and collection specs, before an engine sees them."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mailstead.foundation.errors import InvalidError
from mailstead.stores.documents.interface import CollectionSpec, Document
from mailstead.stores.documents.value import checked_identifier, checked_name, checked_value, rank

_COLLECTION_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_INDEXED_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def check_spec(spec: CollectionSpec) -> None:
    """Raises InvalidError unless the names and the indexes of `spec` are ones that every engine can keep."""
    if not _COLLECTION_NAME.fullmatch(spec.name):
        raise InvalidError(detail=f"collection name {spec.name!r}")
    scalars: set[str] = set()
    lists: set[str] = set()
    for index in spec.indexes:
        (lists if index.many else scalars).update(index.fields[:1])
        scalars.update(index.fields[1:])
        if not index.fields or len(set(index.fields)) != len(index.fields):
            raise InvalidError(detail=f"{spec.name}: fields of an index")
        if not all(_INDEXED_NAME.fullmatch(field) and field != "version" for field in index.fields):
            raise InvalidError(detail=f"{spec.name}: names of indexed fields are [a-z][a-z0-9_]*, version excepted")
        if index.expire_after is not None and (index.many or index.unique or len(index.fields) != 1):
            raise InvalidError(detail=f"{spec.name}: an index that ends documents is over one field, not unique")
    if lists & scalars or "id" in lists:
        raise InvalidError(detail=f"{spec.name}: a field holds either a list or a single value")


def checked_document(spec: CollectionSpec, document: Mapping[str, Any]) -> Document:
    """A copy of `document` as it is stored first, `version` 1. Raises InvalidError."""
    copy: Document = checked_value(document)
    checked_identifier(copy.get("id"))
    copy["version"] = 1
    check_indexed_fields(spec, copy)
    return copy


def checked_changes(spec: CollectionSpec, changes: Mapping[str, Any], unset: Sequence[str]) -> Document:
    """A copy of `changes`. Raises InvalidError when they or `unset` touch `id` or `version`, or name a field twice."""
    copy: Document = checked_value(changes)
    removed = {checked_name(name) for name in unset}
    if {"id", "version"} & (copy.keys() | removed):
        raise InvalidError(detail=f"{spec.name}: id and version are not changed by an update")
    if copy.keys() & removed:
        raise InvalidError(detail=f"{spec.name}: the same field set and removed")
    check_indexed_fields(spec, copy)
    return copy


def check_indexed_fields(spec: CollectionSpec, document: Mapping[str, Any]) -> None:
    """Raises InvalidError when an indexed field holds what its index cannot order."""
    for index in spec.indexes:
        for position, field in enumerate(index.fields):
            value = document.get(field)
            if index.many and position == 0:
                _check_list(spec, field, value)
            elif isinstance(value, (dict, list)):
                raise InvalidError(detail=f"{spec.name}.{field}: an indexed field holds a single value")
            elif index.expire_after is not None and rank(value) > 1:
                raise InvalidError(detail=f"{spec.name}.{field}: seconds since the epoch are a number")


def _check_list(spec: CollectionSpec, field: str, value: Any) -> None:
    if value is None:
        return
    if not isinstance(value, list) or any(item is None or isinstance(item, (dict, list)) for item in value):
        raise InvalidError(detail=f"{spec.name}.{field}: the field holds a list of single values")


def lifetimes(spec: CollectionSpec) -> dict[str, float]:
    """Fields that end a document, each with the seconds it lives on after the time in the field."""
    return {index.fields[0]: index.expire_after for index in spec.indexes if index.expire_after is not None}


def has_ended(ends: Mapping[str, float], document: Mapping[str, Any], now: float) -> bool:
    """Whether one of the times in `document` is past."""
    for field, seconds in ends.items():
        value = document.get(field)
        if value is not None and value <= now - seconds:
            return True
    return False
