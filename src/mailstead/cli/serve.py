"""`mailstead serve`: run all services, or those named."""

from typing import Annotated

import typer
import uvloop

from mailstead.cli.configuration import current_settings
from mailstead.cli.first_start import FirstStart
from mailstead.cli.output import fail
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.logging import configure_logging
from mailstead.services.registry import SERVICES, services_named
from mailstead.services.runtime import run_services

NAMES = ", ".join(service.name for service in SERVICES)


def serve(
    service: Annotated[list[str] | None, typer.Argument(help=f"Services to run (all when none): {NAMES}.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Set up the demo domain when there is no domain yet.")] = False,
    domain: Annotated[str, typer.Option(help="Set up this domain when there is none yet.")] = "",
    admin: Annotated[str, typer.Option(help="The administrator's address, with --domain.")] = "",
) -> None:
    """Run services until SIGTERM or Ctrl-C; nothing acknowledged is lost."""
    settings = current_settings()
    if bool(domain) != bool(admin):
        fail("--domain and --admin go together", code=2)
    named = tuple(service or ())
    unknown = [name for name in named if name not in {known.name for known in SERVICES}]
    if unknown:
        fail(f"no service {', '.join(unknown)}; there are: {NAMES}", code=2)
    configure_logging(settings)
    first = FirstStart(demo=demo, domain=domain, admin=admin)
    try:
        uvloop.run(
            run_services(settings, services_named(named), named=named, when_started=None if named else first.run)
        )
    except MailsteadError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot start: {error}")
