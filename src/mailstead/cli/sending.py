"""`mailstead sending`: who sends how much, which way, and when."""

from typing import Annotated, Any

import typer

from mailstead.administration import sending
from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.aliases import find_domain
from mailstead.cli.output import Json, emit_done, emit_record, emit_table, fail
from mailstead.cli.stores import with_stores
from mailstead.services.hostname import host_name
from mailstead.services.policy import sending_policy
from mailstead.services.stores import Stores
from mailstead.stores.directory.records import Alias, Domain

app = typer.Typer(no_args_is_help=True, help="Who sends how much, which way, and when.")
_NONE = "default"


@app.command("use")
def use(
    address: Annotated[str, typer.Argument(help="One account; left out: all that sent today.")] = "",
    json: Json = False,
) -> None:
    """Show to how many recipients elsewhere was written today, and the limits (0: none)."""
    found = with_stores(lambda stores: sending.list_use(stores.administration, COMMAND_LINE, address=address))
    rows = [{"kind": one.kind, "name": one.name, "sent": one.sent, "limit": one.limit} for one in found]
    emit_table(rows, ("kind", "name", "sent", "limit"), json=json, empty="Nothing was sent today")


def _number(text: str) -> int | None:
    if text == _NONE:
        return None
    if not text.isdecimal():
        fail(f"a number, 0 for no limit, or {_NONE}", code=2)
    return int(text)


@app.command("limit")
def limit(
    name: Annotated[str, typer.Argument(help="An account's address, or a domain.")],
    recipients: Annotated[str, typer.Argument(help="Recipients elsewhere a day; 0: no limit; default: the setting's.")],
    json: Json = False,
) -> None:
    """Limit an account or a domain."""
    wanted = _number(recipients)

    async def work(stores: Stores) -> Alias | Domain:
        change = sending.set_account_limit if "@" in name else sending.set_domain_limit
        return await change(stores.administration, COMMAND_LINE, name, wanted)

    with_stores(work)
    emit_done(f"{name}: {recipients} recipients a day", json=json, record={"name": name, "limit": wanted})


@app.command("undo")
def undo(
    address: str,
    seconds: Annotated[str, typer.Argument(help="Seconds that its mail waits; 0: not; default: the setting's.")],
    json: Json = False,
) -> None:
    """Let an account's mail wait, so that it can be taken back."""
    wanted = _number(seconds)
    with_stores(lambda stores: sending.set_undo(stores.administration, COMMAND_LINE, address, wanted))
    emit_done(f"{address}: mail waits {seconds} seconds", json=json, record={"address": address, "undo": wanted})


@app.command("take-back")
def take_back(trace_id: Annotated[str, typer.Argument(help="The message's trace id.")], json: Json = False) -> None:
    """Take back a message that waits to be sent; exit 1 when it is too late."""
    taken = with_stores(
        lambda stores: sending.take_back(stores.administration, COMMAND_LINE, stores.queue, trace_id)
    ).waiting
    row = {"trace_id": trace_id, "sender": taken.sender, "recipients": list(taken.recipients)}
    emit_done(f"{trace_id} taken back: nobody got it", json=json, record=row)


@app.command("relay")
def relay(
    domain: str,
    urls: Annotated[
        list[str] | None,
        typer.Argument(help="smtp[s]://USER:PASSWORD@HOST:PORT, tried in order; none: as the settings say."),
    ] = None,
    json: Json = False,
) -> None:
    """Send a domain's mail through relays (where port 25 is blocked, say)."""
    with_stores(lambda stores: sending.set_relays(stores.administration, COMMAND_LINE, domain, urls or []))
    emit_done(f"{domain}: {len(urls or [])} relays", json=json, record={"domain": domain, "relays": len(urls or [])})


@app.command("source")
def source(
    domain: str,
    addresses: Annotated[
        list[str] | None, typer.Argument(help="Local addresses, one of each family; none: as the settings say.")
    ] = None,
    json: Json = False,
) -> None:
    """Connect from these addresses with a domain's mail."""
    with_stores(lambda stores: sending.set_source(stores.administration, COMMAND_LINE, domain, addresses or []))
    emit_done(f"{domain}: {', '.join(addresses or []) or 'default'}", json=json, record={"domain": domain})


@app.command("show")
def show(domain: str, json: Json = False) -> None:
    """Show a domain's way, limit, and whether DNS lets it send; DNS is looked at now."""

    async def work(stores: Stores) -> dict[str, Any]:
        policy = sending_policy(stores, host_name(stores.settings))
        found = await sending.look_at_proof(stores.administration, COMMAND_LINE, policy.proofs, domain)
        relays = sending.relays_of(stores.administration, await find_domain(stores.administration, domain))
        return {
            "domain": found.id,
            "relays": [f"{one.host}:{one.port}" for one in relays],
            "source": list(found.source),
            "limit": found.sending_limit,
            "proved": found.proof.proved_at,
            "checked": found.proof.checked_at,
            "lacking": list(found.proof.lacking),
        }

    emit_record(with_stores(work), json=json)
