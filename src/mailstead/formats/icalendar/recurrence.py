"""What a rule makes of a start (RFC 5545 §3.3.10): wall clock times in order, one day looked at after the other.

A period (year, month, week, day; hour, minute, second) gives its days that pass every BY part, and each day its times.
Every day looked at and every time given costs one of a budget, so that a rule that never comes true, or comes true
every second for ever, ends in RecurrenceLimitError and not in a busy server. Without COUNT the search begins at the
period that is asked for, however long ago the rule began.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from mailstead.formats.icalendar.rule import Rule

_UNITS = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}


class RecurrenceLimitError(Exception):
    """A rule costs more than is allowed."""


class Budget:
    """What all rules of one question may cost together."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Raises RecurrenceLimitError when nothing is left."""
        self._left -= steps
        if self._left < 0:
            raise RecurrenceLimitError


def starts(rule: Rule, first: datetime, since: datetime, budget: Budget) -> Iterator[datetime]:
    """The starts of `rule` that begins at `first`, none long before `since`; UNTIL in UTC is the caller's.

    Raises RecurrenceLimitError.
    """
    left = rule.count
    at = first if left is not None else max(first, since)
    try:
        for wall in _all(_Completed(rule, first), first, at, budget):
            if wall < first:
                continue
            if rule.passes(wall) or left == 0:
                return
            budget.spend()
            if left is not None:
                left -= 1
            yield wall
    except (OverflowError, ValueError):
        return  # past the year 9999


