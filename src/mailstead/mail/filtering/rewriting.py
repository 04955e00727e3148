"""What makes another message of a message: replace and enclose (RFC 5703 §5, §6)."""

import hashlib

from mailstead.formats.message.date import format_date
from mailstead.formats.sieve import checks
from mailstead.formats.sieve.program import Operation
from mailstead.mail.filtering.compose import field, mime_entity, text_entity
from mailstead.mail.filtering.message import Field
from mailstead.mail.filtering.run import Run, ScriptFailedError

_LIMIT_WORDS = "The script rewrites the message more than {} times."


def _is_mime(name: str) -> bool:
    return name == "mime-version" or name.startswith("content-")


def _count(run: Run) -> None:
    run.rewrites += 1
    if run.rewrites > run.settings.rewrites_limit:
        raise ScriptFailedError(_LIMIT_WORDS.format(run.settings.rewrites_limit))
    if len(run.message.raw) > run.settings.rewrite_size:
        raise ScriptFailedError(f"A message of {len(run.message.raw)} octets is too large to be rewritten.")


def replace(run: Run, operation: Operation) -> None:
    """RFC 5703 §5: another text or entity in the place of the current part, or of the whole message."""
    _count(run)
    text = run.text(operation, "replacement")
    is_entity = bool(operation.values.get("mime"))
    fields, body = mime_entity(text) if is_entity else text_entity(text)
    kept = [one for one in run.message.fields(run.part) if one.name and not _is_mime(one.name)]
    if run.part == 0:
        if not is_entity:
            kept = _renamed(run, operation, kept)
        fields = b"MIME-Version: 1.0\r\n" + fields
    header = b"".join(_closed(one.octets) for one in kept) + fields + b"\r\n"
    run.message.replace(run.part, header, body)
    what = "The message" if run.part == 0 else "A part of the message"
    run.words.append(f"{what} is replaced by the filter script (line {operation.line}).")


def _closed(octets: bytes) -> bytes:
    return octets if octets.endswith(b"\n") else octets + b"\r\n"


def _renamed(run: Run, operation: Operation, kept: list[Field]) -> list[Field]:
    """With :subject and :from the fields that were there stay under another name."""
    subject, sender = run.text(operation, "subject"), run.text(operation, "from")
    if subject:
        run.checked(subject, checks.one_line)
        kept = _exchanged(kept, "Subject", subject)
    if sender:
        run.checked(sender, checks.one_line)
        run.checked(sender, checks.address)
        own = run.environment.owner_addresses | {run.environment.recipient.lower()}
        if checks.bare_address(sender).lower() in own:
            return _exchanged(kept, "From", sender)
        run.words.append(f"{sender} is not an address of the recipient, so the author stays.")
    return kept


def _exchanged(kept: list[Field], name: str, value: str) -> list[Field]:
    lower, original = name.lower(), f"Original-{name}"
    found = []
    for one in kept:
        if one.name == lower:
            rest = one.octets.partition(b":")[2]
            found.append(Field(original.lower(), original.encode() + b":" + rest))
        else:
            found.append(one)
    return [*found, Field(lower, field(name, value))]


def enclose(run: Run, operation: Operation) -> None:
    """RFC 5703 §6: the message becomes an attachment of a new one with the given text."""
    _count(run)
    message = run.message
    wanted = {name.lower() for name in run.texts(operation, "headers")}
    subject = run.text(operation, "subject")
    if subject:
        run.checked(subject, checks.one_line)
        wanted.discard("subject")
    else:
        wanted.add("subject")
    copied = [one for one in message.fields() if one.name in wanted and not _is_mime(one.name)]
    header = b"".join(_closed(one.octets) for one in copied)
    if "date" not in wanted:
        header += b"Date: " + format_date(run.environment.now).encode() + b"\r\n"
    if "from" not in wanted:
        header += field("From", run.environment.recipient)
    if subject:
        header += field("Subject", subject)
    current = message.current()
    encoding = b"" if current.isascii() else b"Content-Transfer-Encoding: 8bit\r\n"
    boundary = _boundary(current, run.environment.now)
    header += b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="%b"\r\n' % boundary
    fields, body = text_entity(run.text(operation, "text"))
    before = b"--%b\r\n%b\r\n%b\r\n--%b\r\nContent-Type: message/rfc822\r\n%b\r\n" % (
        boundary,
        fields,
        body,
        boundary,
        encoding,
    )
    message.enclose(header + encoding + b"\r\n", before, b"\r\n--%b--\r\n" % boundary)
    run.words.append(f"The message is enclosed in a new one by the filter script (line {operation.line}).")


def _boundary(octets: bytes, now: float) -> bytes:
    """A boundary that is not in the message, the same each time that the script is run on it."""
    digest = hashlib.blake2b(octets[:65536] + str(now).encode(), digest_size=18)
    while True:
        boundary = b"=_" + digest.hexdigest().encode()
        if boundary not in octets:
            return boundary
        digest.update(b"again")
