"""The calendars and address books that somebody sees: one's own, and those that others share."""

import re
from xml.sax.saxutils import unescape

import msgspec

from mailstead.administration.actor import Administration
from mailstead.administration.calendars import CollectionKind
from mailstead.foundation.errors import NotFoundError, PermissionDeniedError
from mailstead.stores.mailbox.dav.collections import TITLES
from mailstead.stores.mailbox.dav.records import Collection, NoSuchCollectionError
from mailstead.stores.mailbox.mailbox import Mailbox
from mailstead.stores.sharing.shares import Shares
from mailstead.stores.sharing.subscriptions import Subscriptions

NAME, COLOR = "{DAV:}displayname", "{http://apple.com/ns/ical/}calendar-color"
HUES = ("#1c6b4f", "#2457a6", "#8a3ffc", "#b0561a", "#b3261e", "#007c89", "#946200", "#5b6570")
"""The colours that calendars are shown in; any other is shown in the nearest of these."""
_TEXT = re.compile(r">([^<]*)<")


class Shown(msgspec.Struct, frozen=True):
    """A collection; `key` names it in pages, `owner` is empty for one's own, `source` the URL it is filled from."""

    key: str
    record: Collection
    title: str
    hue: int
    mailbox: Mailbox
    owner: str
    can_write: bool
    source: str = ""
    error: str = ""

    def takes(self, component: str) -> bool:
        """Whether it takes objects of that kind."""
        return not self.record.components or component in self.record.components


def text_property(value: bytes | None) -> str:
    """The text of a stored property's element."""
    found = None if value is None else _TEXT.search(value.decode("utf-8", "replace"))
    return "" if found is None else unescape(found[1])


def hue_of(color: str, fallback: int) -> int:
    """The number of the nearest of HUES."""
    match = re.match(r"#([0-9A-Fa-f]{6})", color)
    if match is None:
        return fallback % len(HUES)
    wanted = _parts(match[1])
    return min(
        range(len(HUES)), key=lambda one: sum((a - b) ** 2 for a, b in zip(_parts(HUES[one][1:]), wanted, strict=True))
    )


def _parts(text: str) -> tuple[int, int, int]:
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:6], 16)


async def collections_of(administration: Administration, mailbox: Mailbox, kind: CollectionKind) -> list[Shown]:
    """All that the owner of `mailbox` sees, one's own first."""
    subscriptions = Subscriptions(administration.documents, administration.clock)
    sources = {one.collection_id: one for one in await subscriptions.of_owner(mailbox.id)}
    found = []
    for place, (record, properties) in enumerate(await administration.mailboxes.run(mailbox.dav.described, kind)):
        source = sources.get(record.id)
        found.append(
            Shown(
                f"own-{record.id}",
                record,
                _title(record, properties),
                hue_of(text_property(properties.get(COLOR)), place),
                mailbox,
                "",
                source is None and not record.is_made,
                "" if source is None else source.url,
                "" if source is None else source.error,
            )
        )
    return [*found, *await _shared(administration, mailbox, kind, len(found))]


def _title(record: Collection, properties: dict[str, bytes]) -> str:
    return text_property(properties.get(NAME)) or TITLES.get((record.kind, record.name), record.name)


async def _shared(administration: Administration, own: Mailbox, kind: CollectionKind, start: int) -> list[Shown]:
    directory = administration.directory
    found: list[Shown] = []
    for share in await Shares(administration.documents, administration.clock).with_sharee(own.id):
        alias = await directory.alias_of_mailbox(share.owner) if share.kind == kind else None
        key = None if alias is None or not alias.enabled else await directory.mailbox_key(share.owner)
        if alias is None or key is None:
            continue
        with key:
            mailbox = await administration.mailboxes.open(share.owner, key)
        try:
            record, properties = await administration.mailboxes.run(mailbox.dav.describe, share.collection_id)
        except NoSuchCollectionError:
            continue
        hue = hue_of(text_property(properties.get(COLOR)), start + len(found))
        title = _title(record, properties)
        found.append(
            Shown(share.id, record, title, hue, mailbox, alias.address, share.rights == "write" and not record.is_made)
        )
    return found


def choose(shown: list[Shown], key: str, *, to_write: bool = False) -> Shown:
    """The collection of that key. Raises NotFoundError, PermissionDeniedError."""
    found = next((one for one in shown if one.key == key), None)
    if found is None:
        raise NotFoundError("There is no such calendar")
    if to_write and not found.can_write:
        raise PermissionDeniedError("This can only be read")
    return found
