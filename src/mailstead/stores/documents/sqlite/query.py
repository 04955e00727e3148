"""From conditions to SQL over a layout; conditions on fields without a column are left for Python (`residual`)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from mailstead.stores.documents.sqlite.encoding import (
    BOOLEAN_LEAST,
    BYTES_LEAST,
    column_name,
    to_column,
    to_list_column,
)
from mailstead.stores.documents.sqlite.schema import Layout, ListTable
from mailstead.stores.documents.value import prefix_end
from mailstead.stores.documents.where import Condition

Piece = tuple[str, tuple[Any, ...]]


class Query(NamedTuple):
    """`source` is what follows FROM, `test` what follows WHERE; `d` is the documents' table, `s` a list's."""

    source: str
    test: str
    values: tuple[Any, ...]
    residual: tuple[Condition, ...]
    order: str


def _equal(column: str, value: Any) -> Piece:
    return (f"{column} IS NULL", ()) if value is None else (f"{column} = ?", (to_column(value),))


def _unequal(column: str, value: Any) -> Piece:
    return (f"{column} IS NOT NULL", ()) if value is None else (f"{column} IS NOT ?", (to_column(value),))


def _among(column: str, choices: Sequence[Any]) -> Piece:
    present = tuple(to_column(choice) for choice in choices if choice is not None)
    test = f"{column} IN ({', '.join('?' * len(present))})"
    return (f"({column} IS NULL OR {test})" if len(present) < len(choices) else test), present


def _not_among(column: str, choices: Sequence[Any]) -> Piece:
    present = tuple(to_column(choice) for choice in choices if choice is not None)
    test = f"{column} NOT IN ({', '.join('?' * len(present))})"
    if len(present) < len(choices):
        return f"({column} IS NOT NULL AND {test})", present
    return f"({column} IS NULL OR {test})", present


def _bounded(sign: str) -> Callable[[str, Any], Piece]:
    """A comparison that stays within the value's kind, where SQLite alone would go on into the next one."""

    def compare(column: str, value: Any) -> Piece:
        upwards = sign.startswith(">")
        match value:
            case str():
                fence = f"{column} < x''" if upwards else f"{column} >= ''"
                return f"{column} {sign} ? AND {fence}", (value,)
            case bytes():
                fence = f"{column} {'<' if upwards else '>='} ?"
                return f"{column} {sign} ? AND {fence}", (to_column(value), BOOLEAN_LEAST if upwards else BYTES_LEAST)
            case _:
                fence = f"{column} < ''" if upwards else f"{column} > -9e999"
                return f"{column} {sign} ? AND {fence}", (value,)

    return compare


def _prefixed(column: str, prefix: str) -> Piece:
    end = prefix_end(prefix)
    if end is None:
        return f"{column} >= ? AND {column} < x''", (prefix,)
    return f"{column} >= ? AND {column} < ?", (prefix, end)


_SQL: dict[str, Callable[[str, Any], Piece]] = {
    "$eq": _equal,
    "$ne": _unequal,
    "$in": _among,
    "$nin": _not_among,
    "$lt": _bounded("<"),
    "$lte": _bounded("<="),
    "$gt": _bounded(">"),
    "$gte": _bounded(">="),
    "$prefix": _prefixed,
}


