"""Conditions: from the caller's `where` to checked conditions, and whether a document meets them.

Nothing of a caller's dict reaches an engine as it came: operators are looked up in a table, values must be scalars.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from mailstead.foundation.errors import InvalidError
from mailstead.stores.documents.interface import CollectionSpec, Order, Where
from mailstead.stores.documents.value import checked_identifier, checked_name, checked_scalar, rank, sort_key

CHOICES_LIMIT = 10_000


class Condition(NamedTuple):
    """One field, one operator of OPERATORS (or `$eq`), one checked value (a tuple of them for `$in`)."""

    field: str
    operator: str
    value: Any


def _bound(value: Any) -> Any:
    checked = checked_scalar(value)
    if checked is None or isinstance(checked, bool):
        raise InvalidError(detail="a bound is a number, text or bytes")
    return checked


def _choices(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple, set, frozenset)):
        raise InvalidError(detail="$in and $nin take a list")
    if len(value) > CHOICES_LIMIT:
        raise InvalidError(detail=f"$in of more than {CHOICES_LIMIT} values")
    return tuple(checked_scalar(choice) for choice in value)


def _presence(value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidError(detail="$exists takes true or false")
    return value


def _prefix(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidError(detail="$prefix takes text")
    checked: str = checked_scalar(value)
    return checked


OPERATORS: dict[str, Callable[[Any], Any]] = {
    "$eq": checked_scalar,
    "$ne": checked_scalar,
    "$in": _choices,
    "$nin": _choices,
    "$lt": _bound,
    "$lte": _bound,
    "$gt": _bound,
    "$gte": _bound,
    "$exists": _presence,
    "$prefix": _prefix,
}


def conditions(where: Where) -> tuple[Condition, ...]:
    """The checked conditions of `where`, all of which must hold. Raises InvalidError."""
    found: list[Condition] = []
    for name, value in where.items():
        field = checked_name(name)
        if not isinstance(value, Mapping):
            found.append(Condition(field, "$eq", checked_scalar(value)))
            continue
        if not value:
            raise InvalidError(detail=f"{field}: no operator")
        for operator, operand in value.items():
            check = OPERATORS.get(operator)
            if check is None:
                raise InvalidError(detail=f"{field}: unknown operator {operator!r}")
            checked = check(operand)
            # To have a field is not to be null: one form less for the engines.
            if operator == "$exists":
                operator, checked = ("$ne", None) if checked else ("$eq", None)
            found.append(Condition(field, operator, checked))
    return tuple(found)


def ordered_fields(spec: CollectionSpec) -> frozenset[str]:
    """The fields that an order may name: those of indexes that hold scalars, and the id."""
    names = {"id"}
    for index in spec.indexes:
        names.update(index.fields[1:] if index.many else index.fields)
    return frozenset(names)


def many_fields(spec: CollectionSpec) -> frozenset[str]:
    """The fields that hold an indexed list."""
    return frozenset(index.fields[0] for index in spec.indexes if index.many)


def complete_order(spec: CollectionSpec, order: Order) -> list[tuple[str, int]]:
    """`order` ended by the id, so that it is total. Raises InvalidError for fields that are not indexed."""
    allowed = ordered_fields(spec)
    complete: list[tuple[str, int]] = []
    for field, direction in order:
        if field not in allowed or direction not in (1, -1):
            raise InvalidError(detail=f"{spec.name}: cannot order by {field!r}")
        complete.append((field, direction))
        if field == "id":
            return complete
    return [*complete, ("id", complete[-1][1] if complete else 1)]


def checked_after(after: Mapping[str, Any] | None, order: Iterable[tuple[str, int]]) -> dict[str, Any] | None:
    """The values of `after` that `order` names. Raises InvalidError when it has no id or no single values there."""
    if after is None:
        return None
    checked_identifier(after.get("id"))
    return {field: checked_scalar(after.get(field)) for field, _ in order}


def matches(document: Mapping[str, Any], tests: Iterable[Condition]) -> bool:
    """Whether `document` meets all conditions."""
    return all(_meets(document.get(test.field), test) for test in tests)


def _meets(value: Any, test: Condition) -> bool:
    candidates = value if isinstance(value, list) else [value]
    if test.operator == "$ne":
        return not any(_equal(candidate, test.value) for candidate in candidates)
    if test.operator == "$nin":
        return not any(_equal(candidate, choice) for candidate in candidates for choice in test.value)
    compare = _COMPARISONS[test.operator]
    return any(compare(candidate, test.value) for candidate in candidates)


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, (dict, list)):
        return False
    return rank(left) == rank(right) and bool(left == right)


def _within(left: Any, right: Any, accepted: tuple[int, ...]) -> bool:
    if isinstance(left, (dict, list)) or rank(left) != rank(right):
        return False
    left_key, right_key = sort_key(left), sort_key(right)
    return (left_key > right_key) - (left_key < right_key) in accepted


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _equal,
    "$in": lambda left, choices: any(_equal(left, choice) for choice in choices),
    "$lt": lambda left, right: _within(left, right, (-1,)),
    "$lte": lambda left, right: _within(left, right, (-1, 0)),
    "$gt": lambda left, right: _within(left, right, (1,)),
    "$gte": lambda left, right: _within(left, right, (0, 1)),
    "$prefix": lambda left, prefix: isinstance(left, str) and left.startswith(prefix),
}
