"""`mailstead update`: what the host's updater did, and asking it for more."""

import sys
from typing import Annotated

import msgspec
import typer

import mailstead
from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.updating import Request, Told, Updating
from mailstead.cli.output import Json, emit_done, emit_json, emit_record, fail
from mailstead.cli.stores import with_stores
from mailstead.services.notice import write_to_administrators
from mailstead.services.stores import Stores

app = typer.Typer(no_args_is_help=True, help="Updates of an installation of containers.")


@app.command("status")
def status(json: Json = False) -> None:
    """Show the version that runs, how the last update ended, and what is asked for."""

    async def work(stores: Stores) -> dict[str, object]:
        found = _updating(stores).standing()
        return {
            "version": mailstead.__version__,
            "channel": found.last.channel or None,
            "previous": found.last.previous or None,
            "last_outcome": found.last.outcome or None,
            "last_text": found.last.text or None,
            "last_at": found.last_at or None,
            "pending": found.pending.action or None,
            "updater_listens": found.listens,
        }

    emit_record(with_stores(work), json=json)


@app.command("now")
def now(
    version: Annotated[str, typer.Argument(help="The version, v1.2.3; without it the newest of the channel.")] = "",
    json: Json = False,
) -> None:
    """Ask the host's updater for an update."""
    request = with_stores(lambda stores: _updating(stores).ask(COMMAND_LINE, "now", version))
    emit_done("The update begins within two minutes", json=json, record=msgspec.to_builtins(request))


@app.command("rollback")
def rollback(json: Json = False) -> None:
    """Ask the host's updater for the version before."""
    request = with_stores(lambda stores: _updating(stores).ask(COMMAND_LINE, "rollback"))
    emit_done("The version before comes back within two minutes", json=json, record=msgspec.to_builtins(request))


@app.command("exchange", hidden=True)
def exchange() -> None:
    """For the host's updater: tell what it did (JSON on standard input) and take what is asked for."""
    try:
        told = msgspec.json.decode(sys.stdin.buffer.read(), type=Told)
    except msgspec.MsgspecError as error:
        fail(f"that is not what an updater tells: {error}", code=2)

    async def work(stores: Stores) -> Request:
        if told.outcome == "failed":
            await write_to_administrators(
                stores, "an update failed", f"{told.text}\n\nSee also: mailstead update status\n"
            )
        return _updating(stores).exchange(told)

    emit_json(with_stores(work))


def _updating(stores: Stores) -> Updating:
    return Updating(stores.administration, stores.data)
