"""Edits of the header (RFC 5293), and text taken out of parts (RFC 5703 §7)."""

from mailstead.formats.sieve import checks
from mailstead.formats.sieve.program import Operation
from mailstead.mail.filtering.body_tests import part_text
from mailstead.mail.filtering.message import Field
from mailstead.mail.filtering.run import Run

# Fields that tell where a message has been and who vouches for it: a script can neither forge nor remove them.
PROTECTED = frozenset(
    {
        "received",
        "return-path",
        "delivered-to",
        "auto-submitted",
        "authentication-results",
        "dkim-signature",
        "arc-seal",
        "arc-message-signature",
        "arc-authentication-results",
        "from",
        "sender",
        "resent-from",
        "resent-sender",
        "original-from",
        "original-subject",
    }
)


def addheader(run: Run, operation: Operation) -> None:
    """RFC 5293 §4: first of the header, or last of it."""
    name = run.checked(run.text(operation, "name"), checks.header_name)
    value = run.checked(run.text(operation, "value"), checks.one_line)
    if name.lower() in PROTECTED:
        run.words.append(f'The field "{name}" is protected, so the script did not add one.')
        return
    run.work(len(value))
    run.message.add(name, value, last=bool(operation.values.get("last")))


def deleteheader(run: Run, operation: Operation) -> None:
    """RFC 5293 §5: fields of a name, those whose values match, or the one of an index when it matches."""
    name = run.checked(run.text(operation, "name"), checks.header_name)
    if name.lower() in PROTECTED:
        run.words.append(f'The field "{name}" is protected, so the script did not delete it.')
        return
    found = run.message.named(name)
    index: int | None = operation.values.get("index")
    if index is not None:
        place = len(found) - index if operation.values.get("last") else index - 1
        found = [found[place]] if 0 <= place < len(found) else []
    if "patterns" in operation.values:
        patterns = run.texts(operation, "patterns")
        found = [field for field in found if _matches(run, operation, field, patterns)]
    run.message.delete(found)


def _matches(run: Run, operation: Operation, field: Field, patterns: tuple[str, ...]) -> bool:
    return run.matches(operation, (field.value,), patterns, keep_match=False)


def extracted(run: Run, operation: Operation) -> str:
    """The text of the current part, its first characters only with :first; "" for parts that are no text."""
    part = run.message.part(run.part)
    text = part_text(run, run.part) if part.type.startswith("text/") else ""
    first: int | None = operation.values.get("first")
    return text if first is None else text[:first]
