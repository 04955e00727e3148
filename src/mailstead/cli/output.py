"""What a command prints: tables and colours on a terminal, JSON when asked, plain columns in a pipe."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn, Protocol

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Row = Mapping[str, Any]


def emit_json(value: Any) -> None:
    """Print `value` (structs, mappings, sequences, scalars) as indented JSON."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return datetime.fromtimestamp(value, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        case list() | tuple() | set() | frozenset():
            return ", ".join(_cell(item) for item in value) or "-"
        case _:
            text = str(value)
            # what others wrote, a subject say, could otherwise tell the terminal what to do
            return text if text.isprintable() else "".join(one if one.isprintable() else " " for one in text)


def emit_table(rows: Sequence[Row], columns: Sequence[str], *, json: bool, empty: str = "Nothing to show") -> None:
    """Print `rows`: with `json` a list of objects (all keys), else the `columns` as a table.

    A float is shown as a local date and time (seconds since the epoch), a list as words with commas.
    """
    if json:
        emit_json(list(rows))
        return
    if not rows:
        Console(stderr=True).print(empty, style="dim")
        return
    if not sys.stdout.isatty():
        for row in rows:
            sys.stdout.write("\t".join(_cell(row.get(column)) for column in columns) + "\n")
        return
    table = Table(header_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row.get(column))) for column in columns))
    Console().print(table)


def emit_record(record: Row, *, json: bool) -> None:
    """Print one object: with `json` as it is, else a line per key."""
    if json:
        emit_json(record)
        return
    width = max((len(key) for key in record), default=0)
    console = Console(highlight=False)
    for key, value in record.items():
        line = Text(key.replace("_", " ").ljust(width + 2), style="bold" if sys.stdout.isatty() else "")
        console.print(line.append(_cell(value), style="not bold"), soft_wrap=True)


def emit_done(text: str, *, json: bool = False, record: Row | None = None) -> None:
    """Say that something was done: `record` as JSON when asked, else `text` on standard output."""
    if json:
        emit_json(record if record is not None else {"done": text})
    else:
        Console(highlight=False).print(Text(text), soft_wrap=True)


def fail(text: str, *, code: int = 1) -> NoReturn:
    """Print `text` on standard error and leave with `code` (1 failed, 2 usage)."""
    Console(stderr=True, highlight=False).print(Text(text, style="red" if sys.stderr.isatty() else ""), soft_wrap=True)
    raise typer.Exit(code)


def warn(text: str) -> None:
    """Print `text` on standard error and go on."""
    Console(stderr=True, highlight=False).print(
        Text(text, style="yellow" if sys.stderr.isatty() else ""), soft_wrap=True
    )


def system_error_text(error: OSError) -> str:
    """What the system refused, in one line without numbers."""
    words = error.strerror or str(error)
    return f"{error.filename}: {words}" if error.filename else words


class Advance(Protocol):
    """Called with how many units were done since the last call."""

    def __call__(self, amount: int = 1) -> None:
        """Move the bar."""
        ...


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Advance]:
    """A progress bar on a terminal's standard error, silence elsewhere; `total` None where it is not known."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task(title, total=total)

        def advance(amount: int = 1) -> None:
            bar.advance(task, amount)

        yield advance
