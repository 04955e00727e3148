"""Where a message that was sent stands: one status for each recipient, and one for the whole."""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

from mailstead.stores.sent.sent import SentMessage, SentRecipient
from mailstead.stores.trace.trace import TraceEntry

Status = Literal["queued", "sent", "partially_sent", "deferred", "bounced", "rejected"]
RecipientStatus = Literal["queued", "sent", "deferred", "bounced", "rejected"]
_EVENTS: dict[str, RecipientStatus] = {"delivered": "sent", "bounced": "bounced", "deferred": "deferred"}
_OUTCOMES: dict[str, RecipientStatus] = {
    "delivered": "sent",
    "dropped": "sent",
    "queued": "queued",
    "deferred": "deferred",
    "failed": "rejected",
}
_USUAL: dict[RecipientStatus, int] = {"sent": 250, "bounced": 550, "deferred": 450}  # where the reply is our own
_CODE = re.compile(r": ([2-5]\d\d)[ -]")
_TAKEN_BACK = "taken back before it was sent"


class RecipientShown(msgspec.Struct, frozen=True):
    """What became of one recipient so far; `code` is of the last reply (RFC 5321 §4.2), 0 without one."""

    address: str
    status: RecipientStatus
    code: int
    message: str


def recipients_of(sent: SentMessage, entries: Sequence[TraceEntry]) -> list[RecipientShown]:
    """Each recipient as the trace tells it; before anything happened to it, as it was when the message was taken."""
    if sent.cancelled_at:
        return [RecipientShown(one.address, "rejected", 0, _TAKEN_BACK) for one in sent.recipients]
    return [_recipient(one, entries) for one in sent.recipients]


def _recipient(one: SentRecipient, entries: Sequence[TraceEntry]) -> RecipientShown:
    status, code, text = _OUTCOMES.get(one.outcome, "queued"), one.code, one.text
    if status != "rejected":
        for entry in entries:
            told = _EVENTS.get(entry.event)
            if told is not None and _is_about(entry, one.address):
                found = _CODE.search(entry.text)
                status, code, text = told, int(found[1]) if found else _USUAL[told], entry.text
    return RecipientShown(one.address, status, code, text)


def _is_about(entry: TraceEntry, address: str) -> bool:
    """Whether an entry tells of that recipient, and not of one that it wrote to."""
    if entry.service == "storage":
        return address in entry.keys
    return entry.text.startswith(f"{address}:")


def status_of(recipients: Sequence[RecipientShown]) -> Status:
    """The status of the whole."""
    found = {one.status for one in recipients}
    for waiting in ("queued", "deferred"):
        if waiting in found:
            return "queued" if waiting == "queued" else "deferred"
    if found == {"sent"}:
        return "sent"
    if "sent" in found:
        return "partially_sent"
    return "bounced" if "bounced" in found else "rejected"
