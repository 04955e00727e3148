"""`mailstead dkim`: a domain's signing keys."""

from typing import Annotated, Any

import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.aliases import find_domain
from mailstead.administration.domains import activate_dkim_keys, rotate_dkim
from mailstead.cli.output import Json, emit_table
from mailstead.cli.stores import with_stores
from mailstead.services.stores import Stores
from mailstead.stores.directory.records import Domain

app = typer.Typer(no_args_is_help=True, help="A domain's signing keys.")
_COLUMNS = ("selector", "algorithm", "state", "created", "retired", "record")


def _rows(domain: Domain) -> list[dict[str, Any]]:
    return [
        {
            "selector": key.selector,
            "algorithm": key.algorithm,
            "name": f"{key.selector}._domainkey.{domain.id}",
            "record": key.public_record,
            "state": "waiting" if key.is_waiting else "signing" if key.retired_at is None else "retired",
            "created": key.created_at,
            "retired": key.retired_at,
        }
        for key in domain.dkim_keys
    ]


@app.command("show")
def show(domain: str, json: Json = False) -> None:
    """List keys with the records that publish them."""
    found = with_stores(lambda stores: find_domain(stores.administration, domain))
    emit_table(_rows(found), _COLUMNS, json=json)


@app.command("rotate")
def rotate(
    domain: str,
    json: Json = False,
    now: Annotated[bool, typer.Option("--now", help="Sign with the new keys at once, published or not.")] = False,
) -> None:
    """Make new keys: publish their records, and they sign as soon as DNS shows them; the old ones stay published."""

    async def work(stores: Stores) -> Domain:
        rotated = await rotate_dkim(stores.administration, COMMAND_LINE, domain)
        return await activate_dkim_keys(stores.administration, COMMAND_LINE, domain) if now else rotated

    found = with_stores(work)
    emit_table(_rows(found), _COLUMNS, json=json)
