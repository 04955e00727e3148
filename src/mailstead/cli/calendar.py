"""`mailstead calendar`: calendars of accounts."""

from typing import Annotated, Literal

import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.calendars import switch_birthdays
from mailstead.administration.sharing import make_link, remove_links, subscribe
from mailstead.cli import collections
from mailstead.cli.collections import Address, Name
from mailstead.cli.output import Json, emit_done
from mailstead.cli.stores import with_stores
from mailstead.services.stores import Stores

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


@app.command("link")
def link_calendar(address: Address, calendar: Name, json: Json = False) -> None:
    """Make a link that shows a calendar to everybody who has it; the link is printed this once."""

    async def work(stores: Stores) -> str:
        _, secret = await make_link(stores.administration, COMMAND_LINE, address, calendar)
        return f"https://{stores.settings.server.hostname or 'HOSTNAME'}/dav/public/{secret}.ics"

    url = with_stores(work)
    emit_done(url, json=json, record={"url": url})


@app.command("unlink")
def unlink_calendar(address: Address, calendar: Name, json: Json = False) -> None:
    """End all links to a calendar."""

    async def work(stores: Stores) -> int:
        return await remove_links(stores.administration, COMMAND_LINE, address, calendar)

    removed = with_stores(work)
    emit_done(f"{removed} links ended", json=json, record={"removed": removed})


@app.command("subscribe")
def subscribe_calendar(
    address: Address,
    calendar: Name,
    url: Annotated[str, typer.Argument(help="Where the .ics is fetched from, again and again.")],
    json: Json = False,
) -> None:
    """Make a calendar that shows one of elsewhere. Deleting it ends the subscription."""

    async def work(stores: Stores) -> None:
        await subscribe(stores.administration, COMMAND_LINE, address, calendar, url)

    with_stores(work)
    emit_done(f"{calendar} of {address} is filled from {url}", json=json, record={"name": calendar, "url": url})


@app.command("birthdays")
def switch_calendar_of_birthdays(
    address: Address,
    state: Annotated[Literal["on", "off"], typer.Argument(metavar="on|off", help="Make it, or take it away.")],
    json: Json = False,
) -> None:
    """Keep a calendar of the birthdays and anniversaries that an account's contacts have."""

    async def work(stores: Stores) -> None:
        await switch_birthdays(stores.administration, COMMAND_LINE, address, on=state == "on")

    with_stores(work)
    emit_done(f"birthdays of {address} are {state}", json=json, record={"birthdays": state == "on"})
