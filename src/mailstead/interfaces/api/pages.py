"""Pages of lists: `page` and `limit`, with the counts and neighbours in headers (RFC 8288 §3)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response
from litestar.params import QueryParameter

from mailstead.foundation.errors import InvalidError

Item = TypeVar("Item")

PageNumber = Annotated[int, QueryParameter(name="page", ge=1, le=1_000_000, description="Which page, from 1")]
Sort = Annotated[str, QueryParameter(max_length=30, description="By which field, with a - before it from its end")]
PageLimit = Annotated[int | None, QueryParameter(name="limit", ge=1, description="Items of a page")]


class Page(msgspec.Struct, frozen=True):
    """One page's place."""

    number: int
    limit: int

    @property
    def offset(self) -> int:
        """Items before the page."""
        return (self.number - 1) * self.limit


def in_order(items: list[Item], sort: str, fields: Mapping[str, Callable[[Item], Any]]) -> list[Item]:
    """The items by the field that `sort` names, from its end with a "-" before it; as they are for "".

    Raises InvalidError for a field that is none of `fields`.
    """
    if not sort:
        return items
    field = fields.get(sort.removeprefix("-"))
    if field is None:
        raise InvalidError(f"sort: one of {', '.join(fields)}, with a - before it from the end")
    return sorted(items, key=field, reverse=sort.startswith("-"))


def page_of(number: int, limit: int | None, *, usual: int, most: int) -> Page:
    """The page that was asked for; more than `most` items are never given."""
    return Page(number, min(limit or usual, most))


def paged(request: Request[Any, Any, Any], items: Sequence[Item], total: int, page: Page) -> Response[list[Item]]:
    """The items of `page` of `total` with its headers."""
    last = max((total + page.limit - 1) // page.limit, 1)
    neighbours = {"first": 1, "prev": page.number - 1, "next": page.number + 1, "last": last}
    links = ", ".join(
        f'<{request.url.with_replacements(query=_query(request, number))}>; rel="{name}"'
        for name, number in neighbours.items()
        if 1 <= number <= last
    )
    headers = {
        "X-Page-Count": str(last),
        "X-Page-Current": str(page.number),
        "X-Page-Size": str(len(items)),
        "X-Item-Count": str(total),
        "Link": links,
    }
    return Response(list(items), headers=headers)


def _query(request: Request[Any, Any, Any], number: int) -> str:

    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "page"]
    return urlencode([*kept, ("page", str(number))])
