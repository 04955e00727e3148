"""Events with attendees, as calendar objects and messages."""

from mailstead.formats.content_lines.component import ContentBounds
from mailstead.mail.scheduling.series import Series, read_series

BOUNDS = ContentBounds()
NOW = 1_790_000_000.0
ANN, BOB, EVE = "ann@a.test", "bob@a.test", "eve@b.test"


def attendee(address: str, partstat: str = "NEEDS-ACTION", more: str = "") -> str:
    """An ATTENDEE line."""
    return f"ATTENDEE;CN={address.partition('@')[0].title()};PARTSTAT={partstat}{more}:mailto:{address}"


def event(
    *lines: str, start: str = "20260907T090000", uid: str = "one", sequence: int = 0, organizer: str = ANN
) -> str:
    """A VEVENT of somebody's in Paris of one hour."""
    hour = int(start[9:11])
    return "\r\n".join(
        [
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20260901T120000Z",
            f"SEQUENCE:{sequence}",
            "SUMMARY:Talk",
            f"DTSTART;TZID=Europe/Paris:{start}",
            f"DTEND;TZID=Europe/Paris:{start[:9]}{hour + 1:02d}{start[11:]}",
            f"ORGANIZER;CN={organizer.partition('@')[0].title()}:mailto:{organizer}",
            attendee(organizer, "ACCEPTED"),
            *lines,
            "END:VEVENT",
            "",
        ]
    )


def instance(at: str, *lines: str, start: str = "", uid: str = "one", sequence: int = 0, organizer: str = ANN) -> str:
    """The changed instance that is named by `at`."""
    named = f"RECURRENCE-ID;TZID=Europe/Paris:{at}"
    return event(named, *lines, start=start or at, uid=uid, sequence=sequence, organizer=organizer)


def calendar(*components: str) -> bytes:
    """A calendar object."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n" + "".join(components) + "END:VCALENDAR\r\n"
    ).encode()


def series(data: bytes | None) -> Series:
    """For looking at it."""
    assert data is not None
    return read_series(data, BOUNDS)
