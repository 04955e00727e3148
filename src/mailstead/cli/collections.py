"""What the commands for calendars and for contacts have in common."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.administration.calendars import CollectionKind, Imported, export_file, import_file, list_collections
from mailstead.administration.sharing import ShareShown, list_shares, share_collection, unshare_collection
from mailstead.cli.output import emit_done, emit_table, fail
from mailstead.cli.stores import with_stores
from mailstead.services.stores import Stores
from mailstead.stores.mailbox.dav.records import Collection

Address = Annotated[str, typer.Argument(help="The account.")]
Name = Annotated[str, typer.Argument(help="The collection's name.")]


def show_collections(kind: CollectionKind, address: str, *, json: bool) -> None:
    """Print the collections of an account."""

    async def work(stores: Stores) -> list[Collection]:
        return await list_collections(stores.administration, COMMAND_LINE, address, kind)

    found = with_stores(work)
    rows = [{"name": one.name, "objects": one.objects, "size": one.size} for one in found]
    emit_table(rows, ("name", "objects", "size"), json=json)


def take_in(kind: CollectionKind, address: str, file: str, name: str, *, json: bool) -> None:
    """Bring a file in."""
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        fail(f"cannot read {file}: {error.strerror}")

    async def work(stores: Stores) -> Imported:
        return await import_file(stores.administration, COMMAND_LINE, address, kind, name, data)

    done = with_stores(work)
    record = {
        "added": done.added,
        "changed": done.changed,
        "unchanged": done.unchanged,
        "failed": done.failed,
        "errors": list(done.errors),
    }
    text = f"{done.added} added, {done.changed} changed, {done.unchanged} there already, {done.failed} left out"
    emit_done("\n".join([text, *done.errors]), json=json, record=record)


def put_out(kind: CollectionKind, address: str, file: str, names: list[str]) -> None:
    """Write a file."""

    async def work(stores: Stores) -> bytes:
        return await export_file(stores.administration, COMMAND_LINE, address, kind, names)

    data = with_stores(work)
    if file == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        Path(file).write_bytes(data)
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror}")


def share(kind: CollectionKind, address: str, name: str, sharee: str, *, write: bool, json: bool) -> None:
    """Share a collection."""
    rights: Literal["read", "write"] = "write" if write else "read"

    async def work(stores: Stores) -> None:
        await share_collection(stores.administration, COMMAND_LINE, address, kind, name, sharee, rights)

    with_stores(work)
    record = {"name": name, "with": sharee, "rights": rights}
    emit_done(f"{name} of {address} is shared with {sharee} ({rights})", json=json, record=record)


def unshare(kind: CollectionKind, address: str, name: str, sharee: str, *, json: bool) -> None:
    """Take a share back."""

    async def work(stores: Stores) -> None:
        await unshare_collection(stores.administration, COMMAND_LINE, address, kind, name, sharee)

    with_stores(work)
    record = {"name": name, "with": sharee, "rights": ""}
    emit_done(f"{name} of {address} is no longer shared with {sharee}", json=json, record=record)


def show_shares(kind: CollectionKind, address: str, *, json: bool) -> None:
    """Print what is shared."""

    async def work(stores: Stores) -> list[ShareShown]:
        return await list_shares(stores.administration, COMMAND_LINE, address)

    found = [one for one in with_stores(work) if one.kind == kind]
    rows = [{"name": one.name, "with": one.sharee, "rights": one.rights} for one in found]
    emit_table(rows, ("name", "with", "rights"), json=json, empty="Nothing is shared")
