"""Field names between the contract, which allows all, and MongoDB, which gives `$` and `.` a meaning.

`%`, `$`, `.` and NUL become `%` and two hexadecimal digits, an empty name becomes `%`; at the top, `id` is `_id`, and a
field of the caller's that is called `_id` becomes `%5Fid`.
"""

import re
from typing import Any

from mailstead.stores.documents.interface import Document

_SPECIAL = re.compile(r"[%$.\x00]")
_ESCAPED = re.compile(r"%([0-9A-F]{2})")


def to_name(name: str) -> str:
    """A name inside a document as it is stored."""
    if not name:
        return "%"
    return _SPECIAL.sub(lambda found: f"%{ord(found[0]):02X}", name)


def to_field(name: str) -> str:
    """A top-level name as it is stored."""
    match name:
        case "id":
            return "_id"
        case "_id":
            return "%5Fid"
        case _:
            return to_name(name)


def from_name(name: str) -> str:
    """The name that was stored so."""
    if "%" not in name:
        return name
    return "" if name == "%" else _ESCAPED.sub(lambda found: chr(int(found[1], 16)), name)


def to_stored(document: Document) -> dict[str, Any]:
    """A checked document as MongoDB keeps it."""
    return {to_field(name): _to_value(value) for name, value in document.items()}


def from_stored(stored: dict[str, Any]) -> Document:
    """The document that was stored so."""
    return {"id" if name == "_id" else from_name(name): _from_value(value) for name, value in stored.items()}


def _to_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {to_name(name): _to_value(element) for name, element in value.items()}
    if isinstance(value, list):
        return [_to_value(element) for element in value]
    return value


def _from_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {from_name(name): _from_value(element) for name, element in value.items()}
    if isinstance(value, list):
        return [_from_value(element) for element in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)  # 64-bit numbers come as a subclass of int
    return value
