"""`mailstead migrate`: bring documents and mailboxes to this version's schema."""

from mailstead.cli.output import Json, emit_done, progress
from mailstead.cli.stores import with_stores
from mailstead.services.stores import Stores
from mailstead.stores.directory.records import Alias


def migrate(json: Json = False) -> None:
    """Migrate everything that the server can open; locked mailboxes migrate when their owner comes."""

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
                        await stores.mailboxes.open(alias.mailbox_id, key)
                    stores.mailboxes.forget(alias.mailbox_id)
                advance()
        return len(aliases) - locked, locked

    done, locked = with_stores(work)
    emit_done(f"{done} mailbox(es) migrated, {locked} locked", json=json, record={"migrated": done, "locked": locked})