def build_query(
    layout: Layout,
    tests: Sequence[Condition],
    live: Mapping[str, float],
    order: Sequence[tuple[str, int]] = (),
    after: Mapping[str, Any] | None = None,
) -> Query:
    """The SQL of `tests`, of not having ended (`live`: field -> latest time that is past), and of coming `after`."""
    driver = _driving_test(layout, tests, order)
    table = None if driver is None else driver[1]
    pieces: list[Piece] = []
    residual: list[Condition] = []
    for test in tests:
        if driver is not None and test is driver[0]:
            pieces.append(("s.value = ?", (to_list_column(test.value),)))
        elif test.field == "id" or test.field in layout.columns:
            pieces.append(_SQL[test.operator](f"d.{column_name(test.field)}", test.value))
            if table is not None and test.field in table.following and test.operator in ("$lt", "$lte", "$gt", "$gte"):
                pieces.append((f"s.f_{test.field} {_SIGNS[test.operator]} ?", (to_column(test.value),)))
        elif (piece := _list_piece(layout, test)) is not None:
            pieces.append(piece)
        else:
            residual.append(test)
    for field, past in live.items():
        column = f"d.{column_name(field)}"
        pieces.append((f"({column} IS NULL OR {column} > ?)", (past,)))
    if after is not None:
        pieces.append(_after(order, after, table))
    source = f"{layout.table} d" if table is None else f"{table.name} s CROSS JOIN {layout.table} d ON d.key = s.key"
    return Query(
        source,
        " AND ".join(piece for piece, _ in pieces) or "1",
        tuple(value for _, values in pieces for value in values),
        tuple(residual),
        _order_by(order, table),
    )


_SIGNS = {"$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">="}


def _driving_test(
    layout: Layout, tests: Sequence[Condition], order: Sequence[tuple[str, int]]
) -> tuple[Condition, ListTable] | None:
    """The equality with a list's element that the query starts from, and the list's table that suits the order best."""
    wanted = {test.field for test in tests} | {field for field, _ in order}
    found: tuple[Condition, ListTable] | None = None
    for test in tests:
        if test.operator != "$eq":
            continue
        for table in layout.lists:
            if table.field != test.field:
                continue
            if found is None or (table.following and table.following[0] in wanted):
                found = (test, table)
    return found


def _list_piece(layout: Layout, test: Condition) -> Piece | None:
    """A test of a list by its table; None when the field has none."""
    table = next((table for table in layout.lists if table.field == test.field), None)
    if table is None:
        return None
    match test.operator:
        case "$eq" | "$ne":
            element: Piece = ("value = ?", (to_list_column(test.value),))
        case "$in" | "$nin":
            element = (f"value IN ({', '.join('?' * len(test.value))})", tuple(map(to_list_column, test.value)))
        case _:
            element = _SQL[test.operator]("value", test.value)
    negation = "NOT " if test.operator in ("$ne", "$nin") else ""
    return f"d.key {negation}IN (SELECT key FROM {table.name} WHERE {element[0]})", element[1]


def _order_by(order: Sequence[tuple[str, int]], table: ListTable | None) -> str:
    terms = []
    for field, direction in order:
        alias = "s.f_" + field if table is not None and field in table.following else "d." + column_name(field)
        terms.append(f"{alias} {'ASC' if direction > 0 else 'DESC'}")
    return ", ".join(terms)


def _after(order: Sequence[tuple[str, int]], last: Mapping[str, Any], table: ListTable | None) -> Piece:
    """Past `last` in a total order: past it in the first field, or equal there and past it in the second, ..."""
    alternatives: list[str] = []
    values: list[Any] = []
    equal: list[Piece] = []
    for field, direction in order:
        column = f"d.{column_name(field)}"
        value = to_column(last.get(field))
        past = _past(column, value, direction)
        if past is not None:
            alternatives.append(" AND ".join([*(piece for piece, _ in equal), past[0]]))
            values += [held for _, held_values in equal for held in held_values] + list(past[1])
        equal.append((f"{column} IS ?", (value,)))
    test = "(" + " OR ".join(f"({alternative})" for alternative in alternatives) + ")"
    # Said once more for the first field alone, so that SQLite starts in the middle of the index.
    field, direction = order[0]
    sign = ">=" if direction > 0 else "<="
    if table is not None and field in table.following:
        return f"s.f_{field} {sign} ? AND {test}", (to_list_column(last.get(field)), *values)
    first = to_column(last.get(field))
    if first is not None and (direction > 0 or field == "id"):
        return f"d.{column_name(field)} {sign} ? AND {test}", (first, *values)
    return test, tuple(values)


def _past(column: str, value: Any, direction: int) -> Piece | None:
    if direction > 0:
        return (f"{column} IS NOT NULL", ()) if value is None else (f"{column} > ?", (value,))
    return None if value is None else (f"({column} < ? OR {column} IS NULL)", (value,))
