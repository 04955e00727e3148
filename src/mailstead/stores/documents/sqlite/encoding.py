"""Values in the columns of indexes, such that SQLite's order is the contract's order.

Null, numbers and text are themselves. Bytes and booleans are blobs: 01 + length (4 bytes, most significant first) +
content, and 02 00 or 02 01. In the tables of lists, whose primary key takes no null, null is minus infinity, a number
that no document can hold.
"""

from typing import Any

NULL_IN_LISTS = float("-inf")
BYTES_LEAST = b"\x01"
BOOLEAN_LEAST = b"\x02"


def to_column(value: Any) -> Any:
    """A scalar as it stands in a column."""
    match value:
        case bool():
            return b"\x02\x01" if value else b"\x02\x00"
        case bytes():
            return BYTES_LEAST + len(value).to_bytes(4, "big") + value
        case _:
            return value


def to_list_column(value: Any) -> Any:
    """A scalar as it stands in a column of a list's table."""
    return NULL_IN_LISTS if value is None else to_column(value)


def from_column(value: Any) -> Any:
    """The scalar that stands in a column."""
    if value == NULL_IN_LISTS:
        return None
    if isinstance(value, bytes):
        return value[5:] if value.startswith(BYTES_LEAST) else value == b"\x02\x01"
    return value


def column_name(field: str) -> str:
    """The column of an indexed field, whose name is [a-z][a-z0-9_]*."""
    return "id" if field == "id" else f"f_{field}"
