"""From conditions to MongoDB's filters. Values stand behind an operator always, so none can be one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mailstead.stores.documents.interface import CollectionSpec
from mailstead.stores.documents.mongodb.names import to_field
from mailstead.stores.documents.value import prefix_end, rank
from mailstead.stores.documents.where import Condition

Filter = dict[str, Any]
KINDS = ("number", "string", "binData", "bool")  # by rank, from 1 on: what an index compares


def _prefixed(prefix: str) -> Filter:
    end = prefix_end(prefix)
    return {"$gte": prefix} if end is None else {"$gte": prefix, "$lt": end}


_FILTERS: dict[str, Callable[[Any], Filter]] = {
    "$eq": lambda value: {"$eq": value},
    "$ne": lambda value: {"$ne": value},
    "$in": lambda choices: {"$in": list(choices)},
    "$nin": lambda choices: {"$nin": list(choices)},
    "$lt": lambda value: {"$lt": value},
    "$lte": lambda value: {"$lte": value},
    "$gt": lambda value: {"$gt": value},
    "$gte": lambda value: {"$gte": value},
    "$prefix": _prefixed,
}


def build_filter(
    spec: CollectionSpec,
    tests: Sequence[Condition],
    live: Mapping[str, float],
    order: Sequence[tuple[str, int]] = (),
    after: Mapping[str, Any] | None = None,
) -> Filter:
    """The filter of `tests`, of not having ended (`live`: field -> latest time that is past), and of coming `after`."""
    unique = {field for index in spec.indexes if index.unique for field in index.fields}
    parts: list[Filter] = []
    for test in tests:
        condition = _FILTERS[test.operator](test.value)
        if test.field in unique and test.operator == "$eq" and test.value is not None:
            # Says what is so anyway; without it the planner does not see that the partial index has the answer.
            condition["$type"] = [KINDS[rank(test.value) - 1]]
        # An element each: several conditions on a list may be met by different elements.
        parts.append({to_field(test.field): condition})
    parts += [{to_field(field): {"$not": {"$lte": past}}} for field, past in live.items()]
    if after is not None:
        parts.append(_after(order, after))
    if not parts:
        return {}
    return parts[0] if len(parts) == 1 else {"$and": parts}


def _after(order: Sequence[tuple[str, int]], last: Mapping[str, Any]) -> Filter:
    alternatives: list[Filter] = []
    equal: list[Filter] = []
    for name, direction in order:
        field, value = to_field(name), last.get(name)
        alternatives += [{"$and": [*equal, past]} for past in _past(field, value, direction)]
        equal.append({field: {"$eq": value}})
    return {"$or": alternatives}


def _past(field: str, value: Any, direction: int) -> list[Filter]:
    """What comes after `value`: more of its kind, and the kinds behind. MongoDB compares within a kind only."""
    place = rank(value)
    if direction > 0:
        kinds = list(KINDS[place:])
        more = [{field: {"$gt": value}}] if value is not None else []
        return [*more, {field: {"$type": kinds}}] if kinds else more
    if value is None:
        return []
    kinds = list(KINDS[: place - 1])
    return [{field: {"$lt": value}}, *([{field: {"$type": kinds}}] if kinds else []), {field: {"$eq": None}}]
