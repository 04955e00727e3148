"""Languages: messages from .po files, dates and numbers as people of the language write them."""

from datetime import UTC, datetime, tzinfo
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

FOLDER = Path(__file__).parent / "locale"
DEFAULT = "en"
_TWO = {"one": 0, "other": 1}
_FORMS = {"ru": {"one": 0, "few": 1, "many": 2, "other": 2}}
_UNITS = ("B", "KB", "MB", "GB", "TB")


class Language:
    """One language; English is the language of the sources."""

    def __init__(self, code: str, messages: dict[str, str | tuple[str, ...]]) -> None:
        self.code = code
        self._messages = messages

    @cached_property
    def locale(self) -> Locale:
        """Babel's rules for it."""
        return Locale.parse(self.code)

    @property
    def direction(self) -> str:
        """ltr or rtl."""
        return self.locale.text_direction

    def gettext(self, message: str) -> str:
        """The translation, or the message itself."""
        found = self._messages.get(message)
        return found if isinstance(found, str) and found else message

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """The form for `count`; a catalog's forms are in the order of gettext's rule for the language."""
        found = self._messages.get(singular)
        if isinstance(found, tuple) and all(found):
            return found[_FORMS.get(self.code, _TWO)[self.locale.plural_form(count)]]
        return singular if count == 1 else plural

    def number(self, value: float) -> str:
        """A number with the language's separators."""
        return str(format_decimal(value, locale=self.locale))

    def size(self, octets: float) -> str:
        """Octets in the largest unit that keeps it above one."""
        unit = 0
        while octets >= 1000 and unit < len(_UNITS) - 1:
            octets /= 1024
            unit += 1
        shown = format_decimal(round(octets, 0 if octets >= 10 or unit == 0 else 1), locale=self.locale)
        return f"{shown} {_UNITS[unit]}"

    def moment(self, seconds: float, now: float, zone: tzinfo = UTC) -> str:
        """Short: the time today, the day this year, the date before; on the clock of the zone."""
        at, today = datetime.fromtimestamp(seconds, zone), datetime.fromtimestamp(now, zone)
        if at.date() == today.date():
            return str(format_time(at, "short", locale=self.locale))
        if at.year == today.year:
            return str(format_date(at, "d MMM", locale=self.locale))
        return str(format_date(at, "d MMM y", locale=self.locale))

    def short_day(self, wall: datetime) -> str:
        """Day of the week and time, on the clock that the caller chose."""
        return f"{format_date(wall, 'EEE', locale=self.locale)} {self.time(wall)}"

    def wall_moment(self, seconds: float, zone: str) -> str:
        """Day and time on the wall clock of a zone."""
        wall = datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(zone))
        return f"{format_date(wall, 'EEE d MMM', locale=self.locale)} {self.time(wall)}"

    def time(self, wall: datetime) -> str:
        """A time of the day, on the clock that the caller chose."""
        return str(format_time(wall, "short", locale=self.locale))

    def hour(self, hour: int) -> str:
        """A full hour."""
        return self.time(datetime(2000, 1, 1, hour)).replace(":00", "")

    def stamp(self, seconds: float) -> str:
        """For programs (ISO 8601)."""
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def full_moment(self, seconds: float) -> str:
        """Date and time."""
        return str(format_datetime(datetime.fromtimestamp(seconds, UTC), "medium", locale=self.locale)) + " UTC"


class Languages:
    """All languages there are."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._languages = {DEFAULT: Language(DEFAULT, {})}
        for path in sorted(folder.glob("*/messages.po")):
            code = path.parent.name
            with path.open("rb") as file:
                catalog = read_po(file, locale=code)
            messages: dict[str, str | tuple[str, ...]] = {}
            for message in catalog:
                if message.id and not message.fuzzy:
                    key = message.id[0] if isinstance(message.id, tuple | list) else message.id
                    text = message.string
                    messages[key] = tuple(text) if isinstance(text, tuple | list) else text or ""
            self._languages[code] = Language(code, messages)

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of all languages."""
        return tuple(self._languages)

    def of(self, code: str) -> Language | None:
        """The language of that code."""
        return self._languages.get(code)

    def accepted(self, header: str) -> Language:
        """The best of an Accept-Language field (RFC 9110 §12.5.4); at most its first 20 entries are looked at."""
        wanted: list[tuple[float, int, str]] = []
        for place, entry in enumerate(header.split(",")[:20]):
            name, _, parameters = entry.strip().partition(";")
            quality = parameters.strip().removeprefix("q=")
            try:
                weight = float(quality) if quality else 1.0
            except ValueError:
                weight = 0.0
            wanted.append((-weight, place, name.strip().lower().partition("-")[0]))
        for weight, _, code in sorted(wanted):
            if weight < 0 and code in self._languages:
                return self._languages[code]
        return self._languages[DEFAULT]
