"""Names of services as people type them."""

import difflib

from mailstead.cli.output import fail
from mailstead.services.registry import SERVICES

NAMES = tuple(service.name for service in SERVICES)


def known_services(services: list[str]) -> tuple[str, ...]:
    """The names without repetitions; leaves with code 2 when there is no such service."""
    for name in services:
        if name not in NAMES:
            near = difflib.get_close_matches(name, NAMES, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            fail(f"no service {name}{meant} There are: {', '.join(NAMES)}", code=2)
    return tuple(dict.fromkeys(services))
