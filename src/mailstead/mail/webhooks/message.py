"""The JSON of an arriving message, with the names that receivers written for Forward Email know.

from, to, cc, bcc, replyTo  {"text": the field, "value": [{"name", "address"}, ...]}, absent without the field
subject, date (ISO 8601, UTC), messageId, inReplyTo, references, text, html
headers      {"name in lower case": value, or a list of them when there are several}
headerLines  [{"key", "line"}, ...] as they stand
attachments  [{"filename", "contentType", "contentDisposition", "cid", "size", "checksum" (SHA-256), "content" (base64)}]
raw          the message, octets above 127 that are no UTF-8 as U+FFFD; rawBase64 in their place where there are such
spf, dkim, dmarc, arc   {"result", ...} as found on arrival; null when it was not looked at. bimi is always null
recipients   the address here that the message came to
session      recipient, sender, remoteAddress, clientHostname, hostNameAppearsAs, mta, arrivalDate, arrivalTime
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from mailstead.formats.message.address import parse_addresses
from mailstead.formats.message.charset import decode
from mailstead.formats.message.encoded_word import decode_header_value
from mailstead.formats.message.header import iter_fields, unfold
from mailstead.formats.message.index import index_message
from mailstead.formats.message.part import Bounds, Part
from mailstead.formats.message.section import decode_content
from mailstead.mail.authentication.results.field import MethodResult

_ADDRESS_FIELDS = {"from": "from", "to": "to", "cc": "cc", "bcc": "bcc", "reply-to": "replyTo"}
_FROM = re.compile(r"from\s+(\S+)(?:\s+\(\[(?:IPv6:)?([0-9A-Fa-f:.]+)\]\))?\s+by\s+(\S+)", re.IGNORECASE)


class Occasion(msgspec.Struct, frozen=True):
    """What the message itself does not say; `results` are those of our own checks, None when there were none."""

    recipient: str
    sender: str
    arrived_at: float
    results: Sequence[MethodResult] | None


def message_json(raw: bytes, occasion: Occasion, bounds: Bounds) -> bytes:
    """The JSON for a whole message. Takes time linear in its size: call it on a thread."""
    index = index_message(raw, bounds)
    header = raw[: index.header_size]
    fields = [(name.decode("latin-1"), value) for name, value in iter_fields(header)]
    made: dict[str, Any] = {
        "subject": index.subject,
        "messageId": f"<{index.message_id}>" if index.message_id else None,
        "inReplyTo": f"<{index.in_reply_to[0]}>" if index.in_reply_to else None,
        "references": [f"<{one}>" for one in index.references],
        "date": None if index.sent_at is None else _moment(index.sent_at),
    }
    values: dict[str, Any] = {}
    for name, value in fields:
        key, text = name.lower(), decode_header_value(unfold(value))
        if key in _ADDRESS_FIELDS and _ADDRESS_FIELDS[key] not in made:
            made[_ADDRESS_FIELDS[key]] = _addresses(unfold(value), text, bounds.addresses)
        known = values.get(key)
        values[key] = text if known is None else [*known, text] if isinstance(known, list) else [known, text]
    made["headers"] = values
    made["headerLines"] = [
        {"key": name.lower(), "line": f"{name}:{value.decode('utf-8', 'replace')}"} for name, value in fields
    ]
    made |= _contents(raw, index.parts)
    text = raw.decode("utf-8", "replace")
    made["raw"] = text
    if "\ufffd" in text and text.encode() != raw:
        made["rawBase64"] = base64.b64encode(raw).decode()
    made |= _results(occasion.results)
    made["recipients"] = [occasion.recipient]
    made["session"] = _session(values, occasion)
    return msgspec.json.encode(made)


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _addresses(value: bytes, text: str, limit: int) -> dict[str, Any]:
    found = [one for one in parse_addresses(value, limit) if one.domain]
    return {"text": text, "value": [{"name": one.display_name, "address": one.specification} for one in found]}


def _contents(raw: bytes, parts: Sequence[Part]) -> dict[str, Any]:
    """The first texts, and all other leaves as attachments."""
    texts: dict[str, str | None] = {"text": None, "html": None}
    attachments = []
    for part in parts:
        if part.is_multipart or _is_inside_attachment(part, parts):
            continue
        content = decode_content(raw[part.body_start : part.body_end], part.encoding)
        name = {"text/plain": "text", "text/html": "html"}.get(part.type)
        if name is not None and part.disposition != "attachment" and texts[name] is None:
            texts[name] = decode(content, part.charset)
            continue
        attachments.append(
            {
                "type": "attachment",
                "filename": part.filename or None,
                "contentType": part.type,
                "contentDisposition": part.disposition or "attachment",
                "cid": part.content_id.strip("<>") or None,
                "size": len(content),
                "checksum": hashlib.sha256(content).hexdigest(),
                "content": base64.b64encode(content).decode(),
            }
        )
    return {**texts, "attachments": attachments}


def _is_inside_attachment(part: Part, parts: Sequence[Part]) -> bool:
    """Whether a part belongs to a message that is itself attached, which goes as one."""
    parent = part.parent
    while parent >= 0:
        if parts[parent].type.startswith("message/"):
            return True
        parent = parts[parent].parent
    return False


def _results(results: Sequence[MethodResult] | None) -> dict[str, Any]:
    made: dict[str, Any] = {"spf": None, "dkim": None, "dmarc": None, "arc": None, "bimi": None}
    if results is None:
        return made
    for method in ("spf", "dmarc", "arc"):
        found = next((one for one in results if one.method == method), None)
        made[method] = _result(found) if found is not None else {"result": "none"}
    made["dkim"] = {"results": [_result(one) for one in results if one.method == "dkim"]}
    return made


def _result(one: MethodResult) -> dict[str, Any]:
    return {"result": one.result, "reason": one.reason or None, "properties": dict(one.properties)}


def _session(values: dict[str, Any], occasion: Occasion) -> dict[str, Any]:
    """What is known of the client, from the Received field that was put on top when it came."""
    received = values.get("received", "")
    top = received[0] if isinstance(received, list) else received
    found = _FROM.match(" ".join(top.split()))
    moment = datetime.fromtimestamp(occasion.arrived_at, UTC)
    return {
        "recipient": occasion.recipient,
        "sender": occasion.sender,
        "remoteAddress": found[2] if found else None,
        "hostNameAppearsAs": found[1] if found else None,
        "clientHostname": None,
        "mta": found[3] if found else None,
        "arrivalDate": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "arrivalTime": int(occasion.arrived_at * 1000),
    }
