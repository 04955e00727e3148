"""`mailstead trace`: what happened to a message, in plain words."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from mailstead.cli.output import Json, emit_json, emit_table, fail
from mailstead.cli.stores import with_stores
from mailstead.stores.trace.entry import TraceEntry, Way

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}


def trace(
    key: Annotated[str, typer.Argument(metavar="MESSAGE-ID|ADDRESS|QUEUE-ID", help="What to look for.")],
    since: Annotated[str, typer.Option(help="How far back: 30m, 12h, 1d, 2w.")] = "1d",
    limit: Annotated[int, typer.Option(min=1, help="Messages shown, the latest of them.")] = 50,
    json: Json = False,
) -> None:
    """Show the way of the messages that an address, a Message-ID or a queue id finds; exit 1 when there are none."""
    seconds = _seconds(since)
    ways = with_stores(lambda stores: stores.trace.ways(key, stores.clock.now() - seconds, limit))
    if json:
        emit_json(ways)
    else:
        rows = [row for way in ways for row in _rows(way)]
        emit_table(rows, ("time", "message", "service", "event", "text"), json=False, empty="No trace of it")
    if not ways:
        raise typer.Exit(1)


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d{1,6})([smhdw])", text.strip().lower())
    if found is None:
        fail(f"--since {text}: not of the form 30m, 12h, 1d", code=2)
    return int(found[1]) * _UNITS[found[2]]


def _rows(way: Way) -> list[dict[str, Any]]:
    return [
        {
            "time": _time(entry),
            "message": way.trace_id,
            "service": entry.service,
            "event": entry.event,
            "text": entry.text,
        }
        for entry in way.entries
    ]


def _time(entry: TraceEntry) -> str:
    moment = datetime.fromtimestamp(entry.at, UTC).astimezone()
    return moment.strftime("%Y-%m-%d %H:%M:%S.") + f"{moment.microsecond // 1000:03}"