class _Completed:
    """A rule whose missing parts are taken from its start."""

    def __init__(self, rule: Rule, first: datetime) -> None:
        self.rule = rule
        frequency = rule.frequency
        self.days, self.month_days, self.months = rule.days, rule.month_days, rule.months
        if frequency in ("YEARLY", "MONTHLY", "WEEKLY") and not (rule.days or rule.month_days or rule.year_days):
            if frequency == "WEEKLY" or rule.weeks:
                self.days = ((0, first.weekday()),)
            else:
                self.month_days = (first.day,)
                if frequency == "YEARLY" and not rule.months:
                    self.months = (first.month,)
        unit = _UNITS.get(frequency, 86400)
        self.hours = rule.hours or ((first.hour,) if unit > 3600 else ())
        self.minutes = rule.minutes or ((first.minute,) if unit > 60 else ())
        self.seconds = rule.seconds or ((first.second,) if unit > 1 else ())
        self.weekdays = frozenset(day for ordinal, day in self.days if not ordinal or frequency not in _ORDINALS)
        self.ordinals = frozenset(one for one in self.days if one[0]) if frequency in _ORDINALS else frozenset()
        self.in_month = frequency == "MONTHLY" or bool(rule.months)

    def has(self, day: date) -> bool:
        """Whether a day passes every BY part that speaks of days."""
        if self.months and day.month not in self.months:
            return False
        if self.days and day.weekday() not in self.weekdays and not self._is_ordinal(day):
            return False
        if self.month_days:
            length = monthrange(day.year, day.month)[1]
            if day.day not in self.month_days and day.day - length - 1 not in self.month_days:
                return False
        if self.rule.year_days:
            number, length = day.timetuple().tm_yday, date(day.year, 12, 31).timetuple().tm_yday
            if number not in self.rule.year_days and number - length - 1 not in self.rule.year_days:
                return False
        return not self.rule.weeks or self._is_week(day)

    def _is_ordinal(self, day: date) -> bool:
        if not self.ordinals:
            return False
        if self.in_month:
            number, length = day.day, monthrange(day.year, day.month)[1]
        else:
            number, length = day.timetuple().tm_yday, date(day.year, 12, 31).timetuple().tm_yday
        weekday = day.weekday()
        return ((number + 6) // 7, weekday) in self.ordinals or (
            (-((length - number) // 7 + 1), weekday) in self.ordinals
        )

    def _is_week(self, day: date) -> bool:
        """Weeks are numbered as in ISO 8601, but begin at WKST."""
        start = self.rule.week_start
        monday = day - timedelta((day.weekday() - start) % 7)
        year = (monday + timedelta(3)).year
        number = (monday - _first_week(year, start)).days // 7 + 1
        weeks = (_first_week(year + 1, start) - _first_week(year, start)).days // 7
        return number in self.rule.weeks or number - weeks - 1 in self.rule.weeks


_ORDINALS = ("YEARLY", "MONTHLY")


def _first_week(year: int, start: int) -> date:
    fourth = date(year, 1, 4)
    return fourth - timedelta((fourth.weekday() - start) % 7)


def _all(rule: _Completed, first: datetime, at: datetime, budget: Budget) -> Iterator[datetime]:
    if rule.rule.frequency in _UNITS:
        yield from _by_units(rule, first, at, budget)
        return
    for days in _periods(rule, first, at):
        found = []
        for day in days:
            budget.spend()
            if rule.has(day):
                found.append(day)
        yield from _times(rule, found, rule.hours, rule.minutes, rule.seconds)


def _times(
    rule: _Completed, days: list[date], hours: tuple[int, ...], minutes: tuple[int, ...], seconds: tuple[int, ...]
) -> Iterator[datetime]:
    """The times of the days of one period in order, those that BYSETPOS picks where there is one."""
    each = len(hours) * len(minutes) * len(seconds)
    total = len(days) * each
    places: range | list[int] = range(total)
    if rule.rule.positions:
        chosen = {place - 1 if place > 0 else total + place for place in rule.rule.positions}
        places = sorted(place for place in chosen if 0 <= place < total)
    for place in places:
        day, rest = divmod(place, each)
        rest, second = divmod(rest, len(seconds))
        hour, minute = divmod(rest, len(minutes))
        one = days[day]
        yield datetime(one.year, one.month, one.day, hours[hour], minutes[minute], seconds[second])


def _periods(rule: _Completed, first: datetime, at: datetime) -> Iterator[Iterator[date]]:
    """The days of each period from the one before that of `at`."""
    interval = rule.rule.interval
    match rule.rule.frequency:
        case "YEARLY":
            for year in range(_from(first.year, at.year, interval), 10000, interval):
                yield _year(year, rule.months)
        case "MONTHLY":
            begin = first.year * 12 + first.month - 1
            for month in range(_from(begin, at.year * 12 + at.month - 1, interval), 120000, interval):
                yield _days(date(month // 12, month % 12 + 1, 1), monthrange(month // 12, month % 12 + 1)[1])
        case "WEEKLY":
            begin = first.toordinal() - (first.weekday() - rule.rule.week_start) % 7
            for week in range(_from(begin, at.toordinal(), interval * 7), date.max.toordinal() - 7, interval * 7):
                yield (date.fromordinal(max(week + day, 1)) for day in range(7))
        case _:
            begin = first.toordinal()
            for day in range(_from(begin, at.toordinal(), interval), date.max.toordinal(), interval):
                yield iter((date.fromordinal(day),))


def _from(begin: int, at: int, interval: int) -> int:
    """The last period that begins at or before `at`, or the one before it."""
    return begin + max((at - begin) // interval - 1, 0) * interval


def _year(year: int, months: tuple[int, ...]) -> Iterator[date]:
    for month in months or range(1, 13):
        yield from _days(date(year, month, 1), monthrange(year, month)[1])


def _days(first: date, count: int) -> Iterator[date]:
    for day in range(count):
        yield first.replace(day=day + 1)


def _by_units(rule: _Completed, first: datetime, at: datetime, budget: Budget) -> Iterator[datetime]:
    """HOURLY, MINUTELY, SECONDLY; days that do not pass are stepped over as a whole."""
    unit = _UNITS[rule.rule.frequency]
    step = unit * rule.rule.interval
    begin = first.replace(
        minute=0 if unit == 3600 else first.minute, second=first.second if unit == 1 else 0, microsecond=0
    )
    place = max(int((at - begin).total_seconds()) // step - 1, 0)
    while True:
        budget.spend()
        now = begin + timedelta(seconds=place * step)
        if not rule.has(now.date()):
            midnight = datetime(now.year, now.month, now.day) + timedelta(days=1)
            place = max(-int((begin - midnight).total_seconds() // step), place + 1)
            continue
        place += 1
        if rule.hours and now.hour not in rule.hours:
            continue
        if unit < 3600 and rule.minutes and now.minute not in rule.minutes:
            continue
        if unit == 1 and rule.seconds and now.second not in rule.seconds:
            continue
        minutes = rule.minutes if unit == 3600 else (now.minute,)
        seconds = rule.seconds if unit > 1 else (now.second,)
        yield from _times(rule, [now.date()], (now.hour,), minutes, seconds)
