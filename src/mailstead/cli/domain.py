"""`mailstead domain`: domains served here."""

from typing import Annotated, Any

import typer

from mailstead.administration import aliases, domains, event_hooks
from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.dns_records import Checked, check_records
from mailstead.cli.dns import own_facts
from mailstead.cli.output import Json, emit_done, emit_record, emit_table, fail
from mailstead.cli.stores import with_stores
from mailstead.services.stores import Stores
from mailstead.stores.directory.records import Domain

app = typer.Typer(no_args_is_help=True, help="Domains served here.")


def _row(domain: Domain) -> dict[str, Any]:
    selectors = [key.selector for key in domain.dkim_keys if key.retired_at is None and not key.is_waiting]
    return {"name": domain.id, "verified": domain.verified_at, "selectors": selectors, "created": domain.created_at}


@app.command("add")
def add(name: str, json: Json = False) -> None:
    """Serve a domain; its DKIM keys are made."""
    domain = with_stores(lambda stores: domains.add_domain(stores.administration, COMMAND_LINE, name))
    emit_done(f"{domain.id} added; see: mailstead dns records {domain.id}", json=json, record=_row(domain))


@app.command("list")
def list_all(json: Json = False) -> None:
    """List domains."""
    found = with_stores(lambda stores: domains.list_domains(stores.administration, COMMAND_LINE))
    emit_table([_row(domain) for domain in found], ("name", "verified", "selectors", "created"), json=json)


@app.command("show")
def show(name: str, json: Json = False) -> None:
    """Show one domain."""
    emit_record(_row(with_stores(lambda stores: aliases.find_domain(stores.administration, name))), json=json)


@app.command("set")
def set_domain(
    name: str, owner: Annotated[str, typer.Option(help="The new owner's address.")], json: Json = False
) -> None:
    """Give a domain to another user."""
    domain = with_stores(lambda stores: domains.set_owner(stores.administration, COMMAND_LINE, name, owner))
    emit_done(f"{domain.id} belongs to {owner}", json=json, record=_row(domain))


@app.command("webhook-key")
def webhook_key(
    name: str,
    json: Json = False,
    rotate: Annotated[bool, typer.Option("--rotate", help="Sign with another key from now on.")] = False,
) -> None:
    """Show the key that signs what a domain's webhooks get."""
    work = event_hooks.rotate_webhook_key if rotate else event_hooks.webhook_key
    key = with_stores(lambda stores: work(stores.administration, COMMAND_LINE, name))
    emit_record({"name": name, "webhook_key": key}, json=json)


@app.command("verify")
def verify(name: str, json: Json = False) -> None:
    """Look whether DNS has the records that mail needs; exit 1 when one lacks."""

    async def work(stores: Stores) -> list[Checked]:
        domain = await aliases.find_domain(stores.administration, name)
        checked = await check_records(stores.resolver, domain, own_facts(stores.settings))
        if all(record.ok for record in checked if record.required):
            await domains.mark_verified(stores.administration, COMMAND_LINE, name)
        return checked

    lacking = [record for record in with_stores(work) if record.required and not record.ok]
    if lacking:
        fail(f"{name}: not published yet: " + ", ".join(f"{record.type} {record.name}" for record in lacking))
    emit_done(f"{name} is verified", json=json, record={"name": name, "verified": True})


@app.command("remove")
def remove(
    name: str,
    json: Json = False,
    with_aliases: Annotated[bool, typer.Option("--with-aliases", help="Remove its aliases too.")] = False,
) -> None:
    """Serve a domain no more."""
    with_stores(
        lambda stores: domains.remove_domain(stores.administration, COMMAND_LINE, name, with_aliases=with_aliases)
    )
    emit_done(f"{name} removed", json=json, record={"name": name})
