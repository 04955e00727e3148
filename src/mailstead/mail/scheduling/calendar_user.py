"""Calendar user addresses, and the ATTENDEE and ORGANIZER lines that name them (RFC 5545 §3.3.3, RFC 6638 §7)."""

from collections.abc import Iterable

from mailstead.formats.content_lines.line import ContentLine
from mailstead.formats.content_lines.tree import Tree

NEEDS_ACTION = "NEEDS-ACTION"
_SCHEDULE = ("SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND")


def bare(address: str) -> str:
    """The mail address of a `mailto:` URI in lower case; any other URI as it is."""
    text = address.strip()
    if text[:7].lower() == "mailto:":
        return text[7:].partition("?")[0].strip().lower()
    return text.lower() if "@" in text and ":" not in text and "/" not in text else text


def is_mail(address: str) -> bool:
    """Whether a bare address is one of mail."""
    return "@" in address and ":" not in address and "/" not in address and not address.startswith("@")


def with_parameter(line: ContentLine, name: str, value: str | None) -> ContentLine:
    """The line with that parameter, in the place of the one it had; None takes it away."""
    found = False
    kept: list[tuple[str, tuple[str, ...]]] = []
    for key, values in line.parameters:
        if key != name:
            kept.append((key, values))
        elif value is not None and not found:
            kept.append((key, (value,)))
            found = True
    if value is not None and not found:
        kept.append((name, (value,)))
    return ContentLine(line.name, line.value, tuple(kept), line.group)


def parameter(line: ContentLine, name: str, default: str = "") -> str:
    """A parameter in upper case."""
    return (line.parameter(name) or default).strip().upper()


def partstat(line: ContentLine) -> str:
    """PARTSTAT (RFC 5545 §3.2.12)."""
    return parameter(line, "PARTSTAT", NEEDS_ACTION)


def is_served(line: ContentLine) -> bool:
    """Whether the server schedules for this calendar user (RFC 6638 §7.1): an agent it does not know is NONE."""
    return parameter(line, "SCHEDULE-AGENT", "SERVER") == "SERVER"


def is_forced(line: ContentLine, method: str) -> bool:
    """Whether the client asks for a message that the change alone would not send (RFC 6638 §7.2)."""
    return parameter(line, "SCHEDULE-FORCE-SEND") == method


def without_scheduling(line: ContentLine) -> ContentLine:
    """The line as it goes out: the parameters of scheduling are between client and server (RFC 6638 §7)."""
    kept = tuple(one for one in line.parameters if one[0] not in _SCHEDULE)
    return line if kept == line.parameters else ContentLine(line.name, line.value, kept, line.group)


def find_attendee(component: Tree, addresses: Iterable[str]) -> ContentLine | None:
    """The ATTENDEE line of one of the bare addresses."""
    wanted = frozenset(addresses)
    return next((line for line in component.all("ATTENDEE") if bare(line.value) in wanted), None)


def organizer_of(component: Tree) -> str:
    """The bare address of ORGANIZER; empty without one."""
    line = component.first("ORGANIZER")
    return "" if line is None else bare(line.value)
