"""`mailstead calendar`: calendars of accounts."""

from typing import Annotated

import typer

from mailstead.cli import collections
from mailstead.cli.collections import Address, Name
from mailstead.cli.output import Json

app = typer.Typer(no_args_is_help=True, help="Calendars.")
_NAMES = Annotated[list[str] | None, typer.Option("--calendar", help="A calendar; may be given again. All without it.")]
_SHAREE = Annotated[str, typer.Argument(metavar="WITH", help="The account that sees it.")]


@app.command("list")
def list_calendars(address: Address, json: Json = False) -> None:
    """List an account's calendars."""
    collections.show_collections("calendar", address, json=json)


@app.command("import")
def import_calendar(
    address: Address,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="An .ics file, - for standard input.")],
    calendar: Annotated[str, typer.Option(help="Where to; made when there is none.")] = "default",
    json: Json = False,
) -> None:
    """Bring an .ics file in; what is there already is replaced by UID. Nobody is invited by this."""
    collections.take_in("calendar", address, file, calendar, json=json)


@app.command("export")
def export_calendar(
    address: Address,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="An .ics file, - for standard output.")] = "-",
    calendar: _NAMES = None,
) -> None:
    """Write calendars into one .ics file."""
    collections.put_out("calendar", address, file, calendar or [])


@app.command("share")
def share_calendar(
    address: Address,
    calendar: Name,
    sharee: _SHAREE,
    write: Annotated[bool, typer.Option("--write", help="Let them change it, too.")] = False,
    json: Json = False,
) -> None:
    """Show a calendar to another account."""
    collections.share("calendar", address, calendar, sharee, write=write, json=json)


@app.command("unshare")
def unshare_calendar(address: Address, calendar: Name, sharee: _SHAREE, json: Json = False) -> None:
    """Take a share back; it is gone at once."""
    collections.unshare("calendar", address, calendar, sharee, json=json)


@app.command("shares")
def calendar_shares(address: Address, json: Json = False) -> None:
    """List with whom an account shares calendars."""
    collections.show_shares("calendar", address, json=json)
