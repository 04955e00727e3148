"""`mailstead status`: what runs on this data folder, and its regular care."""

import asyncio
from pathlib import Path
from typing import Any

import typer

from mailstead.cli.configuration import current_settings
from mailstead.cli.output import Json, emit_json, emit_table, fail, warn
from mailstead.foundation.config.settings import Settings
from mailstead.services.ready import read_all_ready
from mailstead.services.registry import SERVICES
from mailstead.services.scheduler.job import JobState, job_states
from mailstead.services.secret import DataFolderError, data_directory
from mailstead.stores.documents.interface import StoreUnavailableError
from mailstead.stores.documents.open import open_documents

_SERVICE_COLUMNS = ("service", "host", "port", "tls", "pid", "since")
_JOB_COLUMNS = ("job", "outcome", "last", "next", "text")


def status(json: Json = False) -> None:
    """Show the running services with their addresses and the scheduled jobs; exit 1 when nothing runs."""
    settings = current_settings()
    try:
        data = data_directory(settings)
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
    jobs = [_job_row(state) for state in asyncio.run(_job_states(settings, data))] if found else []
    if json:
        version = found[0].version if found else None
        emit_json({"running": bool(found), "version": version, "data": str(data), "services": rows, "jobs": jobs})
    else:
        emit_table(rows, _SERVICE_COLUMNS, json=False, empty=f"Nothing runs on {data}")
        if jobs:
            typer.echo()
            emit_table(jobs, _JOB_COLUMNS, json=False)
    if not found:
        raise typer.Exit(1)


async def _job_states(settings: Settings, data: Path) -> list[JobState]:
    documents = open_documents(settings.server.documents_url, data, settings.documents)
    try:
        await documents.open()
    except StoreUnavailableError as error:
        warn(f"the jobs cannot be read: {error}")
        return []
    try:
        return await job_states(documents)
    finally:
        await documents.close()


def _job_row(state: JobState) -> dict[str, Any]:
    return {
        "job": state.id,
        "outcome": state.outcome,
        "last": state.finished_at or None,
        "next": None if state.outcome == "running" else state.next_at,
        "failures": state.failures,
        "text": state.text,
    }
