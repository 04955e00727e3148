"""`mailstead health`: does each service answer in its own protocol?"""

from typing import Annotated

import typer

from mailstead.cli.configuration import current_settings
from mailstead.cli.output import Json, emit_table, fail
from mailstead.cli.services import known_services
from mailstead.services.lock import lock_holder
from mailstead.services.probe import PROBES, ProbeFailedError, speak
from mailstead.services.ready import Endpoint, is_ready, read_all_ready
from mailstead.services.registry import SERVICES
from mailstead.services.secret import DataFolderError, data_directory

_COLUMNS = ("service", "endpoint", "healthy", "text")


def health(
    service: Annotated[
        list[str] | None, typer.Argument(help="Services that must be well (all that run when none).")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds that one answer may take.")] = 5.0,
    json: Json = False,
) -> None:
    """Speak the protocol of each service on this machine's data folder; exit 1 when one does not answer well."""
    settings = current_settings()
    wanted = known_services(service or [])
    try:
        data = data_directory(settings)
    except DataFolderError as error:
        fail(str(error))
    ready = read_all_ready(data, [one.name for one in SERVICES])
    endpoints = {name: endpoint for one in ready for name, endpoint in one.services.items()}
    rows = []
    for name in wanted or [one.name for one in SERVICES if lock_holder(data, one.name) is not None]:
        if lock_holder(data, name) is None:
            rows.append({"service": name, "endpoint": None, "healthy": False, "text": "does not run"})
            continue
        if not is_ready(data, name):
            rows.append({"service": name, "endpoint": None, "healthy": False, "text": "starts"})
            continue
        found = [
            (place, endpoints[place]) for place, probe in PROBES.items() if probe.service == name and place in endpoints
        ]
        if not found:  # nothing to talk to: that it holds its lock is all there is to see
            rows.append({"service": name, "endpoint": None, "healthy": True, "text": "runs"})
        for place, endpoint in found:
            text = _wrong(place, endpoint, timeout)
            rows.append({"service": name, "endpoint": place, "healthy": not text, "text": text or "answers"})
    if not rows:
        fail(f"Nothing runs on {data}")
    emit_table(rows, _COLUMNS, json=json)
    if not all(row["healthy"] for row in rows):
        raise typer.Exit(1)


def _wrong(place: str, endpoint: Endpoint, timeout: float) -> str:
    """What is wrong with an endpoint; empty: nothing."""
    try:
        speak(endpoint, PROBES[place].dialogue, timeout)
    except ProbeFailedError as error:
        return str(error)
    except OSError as error:
        return error.strerror or str(error)
    return ""
