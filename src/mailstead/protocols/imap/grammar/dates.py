"""Dates (RFC 9051 §9).

date = date-text / DQUOTE date-text DQUOTE;  date-text = 1*2DIGIT "-" date-month "-" 4DIGIT
date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
"""

import calendar
import re
from functools import lru_cache

from mailstead.protocols.imap.errors import CommandError
from mailstead.protocols.imap.grammar.cursor import Cursor

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BY_MONTH = {name.lower().encode(): number for number, name in enumerate(_MONTHS, 1)}
_DATE = re.compile(rb"(\d{1,2})-([A-Za-z]{3})-(\d{4})")
_DATE_TIME = re.compile(rb"[ \d]?(\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_DAY = 86400


def _day(day: int, month: bytes, year: int) -> int:
    number = _BY_MONTH.get(month.lower(), 0)
    if not number or not 1 <= year <= 9999 or not 1 <= day <= calendar.monthrange(year, number)[1]:
        raise CommandError("No such date")
    return calendar.timegm((year, number, day, 0, 0, 0))


def date(cursor: Cursor) -> int:
    """date, as seconds from the epoch to its midnight in UTC"""
    quote = cursor.take(b'"')
    found = _DATE.match(cursor.text, cursor.place)
    if found is None:
        raise CommandError("A date is wanted")
    cursor.place = found.end()
    if quote:
        cursor.expect(b'"')
    return _day(int(found[1]), found[2], int(found[3]))


def date_time(cursor: Cursor) -> int:
    """date-time, as seconds since the epoch"""
    text = cursor.quoted()
    found = _DATE_TIME.fullmatch(text)
    if found is None:
        raise CommandError("Bad date")
    _, month, year, hour, minute, second, sign, zone_hour, zone_minute = found.groups()
    if int(hour) > 23 or int(minute) > 59 or int(second) > 60 or int(zone_minute) > 59:
        raise CommandError("No such time")
    offset = int(zone_hour) * 3600 + int(zone_minute) * 60
    moment = _day(int(text.partition(b"-")[0]), month, int(year))
    moment += int(hour) * 3600 + int(minute) * 60 + min(int(second), 59)
    return moment - offset if sign == b"+" else moment + offset


@lru_cache(1024)
def _day_text(day: int) -> bytes:
    """`23-Nov-2026` of a day's number since the epoch; days that no calendar has are the last or first it has."""
    era_day = min(max(day, -719162), 2932896) + 719468
    era, of_era = divmod(era_day, 146097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    year = year_of_era + era * 400 + (month <= 2)
    return b"%02d-%b-%04d" % (of_year - (153 * shifted + 2) // 5 + 1, _MONTHS[month - 1].encode(), year)


def internal_date(moment: int) -> bytes:
    """`23-Nov-2026 20:33:00 +0000` of seconds since the epoch."""
    day, second = divmod(moment, _DAY)
    return b"%b %02d:%02d:%02d +0000" % (_day_text(day), second // 3600, second // 60 % 60, second % 60)
