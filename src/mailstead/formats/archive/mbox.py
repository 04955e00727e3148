"""mbox: messages one after the other, each after a line that begins with "From " (RFC 4155).

    mbox = *message;  message = from-line octets line-break;  from-line = "From " sender " " asctime line-break

Dialects differ in how a line of the message that begins with "From " is told from a from-line: mboxrd puts a ">" in
front of it and of every line of ">"s and "From ", mboxo and mboxcl of "From " alone, mboxcl2 trusts Content-Length.

What is written here is mboxrd. The first header field of each message is X-Mailstead-Entry, which gives the message's
length, flags, keywords and date, so that reading gives back the same octets; it and the Status fields after it, which
other programs understand, are no part of the message.
"""

import base64
import binascii
import calendar
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from mailstead.formats.message.part import Octets

_FROM_LINE = re.compile(
    rb"(?:\A|(?<=\n))From ([^\n]{0,300}?) *"
    rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +(?:(?P<day1>\d{1,2}) +)?(?P<month>[A-Z][a-z]{2}) +(?:(?P<day2>\d{1,2}) +)?"
    rb"(?:(?P<year1>\d{4}) +)?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?"
    rb"(?: +[A-Z]{1,5}(?: +[A-Z]{1,5})?)?(?: +(?P<zone>[+-]\d{4}))?(?: +(?P<year2>\d{4}))?"
    rb"(?: +[+-]\d{4})?[^\n]{0,100}(?:\n|\Z)"
)
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_UNQUOTED = re.compile(rb"^(>*From )", re.MULTILINE)
_LENGTH = re.compile(rb"^Content-Length:[ \t]*(\d{1,15})[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_STATUS = re.compile(rb"^(X-)?Status:[ \t]*([A-Za-z]{1,10})[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_KEYWORDS = re.compile(rb"^X-Keywords:[ \t]*([^\r\n]*?)[ \t]*\r?$", re.MULTILINE | re.IGNORECASE)
_BLANK = re.compile(rb"\n\r?\n")
_ENTRY = re.compile(
    rb"X-Mailstead-Entry: (\d{1,15}) (\d{1,3}) (-?\d{1,15}) ([A-Za-z0-9+/=]*)\n"
    rb"(?:(?:X-)?(?:Status|Keywords): [^\n]*\n){3}"
)
_HEADER_LIMIT = 256 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = -62_000_000_000, 253_000_000_000  # years 5 and 9987
_STATUS_FLAGS = {"R": 1, "A": 2, "F": 4, "D": 8, "T": 16}  # bits of the store's flags


class MboxMessage(msgspec.Struct, frozen=True):
    """A message of an mbox; `moment` is the from-line's, seconds since the epoch. `is_exact`: as it was stored."""

    raw: bytes
    moment: int | None
    flags: int
    keywords: tuple[str, ...]
    is_exact: bool


def _moment(found: re.Match[bytes]) -> int | None:
    month, day = found["month"], found["day1"] or found["day2"]
    year = found["year2"] or found["year1"]
    if month not in _MONTHS or day is None or year is None:
        return None
    zone = found["zone"]
    offset = (int(zone[1:3]) * 60 + int(zone[3:5])) * (-60 if zone[:1] == b"-" else 60) if zone else 0
    numbers = (int(year), _MONTHS.index(month) + 1, int(day), int(found["hour"]), int(found["minute"]))
    if not 1 <= numbers[2] <= calendar.monthrange(numbers[0] or 1, numbers[1])[1] or numbers[0] == 0:
        return None
    return calendar.timegm((*numbers, int(found["second"] or 0))) - offset


def _starts(raw: Octets) -> Iterator[re.Match[bytes]]:
    """The from-lines: at the start, or after an empty line."""
    for found in _FROM_LINE.finditer(raw):
        at = found.start()
        before = raw[max(at - 3, 0) : at]
        if before in (b"", b"\n", b"\r\n") or before.endswith((b"\n\n", b"\n\r\n")):
            yield found


def read_mbox(raw: Octets) -> Iterator[MboxMessage]:
    """The messages of an mbox of any dialect, in order; what stands before the first from-line is passed over."""
    skip_to = 0
    begun: re.Match[bytes] | None = None
    for found in _starts(raw):
        if found.start() < skip_to:
            continue  # inside a message whose Content-Length proved right
        if begun is not None:
            yield _message(raw, begun, found.start())
        begun = found
        skip_to = found.end()
        if not _ENTRY.match(raw, skip_to):
            skip_to = _by_length(raw, skip_to) or skip_to
    if begun is not None:
        yield _message(raw, begun, len(raw))


def _header(raw: Octets, start: int) -> bytes:
    block = raw[start : start + _HEADER_LIMIT]
    end = _BLANK.search(block)
    return block[: end.end()] if end else block


def _by_length(raw: Octets, start: int) -> int | None:
    """Where the message ends by its Content-Length, when a from-line or the end of the file follows there."""
    header = _header(raw, start)
    length = _LENGTH.search(header)
    if length is None:
        return None
    end = start + len(header) + int(length[1])
    following = raw[end : end + 300].lstrip(b"\r\n")
    if end == len(raw) or (end < len(raw) and (not following or _FROM_LINE.match(following))):
        return end
    return None


def _message(raw: Octets, found: re.Match[bytes], end: int) -> MboxMessage:
    start = found.end()
    entry = _ENTRY.match(raw, start)
    if entry is not None:
        body = _QUOTED.sub(rb"\1", raw[entry.end() : end])[: int(entry[1])]
        try:
            keywords = base64.b64decode(entry[4]).decode().split()
        except (binascii.Error, UnicodeDecodeError):
            keywords = []
        return MboxMessage(body, int(entry[3]), int(entry[2]) & 31, tuple(keywords), True)
    header = _header(raw, start)
    by_length = _by_length(raw, start)
    if by_length is not None and by_length <= end:
        body = raw[start:by_length]
        if _FROM_LINE.search(body) is None:
            body = _QUOTED.sub(rb"\1", body)  # else mboxcl2: nothing was quoted
    else:
        body = raw[start:end]
        body = body.removesuffix(b"\r\n" if body.endswith(b"\n\r\n") else b"\n" if body.endswith(b"\n\n") else b"")
        body = _QUOTED.sub(rb"\1", body)
    flags = 0
    for extended, letters in _STATUS.findall(header):
        for letter in letters.decode():
            if letter in _STATUS_FLAGS and (letter == "R") != bool(extended):
                flags |= _STATUS_FLAGS[letter]
    keywords_found = _KEYWORDS.search(header)
    words = keywords_found[1].decode("utf-8", "replace").replace(",", " ").split() if keywords_found else []
    return MboxMessage(body, _moment(found), flags, tuple(words), False)


def write_mbox(raw: Iterable[bytes], size: int, flags: int, keywords: str, moment: int) -> Iterator[bytes]:
    """One message of `size` octets as mboxrd, in pieces; `moment` in seconds since the epoch, years 1 to 9999."""
    time = _asctime(moment)
    words = base64.b64encode(keywords.encode()).decode()
    letters = "".join(letter for letter, bit in _STATUS_FLAGS.items() if flags & bit and letter != "R")
    yield (
        f"From MAILER-DAEMON {time}\nX-Mailstead-Entry: {size} {flags} {moment} {words}\n"
        f"Status: {'RO' if flags & 1 else 'O'}\nX-Status: {letters}\nX-Keywords: {keywords}\n"
    ).encode()
    held = b""
    for chunk in raw:
        lines = held + chunk
        cut = lines.rfind(b"\n") + 1
        # a piece ends with a line, or is far longer than any run of ">"s before "From " that matters
        if cut:
            yield _UNQUOTED.sub(rb">\1", lines[:cut])
        held = lines[cut:]
    yield _UNQUOTED.sub(rb">\1", held)
    yield b"\n\n"


def _asctime(moment: int) -> str:
    found = _EPOCH + timedelta(seconds=min(max(moment, _FIRST), _LAST))
    return (
        f"{_DAYS[found.weekday()]} {_MONTHS[found.month - 1].decode()} {found.day:2} {found:%H:%M:%S} {found.year:04}"
    )
