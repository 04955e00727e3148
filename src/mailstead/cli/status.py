"""`mailstead status`: what runs on this data folder."""

import typer

from mailstead.cli.configuration import current_settings
from mailstead.cli.output import Json, emit_json, emit_table, fail
from mailstead.services.ready import read_all_ready
from mailstead.services.registry import SERVICES
from mailstead.services.secret import DataFolderError, data_directory


def status(json: Json = False) -> None:
    """Show the running services with their addresses; exit 1 when nothing runs."""
    try:
        data = data_directory(current_settings())
    except DataFolderError as error:
        fail(str(error))
    found = read_all_ready(data, [service.name for service in SERVICES])
    rows = [
        {
            "service": name,
            "host": endpoint.host,
            "port": endpoint.port,
            "tls": endpoint.tls,
            "pid": ready.pid,
            "since": ready.started_at,
        }
        for ready in found
        for name, endpoint in ready.services.items()
    ]
    if json:
        version = found[0].version if found else None
        emit_json({"running": bool(found), "version": version, "data": str(data), "services": rows})
    else:
        emit_table(
            rows, ("service", "host", "port", "tls", "pid", "since"), json=False, empty=f"Nothing runs on {data}"
        )
    if not found:
        raise typer.Exit(1)
