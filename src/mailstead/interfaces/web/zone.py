"""The wall clock of who looks."""

from typing import Any
from zoneinfo import ZoneInfo

from litestar import Request

from mailstead.interfaces.calendars.days import zone_named

ZONE_COOKIE = "mailstead_zone"


def zone_of(request: Request[Any, Any, Any]) -> ZoneInfo:
    """The zone that the browser told of; UTC before it did."""
    return zone_named(request.cookies.get(ZONE_COOKIE, "UTC"))
