"""What a document may hold, and how values compare; the same for every engine."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from mailstead.foundation.errors import InvalidError

DEPTH_LIMIT = 60  # BSON stops at 100
IDENTIFIER_LIMIT = 512
_INTEGER_LEAST, _INTEGER_MOST = -(2**63), 2**63 - 1


def checked_text(text: str) -> str:
    """`text` itself. Raises InvalidError for lone surrogates, which have no bytes."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise InvalidError(detail="text with a lone surrogate") from None
    return text


def checked_value(value: Any, depth: int = 0) -> Any:
    """A copy of `value` made of dict, list, str, bytes, int, float, bool and None.

    Raises InvalidError for other types, integers of more than 64 bits, NaN, infinities, more than DEPTH_LIMIT levels.
    """
    match value:
        case None | bool():
            return value
        case str():
            return checked_text(value)
        case int():
            if not _INTEGER_LEAST <= value <= _INTEGER_MOST:
                raise InvalidError(detail="integer of more than 64 bits")
            return int(value)
        case float():
            if not math.isfinite(value):
                raise InvalidError(detail="number that is not finite")
            return float(value)
        case bytes() | bytearray() | memoryview():
            return bytes(value)
    if depth >= DEPTH_LIMIT:
        raise InvalidError(detail="nested too deeply")
    if isinstance(value, Mapping):
        return {checked_name(name): checked_value(element, depth + 1) for name, element in value.items()}
    if isinstance(value, Sequence):
        return [checked_value(element, depth + 1) for element in value]
    raise InvalidError(detail=f"a document cannot hold {type(value).__name__}")


def checked_name(name: Any) -> str:
    """A field's name as it is. Raises InvalidError when it is no text."""
    if not isinstance(name, str):
        raise InvalidError(detail="a field's name is text")
    return checked_text(name)


def checked_scalar(value: Any) -> Any:
    """`value` when it may be compared: None, bool, number, str, bytes. Raises InvalidError otherwise."""
    if isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray))):
        raise InvalidError(detail=f"{type(value).__name__} where a single value is needed")
    return checked_value(value)


def checked_identifier(identifier: Any) -> str:
    """A document's id as it is. Raises InvalidError when it is no text, empty, or past IDENTIFIER_LIMIT characters."""
    if not isinstance(identifier, str) or not 0 < len(identifier) <= IDENTIFIER_LIMIT:
        raise InvalidError(detail="a document's id is a text of 1 to 512 characters")
    return checked_text(identifier)


def rank(value: Any) -> int:
    """The place of the value's kind in the order of values: null 0, numbers 1, text 2, bytes 3, booleans 4."""
    match value:
        case None:
            return 0
        case bool():
            return 4
        case int() | float():
            return 1
        case str():
            return 2
        case bytes():
            return 3
    raise InvalidError(detail=f"{type(value).__name__} has no place in an order")


def sort_key(value: Any) -> tuple[int, Any]:
    """A key by which Python sorts scalars as the engines do."""
    place = rank(value)
    match place:
        case 0:
            return (0, 0)
        case 2:
            return (2, value.encode())
        case 3:
            return (3, (len(value), value))
        case _:
            return (place, value)


def prefix_end(prefix: str) -> str | None:
    """The least text past every text that starts with `prefix`; None when there is none."""
    characters = list(prefix)
    while characters:
        code = ord(characters.pop())
        if code < 0x10FFFF:
            # The code points of surrogates are no text: the next after U+D7FF is U+E000.
            return "".join(characters) + chr(0xE000 if code == 0xD7FF else code + 1)
    return None
