"""`mailstead dns`: the records a domain needs."""

import msgspec
import typer

from mailstead.administration.aliases import find_domain
from mailstead.administration.dns_records import Checked, check_records, records, zone_file
from mailstead.cli.configuration import current_settings
from mailstead.cli.output import Json, emit_json, emit_table
from mailstead.cli.stores import with_stores
from mailstead.services.hostname import host_name
from mailstead.services.stores import Stores

app = typer.Typer(no_args_is_help=True, help="The DNS records a domain needs.")


@app.command("records")
def show_records(domain: str, json: Json = False) -> None:
    """List the records to publish."""
    found = with_stores(lambda stores: find_domain(stores.administration, domain))
    rows = [msgspec.to_builtins(record) for record in records(found, host_name(current_settings()))]
    emit_table(rows, ("name", "type", "value", "purpose"), json=json)


@app.command("zone")
def zone(domain: str, json: Json = False) -> None:
    """Print the records as lines of a zone file."""
    found = with_stores(lambda stores: find_domain(stores.administration, domain))
    text = zone_file(found, host_name(current_settings()))
    if json:
        emit_json({"domain": found.id, "zone": text})
    else:
        typer.echo(text, nl=False)


@app.command("check")
def check(domain: str, json: Json = False) -> None:
    """Compare with what is published; exit 1 when a needed record lacks."""

    async def work(stores: Stores) -> list[Checked]:
        found = await find_domain(stores.administration, domain)
        return await check_records(stores.resolver, found, host_name(stores.settings))

    checked = with_stores(work)
    emit_table([msgspec.to_builtins(record) for record in checked], ("ok", "type", "name", "value"), json=json)
    if any(record.required and not record.ok for record in checked):
        raise typer.Exit(1)
