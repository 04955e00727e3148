"""Times in the API: ISO 8601 in UTC with milliseconds (RFC 3339 §5.6)."""

from datetime import UTC, datetime

from mailstead.foundation.errors import InvalidError


def moment(seconds: float) -> str:
    """Seconds since the epoch as `2026-11-25T04:00:00.000Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_moment(text: str) -> float:
    """Seconds since the epoch; a time without a zone is in UTC. Raises InvalidError."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise InvalidError(f"{text[:40]}: not a time like 2026-11-25T04:00:00Z") from None
