"""Times in the API: ISO 8601 in UTC with milliseconds (RFC 3339 §5.6)."""

from datetime import UTC, datetime
from functools import lru_cache

from mailstead.foundation.errors import InvalidError

_DAY = 86400


def moment(seconds: float) -> str:
    """Seconds since the epoch as `2026-11-25T04:00:00.000Z`."""
    if isinstance(seconds, int):  # as lists of messages have it: fifty in a page
        days, rest = divmod(seconds, _DAY)
        return f"{_date(days)}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.000Z"
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@lru_cache(maxsize=4096)
def _date(days: int) -> str:
    return datetime.fromtimestamp(days * _DAY, UTC).date().isoformat()


def parse_moment(text: str) -> float:
    """Seconds since the epoch; a time without a zone is in UTC. Raises InvalidError."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise InvalidError(f"{text[:40]}: not a time like 2026-11-25T04:00:00Z") from None
