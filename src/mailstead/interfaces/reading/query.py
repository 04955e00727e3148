"""What people type into a search field, as criteria.

    query = *( [ "-" ] [ operator ":" ] word )      words in quotes hold spaces

Operators: from, to, cc, subject, body, has:attachment, is:unread|read|starred|answered|draft, before, after, larger,
smaller, label. A word alone is looked for anywhere. What is no operator's value is looked for as it stands.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from mailstead.stores.mailbox.flags import Flag
from mailstead.stores.mailbox.search import criteria as c

LENGTH_LIMIT = 500
WORDS_LIMIT = 20
_WORD = re.compile(r'(-?)(?:([a-z]+):)?(?:"([^"]*)"?|(\S+))', re.IGNORECASE)
_SIZE = re.compile(r"(\d{1,9})([km]?)b?", re.IGNORECASE)
_UNITS = {"": 1, "k": 1024, "m": 1024 * 1024}
HAS_ATTACHMENT = c.Or(c.Header("content-type", "multipart/mixed"), c.Header("content-disposition", "attachment"))
_STATES: dict[str, c.Criterion] = {
    "unread": c.Not(c.FlagIs(Flag.SEEN)),
    "read": c.FlagIs(Flag.SEEN),
    "starred": c.FlagIs(Flag.FLAGGED),
    "flagged": c.FlagIs(Flag.FLAGGED),
    "answered": c.FlagIs(Flag.ANSWERED),
    "draft": c.FlagIs(Flag.DRAFT),
}


def read_query(text: str) -> c.Criterion | None:
    """The criterion of a query; None when nothing is asked for. At most 500 characters and 20 words count."""
    found: list[c.Criterion] = []
    for minus, operator, quoted, plain in _WORD.findall(text[:LENGTH_LIMIT])[:WORDS_LIMIT]:
        word = quoted or plain
        read = _OPERATORS.get(operator.lower())
        criterion = read(word) if read is not None else None
        if criterion is None:
            whole = f"{operator}:{word}" if operator else word
            if not whole:
                continue
            criterion = c.Text(whole)
        found.append(c.Not(criterion) if minus else criterion)
    return c.And(tuple(found)) if found else None


def _field(name: Literal["from", "to", "cc", "subject"]) -> Callable[[str], c.Criterion | None]:
    return lambda text: c.Field(name, text) if text else None


def _has(text: str) -> c.Criterion | None:
    if text.lower() not in ("attachment", "attachments", "file"):
        return None
    return HAS_ATTACHMENT


def _date(text: str) -> int | None:
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None


def _before(text: str) -> c.Criterion | None:
    moment = _date(text)
    return None if moment is None else c.Date("sent", before=moment)


def _after(text: str) -> c.Criterion | None:
    moment = _date(text)
    return None if moment is None else c.Date("sent", since=moment + int(timedelta(days=1).total_seconds()))


def _octets(text: str) -> int | None:
    found = _SIZE.fullmatch(text)
    return None if found is None else int(found[1]) * _UNITS[found[2].lower()]


def _larger(text: str) -> c.Criterion | None:
    octets = _octets(text)
    return None if octets is None else c.Size(larger=octets)


def _smaller(text: str) -> c.Criterion | None:
    octets = _octets(text)
    return None if octets is None else c.Size(smaller=octets)


_OPERATORS: dict[str, Callable[[str], c.Criterion | None]] = {
    "from": _field("from"),
    "to": _field("to"),
    "cc": _field("cc"),
    "subject": _field("subject"),
    "body": lambda text: c.Body(text) if text else None,
    "has": _has,
    "is": lambda text: _STATES.get(text.lower()),
    "before": _before,
    "after": _after,
    "larger": _larger,
    "smaller": _smaller,
    "label": lambda text: c.KeywordIs(text) if text else None,
}
