"""One thing that happened to a message, and its form in the document store."""

from typing import Any

import msgspec

from mailstead.foundation.config.sections.trace import TraceSettings
from mailstead.foundation.identifiers import new_ulid

_KEY_LIMIT = 320
_DETAIL_LIMIT = 50


class TraceEntry(msgspec.Struct, frozen=True, kw_only=True):
    """`trace_id` is the same for all entries of a message's way (its queue id); `at` is seconds since the epoch.

    `event` is one word ("received", "accepted", "delivered", "queued", "attempt", "deferred", "bounced", "refused"),
    `text` says it in plain words, `keys` are addresses and ids it is found by besides `trace_id` and `message_id`.
    """

    trace_id: str
    at: float
    service: str
    event: str
    text: str
    message_id: str = ""
    keys: tuple[str, ...] = ()
    detail: dict[str, str | int | float | bool] = {}


class Way(msgspec.Struct, frozen=True):
    """All entries of one message, in the order of time."""

    trace_id: str
    entries: tuple[TraceEntry, ...]


def trace_key(text: str) -> str:
    """What an address, message-id or queue id is found by: no blanks or angle brackets around, no capitals."""
    return _text(text.strip().removeprefix("<").removesuffix(">").lower(), _KEY_LIMIT)


def to_document(entry: TraceEntry, sequence: int, settings: TraceSettings) -> dict[str, Any]:
    """The entry as a document, its parts cut to their limits: they come from strangers.

    `sequence` orders entries of one process that have the same time.
    """
    identifier = new_ulid(entry.at)
    keys = dict.fromkeys(trace_key(key) for key in (entry.trace_id, entry.message_id, *entry.keys))
    keys.pop("", None)
    detail = list(entry.detail.items())[:_DETAIL_LIMIT]
    return {
        "id": f"{identifier[:10]}{sequence % 16**6:06x}{identifier[16:]}",
        "trace_id": trace_key(entry.trace_id),
        "at": entry.at,
        "service": entry.service,
        "event": entry.event,
        "text": _text(entry.text, settings.text_limit),
        "message_id": _text(entry.message_id, _KEY_LIMIT),
        "keys": list(keys)[: settings.keys_limit],
        "detail": {
            _text(name, _KEY_LIMIT): _text(value, settings.text_limit) if isinstance(value, str) else value
            for name, value in detail
        },
    }


def from_document(document: dict[str, Any]) -> TraceEntry:
    """The entry that `to_document` stored."""
    return msgspec.convert(document, TraceEntry)


def _text(text: str, limit: int) -> str:
    return text[:limit].encode("utf-8", "replace").decode()
