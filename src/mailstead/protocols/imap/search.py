"""SEARCH keys as criteria of the store (RFC 9051 §6.4.4)."""

import calendar
import re
import time
from collections.abc import Callable
from typing import Any

from mailstead.protocols.imap.parser import CommandError, Value, text_of
from mailstead.protocols.imap.sequence import parse_sequence
from mailstead.protocols.imap.view import View
from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.search import criteria as c

_DATE = re.compile(r"(\d{1,2})-([A-Za-z]{3})-(\d{4})")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY = 86400
_FLAGS = {
    "SEEN": Flag.SEEN,
    "ANSWERED": Flag.ANSWERED,
    "FLAGGED": Flag.FLAGGED,
    "DELETED": Flag.DELETED,
    "DRAFT": Flag.DRAFT,
}
_SEQUENCE = re.compile(r"[\d*][\d*:,]*")


def _date(value: Value) -> int:
    found = _DATE.fullmatch(text_of(value))
    if found is None or found[2].lower() not in _MONTHS:
        raise CommandError("Bad date")
    return calendar.timegm((int(found[3]), _MONTHS.index(found[2].lower()) + 1, int(found[1]), 0, 0, 0))


def _number(value: Value) -> int:
    text = text_of(value)
    if not text.isdigit() or len(text) > 18:
        raise CommandError("Bad number")
    return int(text)


def _field(name: Any) -> Callable[[Value], c.Criterion]:
    return lambda value: c.Field(name, text_of(value))


_WITH_ONE: dict[str, Callable[[Value], c.Criterion]] = {
    "FROM": _field("from"),
    "TO": _field("to"),
    "CC": _field("cc"),
    "BCC": _field("bcc"),
    "SUBJECT": _field("subject"),
    "BODY": lambda value: c.Body(text_of(value)),
    "TEXT": lambda value: c.Text(text_of(value)),
    "KEYWORD": lambda value: c.KeywordIs(text_of(value)),
    "UNKEYWORD": lambda value: c.Not(c.KeywordIs(text_of(value))),
    "LARGER": lambda value: c.Size(larger=_number(value)),
    "SMALLER": lambda value: c.Size(smaller=_number(value)),
    "BEFORE": lambda value: c.Date("internal", before=_date(value)),
    "ON": lambda value: c.Date("internal", since=_date(value), before=_date(value) + _DAY),
    "SINCE": lambda value: c.Date("internal", since=_date(value)),
    "SENTBEFORE": lambda value: c.Date("sent", before=_date(value)),
    "SENTON": lambda value: c.Date("sent", since=_date(value), before=_date(value) + _DAY),
    "SENTSINCE": lambda value: c.Date("sent", since=_date(value)),
    "OLDER": lambda value: c.Date("internal", before=int(time.time()) - _number(value) + 1),
    "YOUNGER": lambda value: c.Date("internal", since=int(time.time()) - _number(value)),
}


class SearchParser:
    """Reads keys from a list of values, in the numbers of one view."""

    def __init__(self, view: View) -> None:
        self._view = view

    def parse(self, values: list[Value]) -> c.Criterion:
        """All keys, each of which must match. Raises CommandError."""
        waiting = list(values)
        found: list[c.Criterion] = []
        while waiting:
            found.append(self._key(waiting))
        if not found:
            raise CommandError("Nothing to search for")
        return found[0] if len(found) == 1 else c.And(tuple(found))

    def _key(self, waiting: list[Value]) -> c.Criterion:
        if not waiting:
            raise CommandError("A search key lacks its argument")
        value = waiting.pop(0)
        if isinstance(value, list):
            return self.parse(value)
        name = text_of(value).upper()
        if name in _WITH_ONE:
            if not waiting:
                raise CommandError("A search key lacks its argument")
            return _WITH_ONE[name](waiting.pop(0))
        if name in _FLAGS:
            return c.FlagIs(_FLAGS[name])
        if name.startswith("UN") and name[2:] in _FLAGS:
            return c.Not(c.FlagIs(_FLAGS[name[2:]]))
        recent = c.UidIn([(self._view.recent_from, 2**32 - 1)])
        match name:
            case "ALL":
                return c.All()
            case "NOT":
                return c.Not(self._key(waiting))
            case "OR":
                left = self._key(waiting)
                return c.Or(left, self._key(waiting))
            case "RECENT":
                return recent
            case "NEW":
                return c.And((recent, c.Not(c.FlagIs(Flag.SEEN))))
            case "OLD":
                return c.Not(recent)
            case "HEADER" if len(waiting) >= 2:
                return c.Header(text_of(waiting.pop(0)), text_of(waiting.pop(0)))
            case "UID" if waiting:
                uids = self._view.uids
                return c.UidIn(parse_sequence(text_of(waiting.pop(0)), uids[-1] if uids else 0))
        if _SEQUENCE.fullmatch(name):
            return c.UidIn(self._view.uid_ranges(parse_sequence(name, len(self._view.uids))))
        raise CommandError("Search key not known")
