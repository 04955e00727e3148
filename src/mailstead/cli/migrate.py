"""`mailstead migrate`: bring documents and mailboxes to this version's schema."""

from typing import Annotated

import msgspec
import typer

from mailstead.administration.actor import COMMAND_LINE
from mailstead.cli.output import Json, emit_done, emit_record, progress
from mailstead.cli.stores import with_stores
from mailstead.services.backup import backups
from mailstead.services.stores import Stores
from mailstead.stores.directory.records import Alias
from mailstead.stores.documents.sqlite.schema import MIGRATIONS
from mailstead.stores.mailbox.schema import VERSION


def migrate(
    json: Json = False,
    versions: Annotated[
        bool, typer.Option("--versions", help="Only show the schemas that this version writes.")
    ] = False,
    rehearse: Annotated[
        str, typer.Option(metavar="BACKUP", help="Only try it aside, on the data of a backup (an id, or `latest`).")
    ] = "",
) -> None:
    """Migrate everything that the server can open; locked mailboxes migrate when their owner comes."""
    if versions:
        emit_record({"documents": len(MIGRATIONS), "mailbox": VERSION}, json=json)
        return
    if rehearse:
        tried = with_stores(lambda stores: backups(stores).rehearse(COMMAND_LINE, rehearse))
        text = f"{tried.documents} documents and {tried.mailboxes} mailboxes of {tried.snapshot} can be taken over"
        emit_done(text, json=json, record=msgspec.to_builtins(tried))
        return

    async def work(stores: Stores) -> tuple[int, int]:
        aliases = [alias for alias in await stores.directory.find(Alias) if alias.mailbox_id]
        locked = 0
        with progress("Mailboxes", len(aliases)) as advance:
            for alias in aliases:
                key = await stores.directory.mailbox_key(alias.mailbox_id)
                if key is None:
                    locked += 1
                else:
                    with key:
                        mailbox = await stores.mailboxes.open(alias.mailbox_id, key)
                        await stores.mailboxes.run(mailbox.folders)
                    stores.mailboxes.forget(alias.mailbox_id)
                advance()
        return len(aliases) - locked, locked

    done, locked = with_stores(work)
    emit_done(f"{done} mailbox(es) migrated, {locked} locked", json=json, record={"migrated": done, "locked": locked})
