"""Messages that a script has sent: vacation (RFC 5230, RFC 6131, RFC 3834), notify (RFC 5435, RFC 5436)."""

import hashlib

from mailstead.formats.sieve import checks
from mailstead.formats.sieve.program import Operation
from mailstead.mail.filtering.actions import Copy, Notify, Reject, Vacation
from mailstead.mail.filtering.answering import (
    SUBJECT_LIMIT,
    addressed_as,
    first_value,
    handle_of,
    reply_to,
    why_not_answered,
)
from mailstead.mail.filtering.flags import normal_flags
from mailstead.mail.filtering.mailto import parse_mailto
from mailstead.mail.filtering.run import Run, ScriptFailedError

_DAY = 86400.0
_DEFAULT_DAYS = 7
_NOTICES_LIMIT = 5


def vacation(run: Run, operation: Operation) -> None:
    """Answer, unless the message is one that is not answered; the trace says why not."""
    if any(isinstance(action, Vacation) for action in run.actions):
        raise ScriptFailedError('"vacation" can be used once for a message.')
    if any(isinstance(action, Reject) for action in run.actions):
        raise ScriptFailedError("The script refuses the message and yet would answer it.")
    own = _own_addresses(run, operation)
    why_not = why_not_answered(run.message, run.environment.sender, own)
    if why_not:
        run.words.append(f"No vacation reply: {why_not}.")
        return
    subject = run.text(operation, "subject")
    if subject:
        run.checked(subject, checks.one_line)
    action = reply_to(
        run.message,
        recipient=run.environment.sender,
        sender=_sender(run, operation, addressed_as(run.message, own)),
        subject=subject,
        reason=run.text(operation, "reason"),
        is_mime=bool(operation.values.get("mime")),
        handle=_handle(run, operation),
        seconds=_seconds(run, operation),
        copy=_copy(run, operation),
    )
    run.act(action, f"A vacation reply is due (line {operation.line}).")


def _own_addresses(run: Run, operation: Operation) -> frozenset[str]:
    own = {run.environment.recipient, *run.environment.owner_addresses, *run.texts(operation, "addresses")}
    return frozenset(checks.bare_address(address).lower() for address in own)


def _sender(run: Run, operation: Operation, addressed: str) -> str:
    """:from when it is one of the owner's addresses, else the address the message was sent to (RFC 5230 §4.7)."""
    wanted = run.text(operation, "from")
    if wanted:
        run.checked(wanted, checks.address)
        run.checked(wanted, checks.one_line)
        if checks.bare_address(wanted).lower() in run.environment.owner_addresses | {run.environment.recipient.lower()}:
            return wanted
        run.words.append(f"{wanted} is not an address of the recipient, so the reply is not sent from it.")
    known = run.environment.owner_addresses
    return addressed if addressed.lower() in known else run.environment.recipient


def _handle(run: Run, operation: Operation) -> str:
    """What replies count as the same (RFC 5230 §4.2): by :handle, or by what they say."""
    handle = run.text(operation, "handle")
    if handle:
        return hashlib.sha256(b"handle\0" + handle.encode("utf-8", "replace")).hexdigest()
    said = (run.text(operation, name) for name in ("subject", "from", "reason"))
    return handle_of(*said, str(bool(operation.values.get("mime"))))


def _seconds(run: Run, operation: Operation) -> float:
    """:days from one day, :seconds from the least by setting; 0 answers each time (RFC 6131 §2)."""
    settings = run.settings
    if "seconds" in operation.values:
        seconds = float(operation.values["seconds"])
        return 0.0 if seconds == 0 else min(max(seconds, settings.vacation_least), settings.vacation_most)
    days: int = operation.values.get("days", _DEFAULT_DAYS)
    return min(max(days, 1) * _DAY, settings.vacation_most)


def _copy(run: Run, operation: Operation) -> Copy | None:
    """:fcc (RFC 8580 §3)."""
    if "fcc" not in operation.values:
        return None
    use = run.text(operation, "specialuse")
    return Copy(
        run.checked(run.text(operation, "fcc"), checks.mailbox_name),
        normal_flags(run.texts(operation, "flags")),
        bool(operation.values.get("create")),
        run.checked(use, checks.special_use) if use else "",
    )


def notify(run: Run, operation: Operation) -> None:
    """RFC 5435 §3; notices are not answered with notices (RFC 5436 §2.7.1)."""
    mailto = parse_mailto(run.text(operation, "method"))
    if mailto is None:
        raise ScriptFailedError(f'Notices cannot be sent to "{run.text(operation, "method")}"; "mailto:" can be used.')
    importance = run.text(operation, "importance", "2")
    run.checked(importance, checks.importance)
    if sum(isinstance(action, Notify) for action in run.actions) >= _NOTICES_LIMIT:
        raise ScriptFailedError(f"The script sends more than {_NOTICES_LIMIT} notices.")
    if any(field.value.lower().startswith("auto-notified") for field in run.message.named("auto-submitted")):
        run.words.append("No notice: the message is a notice itself.")
        return
    own = frozenset({run.environment.recipient.lower(), *run.environment.owner_addresses})
    wanted = run.text(operation, "from")
    if wanted:
        run.checked(wanted, checks.address)
    sender = wanted if wanted and checks.bare_address(wanted).lower() in own else run.environment.recipient
    message = run.text(operation, "message")
    origin = first_value(run.message, "from")
    subject = mailto.subject or message or f"New message from {origin}: {first_value(run.message, 'subject')}"
    lines = [
        mailto.body or message or "A message has arrived.",
        "",
        f"From: {origin}",
        f"Subject: {first_value(run.message, 'subject')}",
    ]
    action = Notify(
        recipients=mailto.recipients,
        sender=sender,
        subject=" ".join(subject.split())[:SUBJECT_LIMIT],
        text="\n".join(lines) + "\n",
        importance=int(importance),
        copy=_copy(run, operation),
    )
    run.act(action, f"A notice goes to {', '.join(mailto.recipients)} (line {operation.line}).")
