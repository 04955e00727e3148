"""`mailstead dns`: the records a domain needs."""

from typing import Annotated

import msgspec
import typer

from mailstead.administration.aliases import find_domain
from mailstead.administration.dns_providers.opening import open_provider
from mailstead.administration.dns_publishing import Published, publish
from mailstead.administration.dns_records import Checked, HostFacts, check_records, host_facts, records, zone_file
from mailstead.cli.configuration import current_settings
from mailstead.cli.output import Json, emit_json, emit_table, fail, warn
from mailstead.cli.stores import with_stores
from mailstead.foundation.config.settings import Settings
from mailstead.services.hostname import host_name
from mailstead.services.stores import Stores

app = typer.Typer(no_args_is_help=True, help="The DNS records a domain needs.")


@app.command("records")
def show_records(domain: str, json: Json = False) -> None:
    """List the records to publish."""
    found = with_stores(lambda stores: find_domain(stores.administration, domain))
    rows = [msgspec.to_builtins(record) for record in records(found, own_facts(current_settings()))]
    emit_table(rows, ("name", "type", "value", "purpose"), json=json)


@app.command("zone")
def zone(domain: str, json: Json = False) -> None:
    """Print the records as lines of a zone file."""
    found = with_stores(lambda stores: find_domain(stores.administration, domain))
    text = zone_file(found, own_facts(current_settings()))
    if json:
        emit_json({"domain": found.id, "zone": text})
    else:
        typer.echo(text, nl=False)


@app.command("check")
def check(domain: str, json: Json = False) -> None:
    """Compare with what is published; exit 1 when a needed record lacks."""

    async def work(stores: Stores) -> list[Checked]:
        found = await find_domain(stores.administration, domain)
        return await check_records(stores.resolver, found, own_facts(stores.settings))

    checked = with_stores(work)
    emit_table([msgspec.to_builtins(record) for record in checked], ("ok", "type", "name", "value"), json=json)
    if any(record.required and not record.ok for record in checked):
        raise typer.Exit(1)


@app.command("publish")
def publish_records(
    domain: str,
    replace: Annotated[bool, typer.Option("--replace", help="Replace records that stand in the way.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")] = False,
    json: Json = False,
) -> None:
    """Publish the records through the DNS provider of MAILSTEAD_DNS_PUBLISH_URL; exit 1 when some stand in the way."""
    if not current_settings().dns.publish_url:
        fail("MAILSTEAD_DNS_PUBLISH_URL is not set: no DNS provider to publish through")

    async def work(stores: Stores) -> list[Published]:
        found = await find_domain(stores.administration, domain)
        settings = stores.settings
        provider = open_provider(
            settings.dns.publish_url, authorities=settings.tls.authorities, timeout=settings.dns.publish_timeout
        )
        wanted = records(found, own_facts(settings))
        return await publish(provider, wanted, replace=replace, dry_run=dry_run, ttl=settings.dns.publish_ttl)

    done = with_stores(work)
    emit_table(
        [msgspec.to_builtins(record) for record in done], ("outcome", "type", "name", "value", "found"), json=json
    )
    if any(record.outcome == "conflict" for record in done):
        warn("Other records stand in the way; --replace puts these in their place")
        raise typer.Exit(1)


def own_facts(settings: Settings) -> HostFacts:
    """What of this host stands in DNS records."""
    return host_facts(settings, host_name(settings))
