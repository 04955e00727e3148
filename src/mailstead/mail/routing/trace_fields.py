"""Fields that final delivery puts in front of a message, and those it takes away."""

from mailstead.formats.message.header import header_end, iter_field_ranges, iter_fields

_LOOP_FIELD = b"delivered-to"
HEADER_LIMIT = 256 * 1024


def delivery_fields(sender: str, recipient: str) -> bytes:
    """Return-Path (RFC 5321 §4.4) and Delivered-To (RFC 9228)."""
    return f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n".encode()


def without_return_path(start: bytes) -> tuple[int, bytes]:
    """How many octets at a message's start to replace by which, so that it has no Return-Path field.

    Only final delivery may set that field (RFC 5321 §4.4). `start` is the first HEADER_LIMIT octets, or all.
    """
    header = start[: header_end(start, 0, len(start))]
    kept, position = [], 0
    for name, begin, stop in iter_field_ranges(header):
        if name.lower() == b"return-path":
            kept.append(header[position:begin])
            position = stop
    return position, b"".join(kept)


def received_count(raw_header: bytes) -> int:
    """How many hosts a message has passed: Received fields in its header (RFC 5321 §6.3)."""
    return sum(1 for name, _ in iter_fields(raw_header) if name.lower() == b"received")


def delivered_to(raw_header: bytes) -> set[str]:
    """Addresses that the message was delivered to already: meeting one again is a loop."""
    return {
        value.strip().decode("utf-8", "replace").lower()
        for name, value in iter_fields(raw_header)
        if name.lower() == _LOOP_FIELD
    }
