"""`mailstead cert`: certificates for TLS."""

from pathlib import Path
from typing import Annotated, Any

import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.certificates.certificates import HOST, Renewed, State
from mailstead.administration.certificates.wanted import Standing
from mailstead.cli.output import Json, emit_done, emit_record, emit_table
from mailstead.cli.stores import with_stores
from mailstead.services.certificate import certificates

app = typer.Typer(no_args_is_help=True, help="Certificates for TLS.")
Names = Annotated[list[str] | None, typer.Argument(help="`host` or domains; all when none is named.")]
NewKey = Annotated[bool, typer.Option("--new-key", help="With a new private key; TLSA records change with it.")]


def _row(found: Standing, state: State) -> dict[str, Any]:
    renew_at = found.renew_at if found.source in {"acme", "own authority"} else None
    return {
        "name": found.name or HOST,
        "source": found.source,
        "names": found.names,
        "issuer": found.issuer,
        "not_before": found.not_before or None,
        "not_after": found.not_after or None,
        "renew_at": renew_at,
        "path": found.path,
        "problem": found.problem or state.error,
        "next_attempt": state.next_at or None,
    }


@app.command("status")
def status(json: Json = False) -> None:
    """List certificates: what for, until when, and what hinders their renewal."""
    found = with_stores(lambda stores: certificates(stores).standings())
    rows = [_row(standing, state) for standing, state in found]
    emit_table(rows, ("name", "source", "names", "not_after", "renew_at", "problem"), json=json)


@app.command("issue")
def issue(names: Names = None, json: Json = False, new_key: NewKey = False) -> None:
    """Obtain certificates from the ACME authority now, also where those that lie here are good."""
    _tell(
        with_stores(
            lambda stores: certificates(stores).obtain(COMMAND_LINE, only=names or (), force=True, new_key=new_key)
        ),
        json=json,
    )


@app.command("renew")
def renew(names: Names = None, json: Json = False) -> None:
    """Obtain those that lack, or whose time is two thirds over."""
    _tell(with_stores(lambda stores: certificates(stores).obtain(COMMAND_LINE, only=names or ())), json=json)


def _tell(results: list[Renewed], *, json: bool) -> None:
    rows = [{"name": one.name, "names": one.names, "obtained": not one.error, "error": one.error} for one in results]
    emit_table(rows, ("name", "obtained", "names", "error"), json=json, empty="Nothing is due")
    if any(one.error for one in results):
        raise typer.Exit(1)


@app.command("import")
def import_pair(
    certificate: Annotated[Path, typer.Argument(help="The chain (PEM), the host's certificate first.", exists=True)],
    key: Annotated[Path, typer.Argument(help="The private key (PEM) without a password.", exists=True)],
    name: Annotated[str, typer.Option(help="A domain it is for; without it, it becomes the host's own.")] = "",
    json: Json = False,
) -> None:
    """Put a certificate of your own in place; it is checked first, and running services take it up."""
    chain, private = certificate.read_bytes(), key.read_bytes()
    found = with_stores(lambda stores: certificates(stores).import_pair(COMMAND_LINE, chain, private, name))
    row = _row(found, State(id=name or HOST))
    if json:
        emit_record(row, json=True)
    else:
        emit_done(f"in place for {', '.join(found.names)}")
