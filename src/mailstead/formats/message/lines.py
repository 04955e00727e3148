"""Counting lines of stretches that lie within each other, without going through the same octets again."""

from bisect import bisect_right

from mailstead.formats.message.part import Octets

_BLOCK = 1024 * 1024


class LineCount:
    """Line breaks before places of a message; each place that was asked for shortens the way to its neighbours."""

    def __init__(self, raw: Octets) -> None:
        self._raw = raw
        self._places = [0]
        self._counts = [0]

    def between(self, start: int, end: int) -> int:
        """Line breaks in `raw[start:end]`."""
        return self._before(end) - self._before(start)

    def _before(self, place: int) -> int:
        number = bisect_right(self._places, place)
        low, count = self._places[number - 1], self._counts[number - 1]
        if low == place:
            return count
        high = self._places[number] if number < len(self._places) else None
        if high is not None and high - place < place - low:
            count = self._counts[number] - _count(self._raw, place, high)
        else:
            count += _count(self._raw, low, place)
        self._places.insert(number, place)
        self._counts.insert(number, count)
        return count


def _count(raw: Octets, start: int, end: int) -> int:
    if isinstance(raw, bytes):
        return raw.count(b"\n", start, end)
    return sum(raw[place : min(place + _BLOCK, end)].count(b"\n") for place in range(start, end, _BLOCK))
