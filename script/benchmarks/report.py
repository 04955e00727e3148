"""Results kept between runs, printed as tables, and written as a document."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.table import Row, Table, number

_HEAD = """# Benchmarks

Written by `script/bench`; do not edit. Each figure is the median of {rounds} rounds with the lowest and highest in
parentheses; rounds of the servers alternate (A B A B) after one that is not counted. Only the ratios mean something on
another machine. A ratio is Mailstead's median over that of the best peer in the row, or as the row says. A wide range
tells that the machine, above all its disk, had other work in that row.
"""

_WIDTH = 140


class Result(msgspec.Struct, frozen=True):
    """A case's table, with what it was measured on."""

    case: str
    size: str
    rounds: int
    machine: tuple[str, ...]
    table: Table


def keep(folder: Path, result: Result) -> None:
    """Remember the latest result of a case and size."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{result.case}.{result.size}.json").write_bytes(msgspec.json.encode(result))


def kept(folder: Path, size: str, cases: Iterable[str]) -> list[Result]:
    """The latest results of these cases, as far as there are any."""
    paths = [folder / f"{case}.{size}.json" for case in cases]
    return [msgspec.json.decode(path.read_bytes(), type=Result) for path in paths if path.exists()]


def _verdict(row: Row) -> str:
    return {None: "", True: "met", False: "not met"}[row.is_met]


def _ratio(row: Row) -> str:
    return "" if row.ratio is None else f"{row.ratio:.2f} x"


def print_table(table: Table, console: Console) -> None:
    """For people at a terminal."""
    console.width = max(console.width, _WIDTH)
    drawn = RichTable(title=table.title, title_justify="left")
    drawn.add_column("")
    for column in table.columns:
        drawn.add_column(column, justify="right")
    for column in ("unit", "ratio", "target"):
        drawn.add_column(column, justify="right")
    drawn.add_column("")
    for row in table.rows:
        figures = [number(row.median(name)) if name in row.figures else "" for name in table.columns]
        verdict = _verdict(row)
        style = {"met": "green", "not met": "red"}.get(verdict, "")
        drawn.add_row(row.label, *figures, row.unit, _ratio(row), row.target_text, verdict, style=style)
    console.print(drawn)


def _figure(row: Row, name: str) -> str:
    if name not in row.figures:
        return ""
    found = row.figures[name]
    spread = f" ({number(min(found))} to {number(max(found))})" if len(found) > 1 else ""
    return number(row.median(name)) + spread


def _markdown(table: Table) -> list[str]:
    heads = ["", *table.columns, "unit", "ratio", "target", ""]
    lines = [
        f"## {table.title}",
        "",
        f"| {' | '.join(heads)} |",
        f"|---|{'---:|' * len(table.columns)}---|---:|---:|---|",
    ]
    for row in table.rows:
        figures = [_figure(row, name) for name in table.columns]
        lines.append(f"| {' | '.join([row.label, *figures, row.unit, _ratio(row), row.target_text, _verdict(row)])} |")
    return [*lines, "", *table.notes, ""]


def document(results: Sequence[Result]) -> str:
    """The whole page."""
    rounds = max((result.rounds for result in results), default=0)
    lines = _HEAD.format(rounds=rounds).splitlines()
    last: tuple[str, ...] = ()
    for result in results:
        lines += ["", *_markdown(result.table)]
        if result.machine[:-1] != last:
            last = result.machine[:-1]
            lines.append(f"On {'; '.join(result.machine)}.")
        else:
            lines.append(f"On the same, {result.machine[-1]}.")
    return "\n".join(lines) + "\n"
