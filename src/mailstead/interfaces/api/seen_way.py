"""What one of several recipients may see of a message's way: nothing of the others (RFC 5321 §7.2)."""

import re
from collections.abc import Iterable

import msgspec

from mailstead.stores.trace.entry import TraceEntry, Way, trace_key

_ADDRESS = re.compile(r"[^\s<>,;:()]+@[^\s<>,;:()]+")
_AUTHENTICATED = frozenset(("submission", "api", "web"))  # services whose messages are by who logged in
_OTHER = "another address"


def seen_by(way: Way, address: str) -> Way | None:
    """The way as `address` may see it: all of it for who sent it, what is about itself for a recipient; None for others.

    Of an entry about several recipients all addresses are taken out but the sender's and `address`.
    """
    address = trace_key(address)
    if any(_sender(entry) == address for entry in way.entries if entry.service in _AUTHENTICATED):
        return way
    sender = next(filter(None, map(_sender, way.entries)), "")
    entries = tuple(_narrowed(entry, address, sender) for entry in way.entries if address in entry.keys)
    return Way(way.trace_id, entries) if entries else None


def _people(entry: TraceEntry) -> Iterable[str]:
    """The addresses that an entry is found by; its sender is the first where the entry has one."""
    return (key for key in entry.keys if "@" in key and key != trace_key(entry.message_id))


def _sender(entry: TraceEntry) -> str:
    return next(iter(_people(entry)), "") if entry.event == "received" else ""


def _narrowed(entry: TraceEntry, address: str, sender: str) -> TraceEntry:
    if set(_people(entry)) <= {address, sender}:
        return entry
    kept = {address, sender}
    text = _ADDRESS.sub(lambda found: found[0] if trace_key(found[0]) in kept else _OTHER, entry.text)
    return msgspec.structs.replace(entry, text=text)
