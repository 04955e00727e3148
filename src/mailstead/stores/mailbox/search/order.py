"""Messages in order (RFC 5256 §3, RFC 5957 §3): by dates, size, subject, or the first address of a field."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import apsw
import msgspec

from mailstead.formats.message.encoded_word import decode_header_value
from mailstead.formats.message.imap_value import Value, read_value
from mailstead.stores.mailbox.connection import select

Name: TypeAlias = Literal["ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO"]
_FROM, _TO, _CC = 2, 5, 6  # fields of an ENVELOPE


class SortKey(msgspec.Struct, frozen=True):
    """A key, and whether it counts backwards."""

    name: Name
    reverse: bool = False


def _first(envelope: Value, field: int) -> list[Value]:
    """The first address of a field: name, route, mailbox, host; all None without one."""
    found = envelope[field] if isinstance(envelope, list) else None
    first = found[0] if isinstance(found, list) and found else None
    return first if isinstance(first, list) else [None] * 4


def _text(value: Value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _mailbox(envelope: Value, field: int) -> str:
    return _text(_first(envelope, field)[2]).casefold()


def _display(envelope: Value, field: int) -> str:
    """The name that a client shows: the display name, else the address (RFC 5957 §3)."""
    name, _, mailbox, host = _first(envelope, field)
    if isinstance(name, bytes) and name:
        return decode_header_value(name).casefold()
    return f"{_text(mailbox)}@{_text(host)}".casefold() if host is not None else _text(mailbox).casefold()


_COLUMNS: dict[Name, str] = {
    "ARRIVAL": "m.internal_date",
    "DATE": "coalesce(m.sent_at, m.internal_date)",
    "SIZE": "m.size",
    "SUBJECT": "f.base_subject",
}
_ADDRESSES: dict[Name, Callable[[Value], str]] = {
    "FROM": lambda envelope: _mailbox(envelope, _FROM),
    "TO": lambda envelope: _mailbox(envelope, _TO),
    "CC": lambda envelope: _mailbox(envelope, _CC),
    "DISPLAYFROM": lambda envelope: _display(envelope, _FROM),
    "DISPLAYTO": lambda envelope: _display(envelope, _TO),
}


def in_order(connection: apsw.Connection, folder_id: int, uids: Sequence[int], keys: Sequence[SortKey]) -> list[int]:
    """The uids by the keys, the first counting most; those that are alike stay in the order of uids."""
    if not uids:
        return []
    wanted = frozenset(uids)
    addressed = any(key.name in _ADDRESSES for key in keys)
    columns = ["e.uid", *(_COLUMNS.get(key.name, "0") for key in keys), "v.envelope" if addressed else "0"]
    rows = select(
        connection,
        f"SELECT {', '.join(columns)} FROM entry e JOIN message m ON m.id = e.message_id"
        " JOIN field f ON f.message_id = e.message_id"
        + (" JOIN envelope v ON v.message_id = e.message_id" if addressed else "")
        + " WHERE e.folder_id = ? AND e.uid BETWEEN ? AND ? ORDER BY e.uid",
        (folder_id, uids[0], uids[-1]),
    )
    found: list[list[Any]] = []
    for row in rows:
        if row[0] not in wanted:
            continue
        values = list(row[:-1])
        if addressed:
            envelope = read_value(row[-1])
            for place, key in enumerate(keys, 1):
                if key.name in _ADDRESSES:
                    values[place] = _ADDRESSES[key.name](envelope)
        found.append(values)
    for place in range(len(keys), 0, -1):  # a stable sort for each key, the last one first
        found.sort(key=lambda values: values[place], reverse=keys[place - 1].reverse)
    return [values[0] for values in found]
