"""`mailstead suppression`: addresses that are not written to."""

from typing import Annotated, Any

import typer

from mailstead.administration import sending
from mailstead.administration.actor import COMMAND_LINE
from mailstead.cli.output import Json, emit_done, emit_table
from mailstead.cli.stores import with_stores
from mailstead.mail.sending.suppression import Suppression

app = typer.Typer(no_args_is_help=True, help="Addresses that are not written to.")
ForDomain = Annotated[str, typer.Option("--domain", help="The sending domain; left out: all of them.")]


def _row(one: Suppression) -> dict[str, Any]:
    return {
        "address": one.address,
        "domain": one.domain or "all",
        "reason": one.reason,
        "text": one.text,
        "since": one.at,
        "until": one.ends_at,
        "bounces": one.bounces,
    }


@app.command("list")
def list_all(
    domain: Annotated[str | None, typer.Option(help="Only those of this sending domain.")] = None,
    json: Json = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1000,
) -> None:
    """List them, the newest first."""
    found = with_stores(
        lambda stores: sending.list_suppressions(stores.administration, COMMAND_LINE, domain=domain, limit=limit)
    )
    columns = ("address", "domain", "reason", "since", "until", "text")
    emit_table([_row(one) for one in found], columns, json=json, empty="The list is empty")


@app.command("add")
def add(
    address: str, domain: ForDomain = "", text: Annotated[str, typer.Option(help="Why.")] = "", json: Json = False
) -> None:
    """Put an address on the list."""
    added = with_stores(
        lambda stores: sending.add_suppression(stores.administration, COMMAND_LINE, domain, address, text=text)
    )
    emit_done(f"{added.address} is not written to any more", json=json, record=_row(added))


@app.command("remove")
def remove(address: str, domain: ForDomain = "", json: Json = False) -> None:
    """Write to an address again."""
    with_stores(lambda stores: sending.remove_suppression(stores.administration, COMMAND_LINE, domain, address))
    emit_done(f"{address} is off the list", json=json, record={"address": address, "domain": domain})
