"""Whether a message is answered by itself, and with what: one rule for scripts and for the responder of an alias.

RFC 3834 §2 says what is never answered, RFC 5230 §4.5 and §4.6 the same for vacation replies.
"""

import hashlib
import re

from mailstead.formats.message.address import parse_addresses
from mailstead.formats.message.index import message_ids
from mailstead.formats.sieve import checks
from mailstead.mail.filtering.actions import Copy, Vacation
from mailstead.mail.filtering.message import FilteredMessage

SUBJECT_LIMIT = 200
_ROBOT = re.compile(
    r"(?:owner-.*|.*-(?:request|owner|bounces?)|mailer-daemon|postmaster|listserv|majordomo|no-?reply|do-?not-?reply)",
    re.IGNORECASE,
)
_RECIPIENT_FIELDS = ("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc")
_ADDRESSES = 500


def first_value(message: FilteredMessage, name: str) -> str:
    """The first field of that name on one line, "" without one."""
    found = message.named(name)
    return " ".join(found[0].value.split()) if found else ""


def _identifiers(message: FilteredMessage, name: str) -> tuple[str, ...]:
    found = message.named(name)
    return message_ids(found[0].raw_value) if found else ()


def addressed_as(message: FilteredMessage, own: frozenset[str]) -> str:
    """The first of the `own` addresses (in lower case) that the message names, "" when it names none."""
    for name in _RECIPIENT_FIELDS:
        for field in message.named(name):
            for address in parse_addresses(field.raw_value, _ADDRESSES):
                if address.specification.lower() in own:
                    return address.specification
    return ""


def why_not_answered(message: FilteredMessage, sender: str, own: frozenset[str]) -> str:
    """A plain reason, "" when the message is to be answered. `sender` is the return path, `own` in lower case."""
    if not sender:
        return "the message is a notice with an empty sender"
    if not checks.is_address(sender):
        return "its sender cannot be answered"
    if sender.lower() in own:
        return "it was sent by its recipient"
    if _ROBOT.fullmatch(sender.rpartition("@")[0]):
        return f"{sender} is not a person's address"
    for field in message.named("auto-submitted"):
        if field.value.partition(";")[0].strip().lower() != "no":
            return "it was sent by a program (Auto-Submitted)"
    for field in message.fields():
        if field.name.startswith("list-"):
            return "it came over a mailing list"
    if first_value(message, "precedence").lower() in ("bulk", "list", "junk"):
        return "it was sent to many (Precedence)"
    if message.named("x-auto-response-suppress"):
        suppressed = first_value(message, "x-auto-response-suppress").lower()
        if any(word in suppressed for word in ("all", "oof", "autoreply")):
            return "its sender asks for no automatic replies"
    if not addressed_as(message, own):
        return "it does not name the recipient among its addressees"
    return ""


def handle_of(*said: str) -> str:
    """What replies count as the same when they have no name of their own (RFC 5230 §4.2): by what they say."""
    text = "\0".join(("text", *said))
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def reply_to(
    message: FilteredMessage,
    *,
    recipient: str,
    sender: str,
    subject: str,
    reason: str,
    handle: str,
    seconds: float,
    is_mime: bool = False,
    copy: Copy | None = None,
) -> Vacation:
    """The reply to `recipient`, referring to `message`; without a subject one that names the message's."""
    return Vacation(
        recipient=recipient,
        sender=sender,
        subject=(subject or f"Auto: {first_value(message, 'subject')}")[:SUBJECT_LIMIT].strip(),
        reason=reason,
        is_mime=is_mime,
        handle=handle,
        seconds=seconds,
        in_reply_to=next(iter(_identifiers(message, "message-id")), ""),
        references=_identifiers(message, "references") or _identifiers(message, "in-reply-to"),
        copy=copy,
    )
