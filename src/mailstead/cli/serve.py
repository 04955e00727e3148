"""`mailstead serve`: run all services, or those named."""

from collections.abc import Coroutine
from typing import Annotated, Any

import msgspec
import structlog
import typer
import uvloop

from mailstead.cli.configuration import current_settings
from mailstead.cli.first_start import FirstStart
from mailstead.cli.output import fail, system_error_text
from mailstead.cli.services import NAMES, known_services
from mailstead.foundation.config.settings import Settings
from mailstead.foundation.errors import MailsteadError
from mailstead.foundation.logging import configure_logging
from mailstead.foundation.net.errors import ListenError
from mailstead.services.first_start import DEMO, Wanted, wanted_domain
from mailstead.services.registry import services_named
from mailstead.services.runtime import run_services
from mailstead.services.stores import bus_url
from mailstead.services.worker import run_worker
from mailstead.services.workers import Assignment
from mailstead.stores.directory.names import InvalidAddressError

log = structlog.get_logger("mailstead.runtime")


def _complete(incomplete: str) -> list[str]:
    return [name for name in NAMES if name.startswith(incomplete)]


def serve(
    service: Annotated[
        list[str] | None,
        typer.Argument(help=f"Services to run (all when none): {', '.join(NAMES)}.", autocompletion=_complete),
    ] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Set up the demo domain when there is no domain yet.")] = False,
    domain: Annotated[str, typer.Option(help="Set up this domain when there is none yet.")] = "",
    admin: Annotated[str, typer.Option(help="The administrator's address, with --domain.")] = "",
    worker: Annotated[str, typer.Option(hidden=True)] = "",  # how a process starts its own workers
) -> None:
    """Run services until SIGTERM or Ctrl-C; nothing acknowledged is lost."""
    settings = current_settings()
    named = known_services(service or [])
    wanted = _wanted(demo, domain, admin)
    configure_logging(settings)
    if worker:
        _run(run_worker(settings, _assignment(worker)))
        return
    _warn(settings, named)
    first = FirstStart(wanted=wanted)
    _run(run_services(settings, services_named(named), named=named, when_started=None if named else first.run))


def _assignment(text: str) -> Assignment:
    try:
        return msgspec.json.decode(text, type=Assignment)
    except msgspec.DecodeError:
        fail("--worker is for processes that start their own workers", code=2)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run `work`; what it raises is said and ends the command."""
    try:
        uvloop.run(work)
    except ListenError as error:
        hint = f"; MAILSTEAD_PORT_{error.listener.upper()} takes another port, 0 for any free one, or off"
        fail(f"cannot start: {error}" + (hint if error.is_taken else ""))
    except MailsteadError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot start: {system_error_text(error)}")


def _wanted(demo: bool, domain: str, admin: str) -> Wanted | None:
    if bool(domain) != bool(admin):
        fail("--domain and --admin go together", code=2)
    if not domain:
        return DEMO if demo else None
    try:
        return wanted_domain(domain, admin)
    except InvalidAddressError as error:
        fail(f"--domain {domain} --admin {admin}: {error}", code=2)


def _warn(settings: Settings, named: tuple[str, ...]) -> None:
    if named and bus_url(settings) == "memory:":
        log.warning(
            "services in processes of their own do not hear of each other on this bus",
            setting="MAILSTEAD_BUS_URL",
            instead="unix: or redis://HOST",
        )
