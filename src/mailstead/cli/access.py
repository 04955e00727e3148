"""`mailstead access`: who may and who may not send here."""

from typing import Annotated

import typer

from mailstead.administration.access_lists import list_access, remove_access, set_access
from mailstead.administration.actor import COMMAND_LINE
from mailstead.cli.output import Json, emit_done, emit_table
from mailstead.cli.stores import with_stores
from mailstead.stores.directory.access import AccessVerdict

app = typer.Typer(no_args_is_help=True, help="Lists of who may and who may not send here.")
_VALUE = Annotated[str, typer.Argument(help="An address, a domain (with those below it), or a network.")]
_DOMAIN = Annotated[str, typer.Option("--domain", help="For mail to this domain of ours; for all when left out.")]
_NOTE = Annotated[str, typer.Option("--note", help="Why.")]


def _set(verdict: AccessVerdict, value: str, domain: str, note: str, *, json: bool) -> None:
    entry = with_stores(
        lambda stores: set_access(stores.administration, COMMAND_LINE, verdict, value, scope=domain, note=note)
    )
    where = f"mail to {entry.scope}" if entry.scope else "all mail"
    text = f"{entry.value} is {'allowed' if verdict == 'allow' else 'denied'} for {where}"
    emit_done(text, json=json, record={"verdict": entry.verdict, "kind": entry.kind, "value": entry.value})


@app.command("allow")
def allow(value: _VALUE, domain: _DOMAIN = "", note: _NOTE = "", json: Json = False) -> None:
    """Take mail of a proven sender, or from a network, without holding anything else against it."""
    _set("allow", value, domain, note, json=json)


@app.command("deny")
def deny(value: _VALUE, domain: _DOMAIN = "", note: _NOTE = "", json: Json = False) -> None:
    """Refuse mail of a sender, or from a network."""
    _set("deny", value, domain, note, json=json)


@app.command("list")
def show(domain: _DOMAIN = "", json: Json = False) -> None:
    """Show the list of the server, or of a domain."""
    entries = with_stores(lambda stores: list_access(stores.administration, COMMAND_LINE, domain))
    rows = [
        {
            "verdict": entry.verdict,
            "kind": entry.kind,
            "value": entry.value,
            "note": entry.note,
            "created_at": entry.created_at,
            "created_by": entry.created_by,
        }
        for entry in entries
    ]
    emit_table(rows, ("verdict", "kind", "value", "note", "created_at", "created_by"), json=json)


@app.command("remove")
def remove(value: _VALUE, domain: _DOMAIN = "", json: Json = False) -> None:
    """Remove an entry."""
    entry = with_stores(lambda stores: remove_access(stores.administration, COMMAND_LINE, value, scope=domain))
    emit_done(f"{entry.value} is in the list no more", json=json)
