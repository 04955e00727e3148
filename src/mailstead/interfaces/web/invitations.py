"""What a mail says of an event, as the reader shows it beside the mail's own text."""

from collections.abc import Sequence

import msgspec

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.formats.content_lines.errors import ContentError
from mailstead.formats.message.part import Part
from mailstead.formats.message.section import decode_content
from mailstead.mail.scheduling.calendar_user import find_attendee, partstat
from mailstead.mail.scheduling.message import Received, read_message
from mailstead.mail.scheduling.series import Series, read_series
from mailstead.mail.scheduling.summary import name_of, one_line, repeat_text, when_text
from mailstead.stores.mailbox.content import MessageContent
from mailstead.stores.mailbox.mailbox import Mailbox

_TYPES = ("text/calendar", "application/ics")
_BOUNDS = ContentBounds(size=1024 * 1024)


class InvitationShown(msgspec.Struct, frozen=True):
    """An event of a mail. `calendar` and `name` are where it is in one's own calendars, empty when it is not there.

    `answer` is one's own as it stands there, `sender_answer` what a reply tells.
    """

    method: str
    title: str
    when: str
    repeats: str
    place: str
    organizer: str
    sender: str
    sender_answer: str
    calendar: str
    name: str
    start_day: str
    answer: str
    is_cancelled: bool
    is_invited: bool


def find_message(content: MessageContent, parts: Sequence[Part]) -> tuple[Received, bytes] | None:
    """The scheduling message of a mail, and its octets; None when it has none that can be read."""
    for part in parts:
        if part.type in _TYPES and part.body_end - part.body_start <= 2 * _BOUNDS.size:
            data = decode_content(content.read(part.body_start, part.body_end), part.encoding)
            try:
                return read_message(data, _BOUNDS), data
            except ContentError:
                continue
    return None


def read_invitation(
    mailbox: Mailbox, content: MessageContent, parts: Sequence[Part], me: str, sender: str
) -> InvitationShown | None:
    """What the mail says, and what the calendars have of it. Runs on a thread."""
    told = find_message(content, parts) if any(part.type in _TYPES for part in parts) else None
    if told is None:
        return None
    received, _ = told
    first = received.series.first
    start = first.first("DTSTART")
    try:
        when, repeats = when_text(first), repeat_text(first)
    except ContentError:
        return None
    line = find_attendee(first, (sender,))
    found = mailbox.dav.by_uid("calendar", received.series.uid)
    stored = None
    if found:
        row = found[0][1]
        octets = mailbox.dav.read([row.id]).get(row.id)
        try:
            stored = None if octets is None else read_series(octets, _BOUNDS)
        except ContentError:
            stored = None
    own = None if stored is None else _own(stored, me)
    return InvitationShown(
        method=received.method,
        title=one_line(first.text("SUMMARY")),
        when=when,
        repeats=repeats,
        place=one_line(first.text("LOCATION")),
        organizer=name_of(first, received.series.organizer),
        sender=name_of(first, sender) if line is not None else sender,
        sender_answer="" if line is None else partstat(line),
        calendar=f"own-{found[0][0].id}" if stored is not None else "",
        name=found[0][1].name if stored is not None else "",
        start_day="" if start is None else f"{start.value[:4]}-{start.value[4:6]}-{start.value[6:8]}",
        answer=own or "",
        is_cancelled=stored is not None
        and all(one.value("STATUS").upper() == "CANCELLED" for one in stored.components),
        is_invited=find_attendee(first, (me,)) is not None,
    )


def _own(series: Series, me: str) -> str:
    if series.organizer == me:
        return ""
    line = next((found for one in series.components if (found := find_attendee(one, (me,))) is not None), None)
    return "" if line is None else partstat(line)
