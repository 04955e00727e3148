"""`mailstead dkim`: a domain's signing keys."""

from typing import Any

import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.aliases import find_domain
from mailstead.administration.domains import rotate_dkim
from mailstead.cli.output import Json, emit_table
from mailstead.cli.stores import with_stores
from mailstead.stores.directory.records import Domain

app = typer.Typer(no_args_is_help=True, help="A domain's signing keys.")


def _rows(domain: Domain) -> list[dict[str, Any]]:
    return [
        {
            "selector": key.selector,
            "algorithm": key.algorithm,
            "name": f"{key.selector}._domainkey.{domain.id}",
            "record": key.public_record,
            "created": key.created_at,
            "retired": key.retired_at,
        }
        for key in domain.dkim_keys
    ]


@app.command("show")
def show(domain: str, json: Json = False) -> None:
    """List keys with the records that publish them."""
    found = with_stores(lambda stores: find_domain(stores.administration, domain))
    emit_table(_rows(found), ("selector", "algorithm", "created", "retired", "record"), json=json)


@app.command("rotate")
def rotate(domain: str, json: Json = False) -> None:
    """Make new keys; publish their records, the old ones stay valid for a week."""
    found = with_stores(lambda stores: rotate_dkim(stores.administration, COMMAND_LINE, domain))
    emit_table(_rows(found), ("selector", "algorithm", "created", "retired", "record"), json=json)
