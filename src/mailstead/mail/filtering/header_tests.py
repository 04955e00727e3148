"""Tests of header fields and the envelope: header, address, exists, envelope, date, currentdate."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone

from mailstead.formats.message.address import parse_addresses
from mailstead.formats.message.date import format_date, parse_date, parse_zone
from mailstead.formats.message.parameters import Parameters, parameter_text, parse_parameters
from mailstead.formats.sieve import checks
from mailstead.formats.sieve.program import Operation
from mailstead.mail.filtering.message import Field
from mailstead.mail.filtering.run import Run, ScriptFailedError

_ADDRESSES = 200
_JULIAN_EPOCH = 40587  # of the modified Julian day of 1970-01-01
_EARLIEST, _LATEST = -62_000_000_000, 253_000_000_000  # within the years that every zone can show
_MIME_FIELDS = ("content-type", "content-disposition")


def _chosen(fields: Sequence[Field], operation: Operation) -> Sequence[Field]:
    """The one field that :index names, from the end with :last (RFC 5260 §6)."""
    index: int | None = operation.values.get("index")
    if index is None:
        return fields
    if index < 1 or index > len(fields):
        return ()
    return (fields[-index] if operation.values.get("last") else fields[index - 1],)


def _parts(run: Run, operation: Operation) -> Iterable[int]:
    """Whose header fields are looked at (RFC 5703 §4.1)."""
    if not operation.values.get("mime"):
        return (run.root,)
    if operation.values.get("anychild"):
        return (run.part, *run.message.children(run.part))
    return (run.part,)


def _fields(run: Run, operation: Operation, names: Iterable[str]) -> Iterator[Field]:
    for part in _parts(run, operation):
        for name in names:
            yield from _chosen(run.message.named(name, part), operation)


def header(run: Run, operation: Operation) -> bool:
    """RFC 5228 §5.7."""
    fields = _fields(run, operation, run.texts(operation, "headers"))
    mime: str | None = operation.values.get("mime-part")
    if mime is None:
        sources: Iterable[str] = (field.value for field in fields)
    else:
        parameters = run.texts(operation, "param")
        sources = (text for field in fields for text in _mime_values(field, mime, parameters))
    return run.matches(operation, sources, run.texts(operation, "keys"))


def _mime_values(field: Field, wanted: str, names: Iterable[str]) -> Iterator[str]:
    """What :type, :subtype, :contenttype and :param make of a field (RFC 5703 §4.1)."""
    main, parameters = parse_parameters(field.raw_value)
    if wanted == "param":
        for name in names:
            found = _parameter(parameters, name.lower())
            if found is not None:
                yield found
        return
    if field.name not in _MIME_FIELDS:
        yield ""
        return
    kind, slash, subtype = main.decode("utf-8", "replace").partition("/")
    if field.name == "content-disposition":
        yield "" if wanted == "subtype" else kind
    elif slash:
        yield {"type": kind, "subtype": subtype, "contenttype": f"{kind}/{subtype}"}[wanted]


def _parameter(parameters: Parameters, name: str) -> str | None:
    key = name.encode("utf-8", "replace")
    if not any(one == key or one.startswith(key + b"*") for one, _ in parameters):
        return None
    return parameter_text(parameters, key)


def exists(run: Run, operation: Operation) -> bool:
    """RFC 5228 §5.5: all of the fields are there."""
    return all(
        any(run.message.named(name, part) for part in _parts(run, operation))
        for name in run.texts(operation, "headers")
    )


def _address_part(address: str, part: str) -> str | None:
    """RFC 5228 §2.7.4, RFC 5233 §4; None when the address has no such part."""
    local, at, domain = address.rpartition("@")
    if not at:
        local, domain = address, ""
    if part == "domain":
        return domain if at else None
    if part == "localpart":
        return local
    if part in ("user", "detail"):
        user, plus, detail = local.partition("+")
        return user if part == "user" else (detail if plus else None)
    return address


def _addresses(field: Field) -> Iterator[str]:
    for address in parse_addresses(field.raw_value, _ADDRESSES):
        if address.group is None and address.local:
            yield address.specification


def address(run: Run, operation: Operation) -> bool:
    """RFC 5228 §5.1."""
    part = operation.values.get("part", "all")
    sources = (
        found
        for field in _fields(run, operation, run.texts(operation, "headers"))
        for one in _addresses(field)
        if (found := _address_part(one, part)) is not None
    )
    return run.matches(operation, sources, run.texts(operation, "keys"))


def envelope(run: Run, operation: Operation) -> bool:
    """RFC 5228 §5.4; the sender of notices is the empty string."""
    part = operation.values.get("part", "all")
    addresses = {"from": run.environment.sender, "to": run.environment.recipient}
    sources: list[str] = []
    for name in run.texts(operation, "parts"):
        whole = addresses.get(name.lower())
        found = "" if whole == "" and part != "detail" else _address_part(whole, part) if whole is not None else None
        if found is not None:
            sources.append(found)
    return run.matches(operation, sources, run.texts(operation, "keys"))


def _date_parts(moment: datetime) -> dict[str, str]:
    """RFC 5260 §4.2."""
    offset = int((moment.utcoffset() or timedelta()).total_seconds()) // 60
    sign = "-" if offset < 0 else "+"
    hours, minutes = divmod(abs(offset), 60)
    return {
        "year": f"{moment.year:04}",
        "month": f"{moment.month:02}",
        "day": f"{moment.day:02}",
        "date": f"{moment:%Y-%m-%d}",
        "julian": str(moment.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal() + _JULIAN_EPOCH),
        "hour": f"{moment.hour:02}",
        "minute": f"{moment.minute:02}",
        "second": f"{moment.second:02}",
        "time": f"{moment:%H:%M:%S}",
        "iso8601": f"{moment:%Y-%m-%dT%H:%M:%S}{sign}{hours:02}:{minutes:02}",
        "std11": format_date(moment.timestamp(), offset),
        "zone": f"{sign}{hours:02}{minutes:02}",
        "weekday": str(moment.isoweekday() % 7),
    }


def _zone(run: Run, operation: Operation) -> timezone:
    text = run.text(operation, "zone")
    if not text:
        return timezone(timedelta(minutes=run.environment.zone_offset))
    run.checked(text, checks.zone)
    minutes = int(text[1:3]) * 60 + int(text[3:5])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def _part_of(run: Run, operation: Operation, moment: datetime) -> str:
    part = run.text(operation, "part").lower()
    if part not in checks.DATE_PARTS:
        raise ScriptFailedError(checks.date_part(part) or "")
    return _date_parts(moment)[part]


def date(run: Run, operation: Operation) -> bool:
    """RFC 5260 §4.1: the date of a field, after its last semicolon when it has one (Received)."""
    sources: list[str] = []
    for field in _chosen(run.message.named(run.text(operation, "header"), run.root), operation):
        value = field.raw_value.rpartition(b";")[2]
        seconds = parse_date(value)
        if seconds is None or not _EARLIEST < seconds < _LATEST:
            continue
        if operation.values.get("zone-kind") == "originalzone":
            zone = timezone(timedelta(minutes=parse_zone(value)))
        else:
            zone = _zone(run, operation)
        sources.append(_part_of(run, operation, datetime.fromtimestamp(seconds, zone)))
        if "match" not in operation.values or operation.values["match"] != "count":
            break  # the first that is a date
    return run.matches(operation, sources, run.texts(operation, "keys"))


def currentdate(run: Run, operation: Operation) -> bool:
    """RFC 5260 §5."""
    moment = datetime.fromtimestamp(int(run.environment.now), _zone(run, operation))
    return run.matches(operation, (_part_of(run, operation, moment),), run.texts(operation, "keys"))
