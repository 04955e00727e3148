"""`mailstead contacts`: address books of accounts."""

from typing import Annotated

import typer

from mailstead.cli import collections
from mailstead.cli.collections import Address, Name
from mailstead.cli.output import Json

app = typer.Typer(no_args_is_help=True, help="Address books.")
_NAMES = Annotated[
    list[str] | None, typer.Option("--book", help="An address book; may be given again. All without it.")
]
_SHAREE = Annotated[str, typer.Argument(metavar="WITH", help="The account that sees it.")]


@app.command("list")
def list_books(address: Address, json: Json = False) -> None:
    """List an account's address books."""
    collections.show_collections("addressbook", address, json=json)


@app.command("import")
def import_cards(
    address: Address,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="A .vcf file, - for standard input.")],
    book: Annotated[str, typer.Option(help="Where to; made when there is none.")] = "default",
    json: Json = False,
) -> None:
    """Bring a .vcf file in (vCard 3 or 4); what is there already is replaced by UID."""
    collections.take_in("addressbook", address, file, book, json=json)


@app.command("export")
def export_cards(
    address: Address,
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="A .vcf file, - for standard output.")] = "-",
    book: _NAMES = None,
) -> None:
    """Write address books into one .vcf file."""
    collections.put_out("addressbook", address, file, book or [])


@app.command("share")
def share_book(
    address: Address,
    book: Name,
    sharee: _SHAREE,
    write: Annotated[bool, typer.Option("--write", help="Let them change it, too.")] = False,
    json: Json = False,
) -> None:
    """Show an address book to another account."""
    collections.share("addressbook", address, book, sharee, write=write, json=json)


@app.command("unshare")
def unshare_book(address: Address, book: Name, sharee: _SHAREE, json: Json = False) -> None:
    """Take a share back; it is gone at once."""
    collections.unshare("addressbook", address, book, sharee, json=json)


@app.command("shares")
def book_shares(address: Address, json: Json = False) -> None:
    """List with whom an account shares address books."""
    collections.show_shares("addressbook", address, json=json)
